# shellcheck shell=bash disable=SC2034,SC2153 # the entry scripts and the library share globals
# A backup restored for a test: all of it, into a folder of its own, its databases started on that, and everything thrown
# away. What came of it is written into the backup's manifest.

# drill_backup FOLDER: a step with all that belongs to it; sets STEP_CODE. Never call it in a condition.
drill_backup() {
    local started=$SECONDS result=ok
    BACKUP=$1
    PARTS=$(parts_of "$1")
    run_step drill drill_parts
    if ((STEP_CODE)); then
        result=failed
    fi
    beside_sweep
    if ((! INTERRUPTED)); then
        record_drill "$1" "$result" $((SECONDS - started))
    fi
}

# drill_parts: each as a restore makes it; then what serves is started on it as the release starts it, and counted again.
drill_parts() {
    local name kind place service started
    beside_sweep
    (umask 077 && mkdir -p -- "$ROOT/.beside/drill")
    while IFS=$'\t' read -r name kind _ _ place service _; do
        started=$SECONDS
        build_part "$name" "$kind" "$BACKUP" "$ROOT/.beside/drill/$place" </dev/null
        if [[ $kind != files ]]; then
            start_part "$name" "$kind" "$service" "$place" </dev/null
        fi
        say drill_part "$name" $((SECONDS - started))
    done < <(printf '%s' "${PARTS:+$PARTS$'\n'}")
}

# start_part NAME KIND SERVICE PLACE
start_part() {
    local container
    container=$(beside_name "$1")
    beside_start "$1" "$3" "$4" "$ROOT/.beside/drill/$4"
    case $2 in
        dump)
            beside_await "$1" "$3" ask_database "$container" --execute='SELECT 1'
            rows_match "$1" "$BACKUP" "$container"
            ;;
        rdb)
            beside_await "$1" "$3" redis_answers "$container"
            keys_match "$1" "$BACKUP" "$container"
            ;;
    esac
    beside_stop "$1" "$3"
}

# record_drill FOLDER RESULT SECONDS
record_drill() {
    if ! replace_file "$1/manifest.tsv" 0600 drilled_manifest "$1/manifest.tsv" "$2" "$3"; then
        warn drill_unwritable "$1"
    fi
    audit_log drill "${1##*/}" "$2" "$3"
}

# drilled_manifest FILE RESULT SECONDS: with this drill for its last one, and sealed again.
drilled_manifest() {
    local lines
    lines=$(
        awk -F '\t' '$1 != "drill" && $1 != "sealed"' "$1"
        printf 'drill\t%s\t%s\t%s\t%s\n' "$(date -u +%FT%TZ)" "$2" "$3" "$(part_names | tr '\n' ' ' | sed 's/ $//')"
    )
    printf '%s\n' "$lines"
    printf 'sealed\t%s\n' "$(printf '%s\n' "$lines" | sha256sum | cut -c 1-64)"
}

# last_drill: when a drill last passed, and of which backup; nothing while none has.
last_drill() {
    local place
    for place in "$ROOT"/backups/[0-9]*/manifest.tsv; do
        if [[ -f $place ]]; then
            awk -F '\t' -v OFS='\t' '$1 == "id" { id = $2 } $1 == "drill" && $3 == "ok" { print $2, id }' "$place"
        fi
    done | sort | tail -n 1
}
