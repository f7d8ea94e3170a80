# shellcheck shell=bash disable=SC2153 # the entry scripts and the library share globals
# What was written since a backup and goes with it, in numbers: rows, keys and files now and then. Rows that were changed and
# not added cannot be told from these.

# show_losses: of the chosen parts; what cannot be asked is said, too.
show_losses() {
    local name kind place service
    while IFS=$'\t' read -r name kind _ _ place service _; do
        case $kind in
            dump) losses_of_database "$name" "$service" ;;
            rdb) losses_of_redis "$name" "$service" ;;
            files) losses_of_files "$name" "$place" ;;
        esac
    done < <(printf '%s' "${PARTS:+$PARTS$'\n'}")
}

# losses_of_database NAME SERVICE: table by table.
losses_of_database() {
    local now table rows was
    if ! now=$(rows_in "$2" 2>/dev/null); then
        warn losses_unknown "$1" "$2"
        return
    fi
    while IFS=$'\t' read -r table rows was; do
        say losses_table "$table" "$rows" "$was" $((rows > was ? rows - was : 0))
    done < <(rows_compared "$(backup_rows "$BACKUP" "$1")" "$now")
}

# rows_compared WAS NOW: `database.table rows-now rows-then` of every table that has not as many rows as then, sorted.
rows_compared() {
    awk -F '\t' -v OFS='\t' '
        NF < 3 { next }
        FILENAME == "-" { now[$1 "." $2] = $3; seen[$1 "." $2] = 1; next }
        { was[$1 "." $2] = $3; seen[$1 "." $2] = 1 }
        END { for (table in seen) if (now[table] + 0 != was[table] + 0) print table, now[table] + 0, was[table] + 0 }
    ' <(printf '%s\n' "$1") - <<<"$2" | sort
}

# losses_of_redis NAME SERVICE
losses_of_redis() {
    local number count now
    while IFS=$'\t' read -r number count _; do
        if ! now=$(keys_in "$2" "$number" 2>/dev/null); then
            warn losses_unknown "$1" "$2"
        elif ((now != count)); then
            say losses_keys "$1" "$number" "$now" "$count"
        fi
    done < <(backup_keys "$BACKUP" "$1")
}

# losses_of_files NAME PLACE: those that the backup does not have, or has with other bytes.
losses_of_files() {
    local differ=0
    if [[ -d $ROOT/$2 ]]; then
        differ=$(comm -13 <(files_of_backup "$BACKUP" "$1") <(files_in "$ROOT/$2") | wc -l)
    fi
    if ((differ)); then
        say losses_files "$1" "$differ"
    fi
}
