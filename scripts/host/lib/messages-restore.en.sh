# shellcheck shell=bash disable=SC2034 # say.sh reads it
# The sentences of restore, drill and rollback with data, in English.
declare -gA MESSAGES
MESSAGES+=(
    [restore_usage]='usage: sudo bash scripts/restore.sh BACKUP [--only NAME]... [--yes] [--root DIR] [--lang zh|en]
       sudo bash scripts/restore.sh --forget TIME [--yes]

Puts the data of a backup back into service. BACKUP is its name in backups/, or a folder. It is made whole beside what serves and
compared with the backup; only then services stop, for the moment that renames take. What is replaced is kept under a dated name.
  --only NAME     this part only (database, redis, uploads, data …). May be repeated
  --forget TIME   remove what the restore at TIME has replaced; status names it
  --yes           do not ask
Ends with 0 (restored), 2 (used wrongly), 3 (the backup is damaged), 4 (somebody else is at work), 5 (it does not fit this
release, or there is no room), 6 (failed; the old data serves), 8 (failed, needs a hand), 130 (interrupted; the old data serves).'
    [drill_usage]='usage: sudo bash scripts/drill.sh [BACKUP] [--root DIR] [--lang zh|en]

Restores a backup (the newest, unless named) for a test: beside the stack, without ports, and throws it away. What serves is not
touched. The result is written into the backup, and status shows when one last passed.
Ends with 0 (it can be restored), 2, 3 (the backup is damaged), 4, 5 (it does not fit this release, or there is no room),
6 (it cannot be restored), 130.'
    [backup_unnamed]='Which backup? Name one of backups/, or a folder.'
    [backup_absent]='%s: there is no such backup. There are:'
    [backup_verify]='Verifying %s'
    [backup_bad]='%s is not the backup that was made: %s problems, each named on stdout. Nothing was changed. Use another backup; if this one was copied here, copy it again.'
    [part_unknown]='%s: the backup has no such part. It has: %s'
    [restore_refused]='Backup %s cannot be restored here: %s reasons, each above. Nothing was changed.'
    [restore_stack]='The backup is of the stack %s, and this is %s.'
    [restore_newer]='The backup is of release %s, which is newer than the one in service, %s: that one does not know its tables. Put release %s into service first, then restore.'
    [restore_place]='%s: the backup has it in %s, and release %s has no such folder. Leave it out with --only.'
    [restore_mount]='%s is a file system of its own and cannot be renamed. Mount the one above it instead, then run this again.'
    [restore_family]='%s: the backup is of %s %s, and release %s runs %s there, which cannot read it.'
    [restore_series]='%s: the backup is of %s %s, and release %s runs %s, which is older and cannot read it. Put a release with that version or a newer one into service first.'
    [restore_mode]='%s: its service %s does not run in mode %s. Change the mode first, or leave it out with --only.'
    [restore_room]='Too little room in %s: %s free, %s needed, %s missing. Status names replaced data that could be removed.'
    [restore_plan]='Backup %s, made %s by release %s, is to replace in %s: %s
What is there now is kept aside. Services that use it stop for a moment once the new data is whole.'
    [losses_table]='  %s: %s rows now, %s in the backup: %s written since are lost'
    [losses_keys]='  %s, number %s: %s keys now, %s in the backup'
    [losses_files]='  %s: %s files are new or changed since the backup'
    [losses_unknown]='%s: %s does not answer, so nobody can say what was written since the backup.'
    [step_beside]='Make the data of the backup whole beside what serves'
    [step_exchange]='Stop the services and exchange the data'
    [step_keep]='Keep it'
    [step_undo]='Put the old data back'
    [step_drill]='Restore for a test'
    [beside_failed]='%s could not be started beside the stack; its words are above.'
    [beside_unclean]='%s, beside the stack, ended with code %s; its words are above. So what it wrote may not be whole.'
    [beside_load]='Load %s: %s'
    [beside_unpack]='Unpack %s: %s'
    [beside_not_loaded]='%s could not be loaded; the reason is above.'
    [beside_rows]='%s does not have the rows that the backup counts (- in the backup, + after loading: database, table, rows).'
    [beside_counted]='%s: %s tables, %s rows, as in the backup'
    [beside_keys]='%s: number %s has %s keys and not the %s of the backup.'
    [beside_keys_counted]='%s: number %s has %s keys, as in the backup'
    [beside_files_differ]='%s does not have the files of the backup (- in the backup, + after unpacking).'
    [beside_files_compared]='%s: %s files, byte for byte as in the backup'
    [beside_unsafe]='%s: the archive holds what no backup has, above. Nothing of it was unpacked.'
    [restore_first_run]='%s in %s would not match the restored database, and the services would not know each other. Restore that folder with it (no --only, or one --only for each).'
    [exchange_half]='A restore (%s) was killed while data was exchanged: first, the old data is put back.'
    [exchange_back]='The old data is in its place and serves.'
    [exchange_not_back]='The old data is in its place, or about to be, but does not serve. If Docker is not running, start it; then run this again. What belongs where is in %s.'
    [restored]='Backup %s is restored (%s) and serves in %s. What it replaced is kept; status names it.'
    [restore_back]='Backup %s was not restored: the old data serves again. What was restored is kept aside; status names it.'
    [restore_not_back]='Backup %s was not restored, and the old data, which is in its place, does not serve. What belongs where is in %s. Run status, mend what it names, then run any command again.'
    [nothing_set_aside]='%s: nothing is set aside of that time. Status names what is.'
    [forget_plan]='%s will be removed for good.'
    [forgotten]='What was set aside at %s is removed.'
    [drill_part]='  %s: good, in %s s'
    [drill_unwritable]='%s/manifest.tsv could not be written: the result of the drill is not in it.'
    [drilled]='Backup %s can be restored: %swas restored beside the stack, counted and thrown away.'
    [drill_failed]='Backup %s could not be restored; the reason is above. What serves was not touched. Make a new backup and drill that one.'
    [drill_interrupted]='The drill was interrupted. What serves was not touched.'
    [rollback_data]='With it goes the data of backup %s, made %s: %s
What is there now is kept aside. Since then was written:'
    [rollback_no_backup]='No backup was made while release %s was in service (looked in %s), so its data cannot be put back. Without --with-data the release goes on with the data that is there.'
    [rollback_family]='%s: the data here is of %s, and release %s runs %s, which cannot read it.'
    [rollback_refused]='Release %s cannot go on with the data that is there. To put back the data that it had, too: --with-data, which first says what was written since and is lost. Nothing was changed.'
    [status_exchange]='A restore (%s) was killed while data was exchanged. Any command that changes this host puts the old data back first; scripts/restart.sh is enough.'
    [status_drilled]='A backup was last restored for a test at %s: %s'
    [status_never_drilled]='No backup here was ever restored for a test: scripts/drill.sh does it.'
    [status_set_aside]='Set aside at %s: %s in %s
When you need it no longer: scripts/restore.sh --forget %s'
)
