# shellcheck shell=bash disable=SC2153 # the entry scripts and the library share globals
# The snapshot of a Redis. It holds everything whether the service keeps an append-only file or not; that one is not touched.

REDIS_LIMIT=600       # seconds for a snapshot
PROVING=-backup-proof # what the name of the throw-away server ends with

# backup_redis NAME SERVICE FAMILY SERIES FOLDER
backup_redis() {
    local folder file version
    version=$(redis_says "$1" "$2" INFO server | sed -n 's/^redis_version://p') || exit
    redis_snapshot "$1" "$2"
    folder=$(redis_says "$1" "$2" CONFIG GET dir | sed -n 2p) || exit
    file=$(redis_says "$1" "$2" CONFIG GET dbfilename | sed -n 2p) || exit
    if ! stream "$1.rdb" as_it_is docker exec "$2" cat -- "$folder/$file"; then
        stream_failed "$1"
    fi
    record family "$1" "$2" "$3" "$4" "$version"
    redis_counts "$1" "$2"
    pack_snapshot "$1" "shared/$5"
}

# pack_snapshot NAME PLACE
pack_snapshot() {
    local bytes
    bytes=$(stat -c %s -- "$WORK/$1.rdb")
    if ! stream "$1.rdb.gz" packed cat -- "$WORK/$1.rdb"; then
        stream_failed "$1"
    fi
    rm -f -- "$WORK/$1.rdb"
    record member "$1" rdb "$1.rdb.gz" "$(stat -c %s -- "$WORK/$1.rdb.gz")" "$STREAM_SUM" "$bytes" "$2"
}

# redis_says NAME SERVICE WORD...: its answer; or stops with its complaint. redis-cli ends with 0 after an error, too.
redis_says() {
    local answer
    if ! answer=$(ask_redis "${@:2}" 2>&1) || [[ $answer == *ERR\ * || $answer == *NOAUTH* || $answer == *WRONGPASS* ]]; then
        printf '%s\n' "$answer" | tail -n 5 >&2
        stop_with backup_refused "$1" "$2"
    fi
    printf '%s\n' "$answer"
}

# redis_snapshot NAME SERVICE: a new one, begun after now, done and good. LASTSAVE counts whole seconds, so this begins in a
# second after the last one's.
redis_snapshot() {
    local last deadline=$((SECONDS + REDIS_LIMIT))
    redis_await "$1" "$2" "$deadline" redis_is_idle
    last=$(redis_says "$1" "$2" LASTSAVE) || exit
    redis_await "$1" "$2" "$deadline" redis_is_after "$last"
    redis_says "$1" "$2" BGSAVE SCHEDULE >/dev/null
    redis_await "$1" "$2" "$deadline" redis_has_saved "$last"
    if [[ $(redis_says "$1" "$2" INFO persistence) != *rdb_last_bgsave_status:ok* ]]; then
        stop_with backup_bgsave "$1" "$2"
    fi
}

# redis_await NAME SERVICE DEADLINE CONDITION WORD...
redis_await() {
    until "$4" "$1" "$2" "${@:5}"; do
        if ((SECONDS >= $3)); then
            stop_with backup_bgsave "$1" "$2"
        fi
        sleep 0.1
    done
}

redis_is_idle() {
    local said
    said=$(redis_says "$1" "$2" INFO persistence)
    [[ $said == *rdb_bgsave_in_progress:0* ]]
}

# redis_is_after NAME SERVICE SECOND: by its own clock.
redis_is_after() {
    (($(redis_says "$1" "$2" TIME | sed -n 1p) > $3))
}

# redis_has_saved NAME SERVICE SECOND: later than then; or it has tried, and failed.
redis_has_saved() {
    local said
    said=$(redis_says "$1" "$2" INFO persistence)
    if [[ $said == *rdb_bgsave_in_progress:1* ]]; then
        return 1
    fi
    [[ $said == *rdb_last_bgsave_status:err* ]] || (($(redis_says "$1" "$2" LASTSAVE) > $3))
}

# redis_counts NAME SERVICE: the keys of the copy, as a throw-away server of the same image counts them; it also shows that
# the copy can be read. What the live one says belongs to another moment.
redis_counts() {
    local name=$STACK$PROVING image memory code=0 deadline=$((SECONDS + REDIS_LIMIT))
    docker rm --force --volumes "$name" >/dev/null 2>&1 || true # of a killed run
    read -r image memory < <(docker inspect --format '{{.Image}} {{.HostConfig.Memory}}' "$2")
    label_for_containers "$WORK/$1.rdb"
    docker run --detach --name "$name" --network none --memory "$memory" --entrypoint redis-server \
        --volume "$WORK/$1.rdb:/backup/dump.rdb:ro" "$image" --dir /backup --dbfilename dump.rdb --save '' --appendonly no >/dev/null
    until redis_answers "$name" 2>/dev/null; do
        if ((SECONDS >= deadline)) || [[ $(docker inspect --format '{{.State.Running}}' "$name") != true ]]; then
            docker logs --tail 5 "$name" >&2
            code=1
            break
        fi
        sleep 0.1
    done
    if ((code == 0)); then
        redis_says "$1" "$name" INFO keyspace | sed -n 's/^db\([0-9]*\):keys=\([0-9]*\),expires=\([0-9]*\).*/\1 \2 \3/p' >"$WORK/.keys"
    fi
    docker rm --force --volumes "$name" >/dev/null
    ((code == 0)) || stop_with backup_snapshot_bad "$1"
    record_keys "$1"
}

record_keys() {
    local number count expires
    while read -r number count expires; do
        record keys "$1" "$number" "$count" "$expires"
    done <"$WORK/.keys"
}
