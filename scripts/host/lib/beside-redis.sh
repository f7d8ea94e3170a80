# shellcheck shell=bash
# A snapshot of Redis brought up beside the stack, and its keys counted.

# What runs the client in a container of Redis.
# shellcheck disable=SC2016 # the container's shell expands it
REDIS_CLIENT='password=${REDISCLI_AUTH:-${REDIS_PASSWORD:-}}
if [ -n "$password" ]; then export REDISCLI_AUTH="$password"; fi
exec redis-cli -h 127.0.0.1 "$@"'

# ask_redis CONTAINER WORD...
ask_redis() {
    docker exec "$1" sh -c "$REDIS_CLIENT" sh "${@:2}" </dev/null | tr -d '\r'
}

redis_answers() {
    [[ $(ask_redis "$1" ping) == PONG ]]
}

# beside_redis NAME FOLDER PLACE: the snapshot of the backup in FOLDER, in PLACE. A Redis with an append-only file reads
# that and nothing else at its start, and a snapshot alone would come up empty: so it is brought up without one, and where
# the service has one it is made from what was loaded.
beside_redis() {
    local service folder owner mode container command keeps_log
    service=$(part_field "$1" service) folder=$(part_field "$1" place) container=$(beside_name "$1")
    read -r owner mode < <(owner_and_mode "$folder")
    lay_folder '' "$3" "$owner" "$mode"
    keeps_log=$(beside_keeps_log "$1" "$service" "$folder" "$3")
    find "$3" -mindepth 1 -delete
    gzip -dc -- "$2/$(part_field "$1" file)" >"$3/dump.rdb"
    own "$3/dump.rdb" "$owner" 0600
    label_for_containers "$3"
    command=$(beside_command "$service" --appendonly no)
    beside_start "$1" "$service" "$folder" "$3" "$command"
    beside_await "$1" "$service" redis_answers "$container"
    keys_match "$1" "$2" "$container"
    if [[ $keeps_log == yes ]]; then
        beside_make_log "$1" "$container"
    fi
    beside_stop "$1" "$service"
}

# beside_keeps_log NAME SERVICE FOLDER PLACE: yes where the service, as the release starts it, keeps an append-only file.
beside_keeps_log() {
    local container
    container=$(beside_name "$1")
    beside_start "$1" "$2" "$3" "$4"
    beside_await "$1" "$2" redis_answers "$container"
    ask_redis "$container" CONFIG GET appendonly | sed -n 2p
    beside_end "$1"
}

# beside_make_log NAME CONTAINER: returns once the rewrite is done and good.
beside_make_log() {
    local said deadline=$((SECONDS + $(start_limit)))
    ask_redis "$2" CONFIG SET appendonly yes >/dev/null
    while true; do
        said=$(ask_redis "$2" INFO persistence)
        if [[ $said == *aof_rewrite_in_progress:0* && $said == *aof_rewrite_scheduled:0* ]]; then
            break
        elif ((SECONDS >= deadline)); then
            stop_with beside_not_loaded "$1"
        fi
        sleep "$PAUSE"
    done
    [[ $said == *aof_enabled:1* && $said == *aof_last_bgrewrite_status:ok* ]] || stop_with beside_not_loaded "$1"
}

# keys_match NAME FOLDER CONTAINER: of those with a time to live, some may be over since the backup.
keys_match() {
    local number count expires now was
    was=$(backup_keys "$2" "$1")
    for number in $(numbers_in "$3"); do
        if ! grep -q "^$number"$'\t' <<<"$was"; then
            stop_with beside_keys "$1" "$number" "$(keys_in "$3" "$number")" 0
        fi
    done
    while IFS=$'\t' read -r number count expires; do
        now=$(keys_in "$3" "$number")
        if ((now > count || now < count - expires)); then
            stop_with beside_keys "$1" "$number" "$now" "$count"
        fi
        say beside_keys_counted "$1" "$number" "$now"
    done < <(printf '%s' "${was:+$was$'\n'}")
}

# numbers_in CONTAINER: of its databases that hold keys.
numbers_in() {
    ask_redis "$1" INFO keyspace | sed -n 's/^db\([0-9]*\):.*/\1/p'
}

# backup_keys FOLDER NAME: `number keys keys-with-a-time-to-live` of each database, from its manifest.
backup_keys() {
    records "$1/manifest.tsv" keys | awk -F '\t' -v OFS='\t' -v name="$2" '$1 == name { print $2, $3, ($4 ~ /^[0-9]+$/ ? $4 : 0) }'
}

# keys_in CONTAINER NUMBER: keys of that database now.
keys_in() {
    ask_redis "$1" -n "$2" DBSIZE
}
