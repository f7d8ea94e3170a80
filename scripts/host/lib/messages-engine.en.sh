# shellcheck shell=bash disable=SC2034 # say.sh reads it
# The sentences of install-docker-centos.sh in English.
declare -gA MESSAGES
MESSAGES+=(
    [engine_usage]='usage: sudo ./install-docker-centos.sh [--upgrade] [--data-root DIR] [--lang zh|en]

Installs the Docker engine and Compose that this bundle brings. It needs no internet and no package manager.
  --upgrade        replace an engine that this script installed earlier; if the new one does not start, the old one returns
  --data-root DIR  where images and containers lie, /var/lib/docker otherwise
Ends with 0 (done), 2 (used wrongly), 3 (a file is not as released), 4 (another run is at work), 5 (refused, nothing
changed), 6 (failed, nothing left), 7 (failed, the former engine is back), 8 (failed, needs a hand) or 1 (unexpected).'
    [engine_data_root_value]='--data-root takes an absolute path without quotes and backslashes'
    [engine_left_out]='This bundle leaves the engine out, as a host with the release that it counts on has one. For a host without an engine take the full bundle; where this one was made, that is: invoke package --id %s'
    [engine_not_brought]='There are no files of an engine here. Run this in the unpacked bundle; if that has no folder engine/, have one made with it (invoke fetch-engine).'
    [engine_file_bad]='%s: missing, or not as it was released'
    [engine_files_bad]='Not the files that were released, each named above; nothing was changed on this host. Copy the bundle again.'
    [engine_refused]='Nothing was changed on this host.'
    [engine_podman]='podman-docker is installed: its command docker is Podman. Remove it first: yum remove podman-docker'
    [engine_other]='Another Docker engine is here: %s. Use that one, or remove it first (its images and containers stay in /var/lib/docker).'
    [engine_room]='Too little room for %s: %s free, %s needed, %s missing. Free some.'
    [engine_settings]='%s exists and names another folder than %s. Change "data-root" there by hand, then leave --data-root out.'
    [engine_locked]='Another run of this script is at work. Wait until it has ended.'
    [engine_other_release]='The engine %s is installed here, and this bundle brings %s. To replace it: --upgrade (containers stop for a moment). Nothing was changed.'
    [engine_unpacking]='Unpacking engine %s'
    [engine_lacks]='The tarball lacks %s'
    [engine_unusable]='The engine of this bundle does not run here; see above. Nothing was changed on this host.'
    [engine_settings_kept]='%s is there already and stays as it is.'
    [engine_program_kept]='%s is another program and stays as it is.'
    [engine_runs_already]='Engine %s is installed and runs.'
    [engine_switching]='Replacing engine %s by %s'
    [engine_starting]='Starting the engine'
    [engine_by_hand]='There is no systemd: the engine is started by hand and will not come back after a reboot by itself. Log: %s'
    [engine_failed]='The engine did not start; its last messages are above. Everything that was installed is gone again.'
    [engine_failed_again]='The engine did not start; its last messages are above. There is no former one to return to. See: journalctl -u docker'
    [engine_returned]='The new engine did not start; its last messages are above. The former one, %s, is back in service.'
    [engine_not_returned]='Neither the new engine nor the former one, %s, starts. See: journalctl -u docker, /etc/docker/daemon.json; then run the same command again.'
    [engine_done]='Engine %s is in service: %s. Next: sudo ./offline-deploy.sh'
)
