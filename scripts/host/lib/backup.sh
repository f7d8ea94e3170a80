# shellcheck shell=bash disable=SC2153 # the entry scripts and the library share globals
# Make a backup of what serves: backups/<id>/, which has that name only once all of it is on the disk and verified. The
# format is in docs/backup.md. Reads $FACTS, $MODE and $BUNDLE of the release in service.

WORK=           # the folder that becomes the backup
WITH_SECRETS=no # whether .env goes into it

# make_backup: a step; its name is `backup` in the state then.
make_backup() {
    local id started=$SECONDS
    id=$(date -u +%Y%m%d-%H%M%S)
    WORK=$ROOT/backups/.partial-$id
    backup_begin "$id"
    trap backup_drop EXIT
    backup_room
    backup_data
    backup_files
    backup_modules
    backup_env
    backup_seal "$id" $((SECONDS - started))
    backup_put_in_place "$id"
    backup_tell "$id" $((SECONDS - started))
}

# backup_begin ID: an empty folder of its own; what killed runs left goes.
backup_begin() {
    local place
    if ! (umask 077 && mkdir -p -- "$ROOT/backups") || ! chmod 0700 -- "$ROOT/backups"; then
        stop_with backup_folder "$ROOT/backups"
    fi
    for place in "$ROOT"/backups/.partial-*; do
        [[ ! -d $place ]] || rm -rf -- "$place"
    done
    if [[ -e $ROOT/backups/$1 ]] || ! mkdir -m 0700 -- "$WORK"; then
        stop_with backup_folder "$ROOT/backups"
    fi
    umask 077
    : >"$WORK/.records"
}

# backup_drop: half a backup is none.
backup_drop() {
    if [[ -d $WORK ]]; then
        rm -rf -- "$WORK"
    fi
}

# backup_room: twice what there is to save.
backup_room() {
    local total free
    total=$(backup_kilobytes "$FACTS")
    free=$(free_kilobytes)
    if ((free < 2 * total)); then
        stop_with backup_room "$ROOT/backups" "$(human_bytes $((free * 1024)))" "$(human_bytes $((2 * total * 1024)))" \
            "$(human_bytes $(((2 * total - free) * 1024)))"
    fi
}

free_kilobytes() {
    df -P -- "$ROOT/backups" | awk 'NR == 2 { print $4 }'
}

# backup_kilobytes FACTS: of what a backup of that release saves, as it lies there.
backup_kilobytes() {
    local kilobytes total=0 path
    while IFS= read -r path; do
        kilobytes=$(du -sk -- "$ROOT/$path" | cut -f 1)
        total=$((total + kilobytes))
    done < <(backup_places "$1")
    printf '%d' "$total"
}

# backup_places FACTS: what the host owns and has, below the root.
backup_places() {
    records "$1" mount | awk -F '\t' '$2 == "host" { print $4 }' | while IFS= read -r path; do
        [[ ! -e $ROOT/$path ]] || printf '%s\n' "$path"
    done
}

# backup_data: each data family that this mode runs, in the way of its own.
backup_data() {
    local name service family series folder
    while IFS=$'\t' read -r name service family series folder; do
        if ! has_service "$FACTS" "$MODE" "$service"; then
            warn backup_not_in_mode "$name" "$service" "$MODE" "$ROOT/shared/$folder"
            continue
        fi
        say backup_part "$name"
        backup_runs "$name" "$service" </dev/null
        case $family in
            mysql | mariadb) backup_database "$name" "$service" "$family" "$series" "$folder" </dev/null ;;
            redis) backup_redis "$name" "$service" "$family" "$series" "$folder" </dev/null ;;
            *) stop_with backup_family "$name" "$family" ;;
        esac
    done < <(records "$FACTS" data)
}

# backup_runs NAME SERVICE: its container does.
backup_runs() {
    if [[ $(docker inspect --type container --format '{{.State.Running}}' "$2" 2>/dev/null) != true ]]; then
        stop_with backup_stopped "$1" "$2"
    fi
}

# backup_modules: hot modules of the release in service as they are now, where they differ from the shipped ones.
backup_modules() {
    local folder service path change list=$WORK/.modules
    while read -r folder service; do
        while IFS=$'\t' read -r path change; do
            if [[ $change != deleted ]]; then
                printf './%s/%s\n' "$folder" "$path"
            fi
        done < <(status_drift | awk -F '\t' -v OFS='\t' -v service="$service" '$1 == service { print $2, $3 }')
    done < <(payload_folders "$FACTS") | sort >"$list"
    if [[ -s $list ]]; then
        say backup_part modules
        pack_paths modules modules "$ROOT" - <"$list"
    fi
}

# backup_env: what .env is, so that other secrets beside this data are noticed; itself only where it is asked for.
backup_env() {
    local sum
    sum=$(sha256sum <"$ROOT/.env" | cut -c 1-64)
    if [[ $WITH_SECRETS == yes ]]; then
        cat -- "$ROOT/.env" >"$WORK/env"
        record member env env env "$(stat -c %s -- "$WORK/env")" "$sum" "$(stat -c %s -- "$WORK/env")" -
    fi
    record env "$sum"
}

# backup_put_in_place ID: read once more from the disk; then it gets its name.
backup_put_in_place() {
    local file flaws
    rm -f -- "$WORK"/.[a-z]*
    for file in "$WORK"/*; do
        lasting "$file"
    done
    flaws=$(backup_flaws "$WORK")
    if [[ -n $flaws ]]; then
        printf '%s\n' "$flaws" >&2
        stop_with backup_bad
    fi
    sync
    mv -T -- "$WORK" "$ROOT/backups/$1"
    sync
    WORK=
}

# backup_tell ID SECONDS: its name for those who come after, and what is in it for people.
backup_tell() {
    local manifest=$ROOT/backups/$1/manifest.tsv kilobytes
    kilobytes=$(du -sk -- "$ROOT/backups/$1" | cut -f 1)
    state_set "backup=$1"
    say backup_made "$1" "$ROOT/backups/$1" "$(human_bytes $((kilobytes * 1024)))" \
        "$(records "$manifest" table | awk -F '\t' '{ rows += $4 } END { printf "%.0f", rows }')" \
        "$(records "$manifest" table | wc -l)" "$(records "$manifest" file | wc -l)" "$2"
    if (($(free_kilobytes) < 2 * kilobytes)); then
        warn backup_next "$ROOT/backups" "$(human_bytes $(($(free_kilobytes) * 1024)))"
    fi
}
