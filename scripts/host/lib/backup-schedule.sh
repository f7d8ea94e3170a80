# shellcheck shell=bash disable=SC2153 # the entry scripts and the library share globals
# A backup every day by itself: a systemd timer, or a file of cron's where systemd is not what starts things.

SYSTEMD=/run/systemd/system # is there where it does
UNITS=/etc/systemd/system
CRON=/etc/cron.d

# schedule_name: of the units and of cron's file.
schedule_name() {
    printf '%s-backup' "$STACK"
}

# schedule_set TIME: `HH:MM` of this host's own time, or `off`. Ends with 6 where nothing here can do it.
schedule_set() {
    local name
    name=$(schedule_name)
    if [[ $1 == off ]]; then
        schedule_off
        say schedule_is_off
    elif [[ -d $SYSTEMD ]]; then
        rm -f -- "$CRON/$name"
        replace_file "$UNITS/$name.service" 0644 schedule_service
        replace_file "$UNITS/$name.timer" 0644 schedule_timer "$1"
        quietly systemctl daemon-reload
        quietly systemctl enable "$name.timer"
        quietly systemctl restart "$name.timer"
        say schedule_is_set "$1" "$UNITS/$name.timer"
    elif [[ -d $CRON ]] && cron_runs; then
        replace_file "$CRON/$name" 0644 schedule_line "$1"
        say schedule_is_set "$1" "$CRON/$name"
    else
        fail schedule_nobody
        exit 6
    fi
    audit_log schedule "$1"
}

# schedule_off: also where there is none.
schedule_off() {
    local name
    name=$(schedule_name)
    rm -f -- "$CRON/$name"
    if [[ -f $UNITS/$name.timer ]]; then
        quietly systemctl stop "$name.timer"
        quietly systemctl disable "$name.timer"
        rm -f -- "$UNITS/$name.timer" "$UNITS/$name.service"
        quietly systemctl daemon-reload
    fi
}

schedule_service() {
    printf '%s\n' '[Unit]' "Description=Backup of $STACK in $ROOT" '' '[Service]' Type=oneshot \
        "ExecStart=/usr/bin/env $(schedule_command)"
}

# schedule_command: waits an hour at most for whoever is at work.
schedule_command() {
    printf "bash -c 'flock --timeout 3600 %s true; exec bash %s'" "$ROOT/lock" "$ROOT/current/scripts/backup.sh"
}

# schedule_timer TIME: a host that was off then does it when it is on again.
schedule_timer() {
    printf '%s\n' '[Unit]' "Description=Backup of $STACK every day" '' '[Timer]' "OnCalendar=*-*-* $1:00" AccuracySec=1s \
        Persistent=true '' '[Install]' WantedBy=timers.target
}

# schedule_line TIME
schedule_line() {
    printf '%d %d * * * root %s >/dev/null 2>&1\n' "$((10#${1#*:}))" "$((10#${1%:*}))" "$(schedule_command)"
}

# cron_runs: processes come and go while this looks.
cron_runs() {
    local place name
    for place in /proc/[0-9]*/comm; do
        if { read -r name <"$place"; } 2>/dev/null && [[ $name == cron || $name == crond ]]; then
            return 0
        fi
    done
    return 1
}

# schedule_time: `HH:MM`; nothing while there is none.
schedule_time() {
    local name
    name=$(schedule_name)
    if [[ -f $UNITS/$name.timer ]]; then
        sed -n 's/^OnCalendar=\*-\*-\* \(..:..\):00$/\1/p' "$UNITS/$name.timer"
    elif [[ -f $CRON/$name ]]; then
        awk '$6 == "root" { printf "%02d:%02d\n", $2, $1 }' "$CRON/$name"
    fi
}
