# shellcheck shell=bash
# What `status` tells of backups: how old the last good one is, and whether more come by themselves.

BACKUP_STALE=172800 # seconds after which the last good one is too old

# last_backup: its name, and how many seconds ago it was made; nothing while there is none.
last_backup() {
    local name made
    for name in $(list_backups); do
        if backup_stands "$ROOT/backups/$name"; then
            made=$(date -u -d "$(fact "$ROOT/backups/$name/manifest.tsv" created)" +%s)
            printf '%s\t%s' "$name" "$(($(date +%s) - made))"
            return
        fi
    done
}

status_backup_text() {
    local name age when
    IFS=$'\t' read -r name age < <(last_backup) || true # none yet
    if [[ -z $name ]]; then
        alarm status_no_backup
    elif ((age > BACKUP_STALE)); then
        alarm status_backup "$(ago "$age" 2>&1)" "$name"
    else
        say status_backup "$(ago "$age" 2>&1)" "$name"
    fi
    when=$(schedule_time)
    if [[ -n $when ]]; then
        say status_schedule "$when"
    else
        say status_no_schedule
    fi
}

# ago SECONDS: in the words of people.
ago() {
    if (($1 >= 86400)); then
        say ago_days $(($1 / 86400))
    elif (($1 >= 3600)); then
        say ago_hours $(($1 / 3600))
    else
        say ago_minutes $(($1 > 0 ? $1 / 60 : 0))
    fi
}

# status_backup_json: a field of the object, with its comma before it.
status_backup_json() {
    local name='' age=''
    IFS=$'\t' read -r name age < <(last_backup) || true # none yet
    printf ',"backup":{"last":%s,"age_seconds":%s,"stale":%s,"schedule":%s}' "$(json_text "$name")" "${age:-null}" \
        "$(if [[ -z $name ]] || ((age > BACKUP_STALE)); then printf true; else printf false; fi)" "$(json_text "$(schedule_time)")"
}
