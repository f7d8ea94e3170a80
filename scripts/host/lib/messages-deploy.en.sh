# shellcheck shell=bash disable=SC2034 # say.sh reads it
# The sentences of the scripts that change a host, in English.
declare -gA MESSAGES
MESSAGES+=(
    [deploy_usage]='usage: sudo ./offline-deploy.sh [OPTION]...

Puts this bundle into service on this host, or leaves the host as it was.
  --root DIR      the folder of the stack (else what the bundle says)
  --mode MODE     all or single (else the mode in service, else the bundle'\''s)
  --yes           do not ask
  --check         only look whether this host is fit; change nothing
  --accept ID     go on although the finding ID refuses; noted in audit.log. May be repeated
  --adopt DIR     take over the stack that was laid out by hand in DIR
  --no-firewall   leave firewalld alone
  --no-backup     do not back up the release in service first; only with --yes, and noted in audit.log
  --lang zh|en    language
  --help          this text
Ends with 0 (in service), 2 (used wrongly), 3 (bundle bad), 4 (somebody else is at work), 5 (host not fit), 6 (failed, nothing
serves that did not before), 7 (failed, the former release serves again), 8 (failed, needs a hand), 130 (interrupted).'
    [option_needs_value]='%s needs a value'
    [root_malformed]='%s: the folder of the stack must be an absolute path of letters, digits, dots, dashes, underscores and slashes'
    [yes_needed]='There is no terminal to ask at: add --yes.'
    [no_backup_unsaid]='--no-backup is taken only together with --yes: without a backup nobody can put the data back.'
    [plan]='Release %s, mode %s, into %s. In service now: %s'
    [plan_question]='Put it into service? [y/N]'
    [plan_declined]='Nothing was changed.'
    [finding_refuse]='REFUSED [%s] %s'
    [finding_warn]='warning [%s] %s'
    [preflight_refused]='This host is not fit for the release: %s refusals, each above with its cure. Nothing was changed.'
    [preflight_good]='This host is fit for the release.'
    [locked]='Somebody is at work on this host: %s by %s (from %s) since %s, process %s. Wait for its end, then run this again.'
    [locked_by_orphan]='A killed run (%s by %s from %s, since %s) has left a process that is still at work: %s (process %s). Wait for its end, then run this again.'
    [step_load]='Load the images'
    [step_prove]='Prove the images'
    [step_switch]='Switch to the release'
    [step_up]='Start the services'
    [step_health]='Ask whether they work'
    [step_record]='Record'
    [step_back]='Put the former release back'
    [step_stop]='Stop the services'
    [load_nothing]='The engine has every image already.'
    [load_start]='%s to load'
    [load_failed]='The engine did not take the images; its words are above. If the disk is full, make room and run this again.'
    [prove_bad]='%s is not the image of this release (%s)'
    [prove_failed]='The engine does not have the images as they were made. Restart Docker and run this again; if that does not help, see: journalctl -u docker'
    [payload_new]='Lay out %s'
    [pf_omitted]='This bundle leaves out what the host was thought to have, and %s pieces of that are not here (the first: %s). Use the full bundle, or deploy from the start again.'
    [secret_failed]='No random value could be made for %s from /dev/urandom. Run this again.'
    [release_differs]='There is another release called %s in %s. Release ids are the second they were made: ask whoever made the bundle for a new one.'
    [default_changed]='%s stays yours. This release ships a new default for it, which is laid beside: %s. What changed in the default:'
    [hot_carried]='%s: your edit of %s stays live'
    [hot_drift]='%s: you edited %s, and this release brings a new one, which is live now. Yours is kept: %s'
    [hot_deleted]='%s: you deleted %s, and this release brings a new one, which is live now'
    [container_extra]='%s: a leftover container (%s) is removed'
    [container_renamed]='Container %s is called %s again'
    [container_stopped]='Stop %s'
    [first_run]='Fetch %s from %s'
    [first_run_absent]='%s: %s did not say the value within %s s. See its log and that of the service that makes the value.'
    [first_run_file]='%s: this file is not understood, so %s cannot be set in it. Set it by hand, then run this again.'
    [up_failed]='These services could not be started: %s. The words of Compose are above.'
    [health_failed]='%s does not work: %s'
    [firewall_opened]='Firewall: port %s is open now'
    [release_pruned]='Release %s is not kept any longer'
    [service_log]='The last words of %s (more in %s):'
    [state_unwritable]='%s cannot be written (disk full?)'
    [into_service]='Release %s is in service (mode %s).'
    [unchanged]='Failed before anything was changed: what was in service serves on.'
    [unsaved]='There is no backup of what is in service, so nothing was changed: it serves on. Mend what is named above and run this again, or go on without a backup: --no-backup --yes.'
    [interrupted]='Interrupted before anything was changed: what was in service serves on.'
    [back_start]='Release %s failed: release %s is put back.'
    [back_done]='Release %s failed; release %s is in service again. Nothing was done to the data.'
    [back_failed]='Release %s failed, and release %s does not work either. Its data may have been changed by the new one: see the logs in %s, restore a backup if it was, and deploy again. Nothing was done to the data.'
    [back_is_same]='Release %s, which is the one in service, does not work. See its log above; scripts/rollback.sh puts the former release into service.'
    [first_stopped]='The first deploy failed, and there is nothing to go back to: the stack is stopped. Its data is kept in %s.'
    [first_not_stopped]='The first deploy failed, and the stack in %s could not be stopped either. See docker ps.'
    [rollback_usage]='usage: sudo bash scripts/rollback.sh [--to ID] [--with-data] [--yes] [--root DIR] [--lang zh|en]

Puts a former release back into service: the one before, or ID. Data stays as it is.
  --with-data     put the data back, too, from the newest backup of that release; says first what was written since and is lost
Ends with 0 (in service), 2 (no such release: those that there are stand on stdout), 3 (its backup is damaged), 5 (it cannot read
the data that is there, or has no backup), 4, 6, 7, 8 as offline-deploy.sh.'
    [restart_usage]='usage: sudo bash scripts/restart.sh [--root DIR] [--lang zh|en] [SERVICE]...

Restarts services (all of them unless named), one after the other, and waits until they work.
Ends with 0 (they work), 2, 4, or 8 (they do not).'
    [uninstall_usage]='usage: sudo bash scripts/uninstall.sh [--yes] [--root DIR] [--lang zh|en]

Stops the stack and removes its containers. Data, releases and images stay.
Ends with 0, 2, 4 or 8.'
    [logs_usage]='usage: bash scripts/logs.sh [--follow] [--tail N|all] [--root DIR] [--lang zh|en] [SERVICE]...

Shows what services say (all of them unless named), the last 100 lines of each unless --tail says otherwise.'
    [status_usage]='usage: bash scripts/status.sh [--json] [--root DIR] [--lang zh|en]

Shows the release in service, its services and ports, disks, what was edited on this host and which images are missing.'
    [host_absent]='%s: no stack is there. Name its folder with --root.'
    [nothing_in_service]='No release is in service.'
    [service_unknown]='%s: there is no such service. There are: %s'
    [rollback_unknown]='%s cannot be put back (in service: %s). These can:'
    [step_restart]='Restart'
    [restart_one]='Restart %s'
    [uninstall_plan]='Release %s in %s goes out of service.'
    [uninstalled]='The stack in %s is out of service. Its data is kept in %s; a deploy takes it up again.'
    [prove_payload_bad]='%s is not as this release shipped it, so it cannot go into service. Deploy its bundle again.'
    [status_release]='Release %s, mode %s (before it: %s) in %s'
    [status_at_work]='At work right now: %s %s, step %s, by %s since %s'
    [status_killed]='A run was killed: %s %s, at step %s. Run the same command again: it finishes or takes back.'
    [status_last]='Last run: %s %s at %s: %s'
    [status_disk]='Disk of %s: %s free of %s'
    [status_drift]='%s: %s was %s on this host'
    [status_missing]='The engine lacks %s, which release %s needs.'
    [step_adopt]='Take over the old stack'
    [pf_adopt_none]='No container of the old stack in %s has a name of this stack: there is nothing to take over. Deploy without --adopt.'
    [pf_adopt_same]='The old containers belong to a Compose project that is called %s, too, and Compose would take them for ours. Start the old stack from a folder of another name first.'
    [pf_adopt_serving]='Release %s of this stack is in service already; only a stack that is not can take another one over.'
    [pf_adopt_occupied]='%s holds files already, so the old data cannot be copied there. Move them away, or choose another --root.'
    [pf_adopt_room]='Too little room for a copy of the old data in %s: %s free, %s needed, %s missing. Choose another --root.'
    [adopt_stop]='Stop the old %s and put it aside'
    [adopt_copy]='Copy %s to %s (%s) and compare'
    [adopt_differs]='%s and its copy %s differ: something wrote there meanwhile, or the disk is bad. Run this again.'
    [adopt_secret]='The old value of %s holds an apostrophe, which .env cannot. Change it in the old stack first.'
    [adopt_done]='The old containers are kept, stopped; their names end with %s. Nothing was changed in %s; remove both when you need them no longer.'
    [adopt_kept]='What was copied from the old stack is kept in %s; remove it when you need it no longer.'
    [adopt_back]='Release %s failed; the old stack in %s serves again, with its own data.'
    [adopt_not_back]='Release %s failed, and the old stack could not be started again. Its containers stand in %s: docker rename them back and docker start them.'
)
