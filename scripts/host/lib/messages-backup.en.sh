# shellcheck shell=bash disable=SC2034 # say.sh reads it
# The sentences of backup, in English.
declare -gA MESSAGES
MESSAGES+=(
    [backup_usage]='usage: sudo bash scripts/backup.sh [OPTION]...

Makes a verified backup of what the stack keeps, while it serves, in <root>/backups/<time>/.
  --drill           restore it for a test afterwards
  --keep-last N, --keep-daily N, --keep-weekly N
                    how many backups stay (7, 7, 4): the newest, and the newest of each of so many days and weeks. Remembered
  --schedule HH:MM  make none now, but one every day at that time of this host; «off» ends that
  --with-secrets    .env, too, with every password in it
  --root DIR        the folder of the stack
  --lang zh|en      language
Ends with 0 (the backup is whole), 2 (used wrongly), 4 (somebody else is at work), 5 (--drill: no room for that), 6 (failed: nothing there looks like a backup,
older ones are untouched), 130 (interrupted).'
    [step_backup]='Back up'
    [backup_part]='  %s'
    [backup_again]='  %s: %s was written while it was read; once more'
    [backup_folder]='%s cannot be written: is its disk mounted read-only?'
    [backup_room]='Too little room for a backup in %s: %s free, %s needed (twice the data), %s missing. Make room, or remove backups you need no longer.'
    [backup_not_in_mode]='%s is not in the backup: its service %s does not run in mode %s. Its files stay in %s.'
    [backup_stopped]='%s cannot be backed up: container %s does not run. Start it (scripts/restart.sh), then run this again.'
    [backup_family]='%s cannot be backed up: nothing here knows the data family «%s» (known: mysql, mariadb, redis).'
    [backup_refused]='%s cannot be backed up: %s did not answer as it should; its words are above. If its password was changed by hand, put the same one into .env and restart it.'
    [backup_no_database]='%s holds no database of an application: there is nothing to back up.'
    [backup_engine]='%s holds tables that no snapshot holds for: %s. A dump of them could be half of a change. Convert them: ALTER TABLE … ENGINE=InnoDB'
    [backup_migrates]='%s is being changed right now, and a dump of that would be wrong: %s. Wait until that has ended, then run this again. (Liquibase keeps its lock after a crash: see its release-locks.)'
    [backup_migrated]='Tables of %s were made, changed or emptied while it was dumped, so the dump is no single moment. Run this again when the migration has ended.'
    [backup_stream]='%s could not be read or written to its end; the reason is above.'
    [backup_unfinished]='The dump of %s is not one that can be understood to its last line.'
    [backup_bgsave]='%s: Redis in %s made no good snapshot. See its log: the disk may be full, or memory short.'
    [backup_snapshot_bad]='The snapshot of %s cannot be read by a server of the same image; its words are above.'
    [backup_name]='%s holds a file whose name has a tab, a line end or a backslash: %s. Rename it, then run this again.'
    [backup_busy]='%s: %s is written again and again while it is read. Stop what writes it, then run this again.'
    [backup_bad]='What was written is not what was read: the disk may be bad. See dmesg.'
    [backup_made]='Backup %s in %s: %s; %s rows in %s tables, %s files, %s s'
    [backup_next]='%s has %s left: the next backup may not fit.'
    [backup_done]='Backup %s is whole. To see that it can be restored: bash scripts/drill.sh'
    [backup_drilled]='Backup %s is whole, and was restored for a test.'
    [backup_undrilled]='Backup %s is whole, but it was not restored for a test. No older one was removed.'
    [step_prune]='Let older backups go'
    [backup_pruned]='Backup %s is not kept any longer'
    [backup_damaged]='Backup %s is damaged, so it does not count. It is left for you to look at: remove it yourself.'
    [backup_unpruned]='Backup %s is whole, but older ones could not be removed; the reason is above.'
    [keep_number]='%s takes a number up to 9999, and at least the newest backup stays'
    [schedule_malformed]='--schedule takes a time such as 02:00, or off'
    [schedule_is_set]='A backup is made every day at %s (%s).'
    [schedule_is_off]='No backup is made by itself.'
    [schedule_nobody]='Neither systemd nor cron runs here, so nothing can start a backup by itself. Install cron, or start scripts/backup.sh from what starts jobs here.'
    [ago_days]='%s days ago'
    [ago_hours]='%s hours ago'
    [ago_minutes]='%s minutes ago'
    [status_backup]='Last good backup: %s (%s)'
    [status_no_backup]='Last good backup: never. Make one: scripts/backup.sh'
    [status_schedule]='A backup is made every day at %s.'
    [status_no_schedule]='No backup is made by itself: scripts/backup.sh --schedule 02:00'
    [backup_not_due]='No release is in service: there is nothing to back up first.'
    [backup_same]='Release %s is in service already: it needs no backup first.'
    [backup_unwanted]='Release %s is not backed up first, as --no-backup asks. If the new release changes the data, nobody can put it back.'
    [backup_taken]='Backup %s was made by a deploy that was killed, before it changed anything: that one counts.'
    [backup_failed]='There is no backup: it failed, and nothing is left of it. Older backups are as they were, and the stack serves on.'
    [backup_interrupted]='There is no backup: it was interrupted, and nothing is left of it.'
)
