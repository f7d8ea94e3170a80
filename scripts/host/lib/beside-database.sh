# shellcheck shell=bash
# A dump loaded into a fresh database beside the stack, and its rows counted.

# What runs the client in a container of MySQL's or MariaDB's. The password is in the container's environment already, and
# 127.0.0.1 is where the temporary server of a first start never listens.
# shellcheck disable=SC2016 # the container's shell expands it
DATABASE_CLIENT='client=$(command -v mariadb || command -v mysql) || exit 127
export MYSQL_PWD=${MARIADB_ROOT_PASSWORD:-$MYSQL_ROOT_PASSWORD}
exec "$client" --no-defaults --protocol=tcp --host=127.0.0.1 --user=root --default-character-set=utf8mb4 "$@"'

# Of the server's own, and never in a dump.
SERVER_DATABASES="'mysql', 'sys', 'information_schema', 'performance_schema'"

# ask_database CONTAINER WORD...: the client in it, with these words; statements on stdin.
ask_database() {
    docker exec --interactive "$1" sh -c "$DATABASE_CLIENT" sh "${@:2}"
}

# rows_in CONTAINER: `database table rows` of each table, tab-separated; the server writes the questions.
rows_in() {
    local statement quote='`'
    statement="SELECT CONCAT('SELECT ', QUOTE(table_schema), ', ', QUOTE(table_name), ', COUNT(*) FROM $quote',
        REPLACE(table_schema, '$quote', '$quote$quote'), '$quote.$quote', REPLACE(table_name, '$quote', '$quote$quote'), '$quote;')
        FROM information_schema.tables WHERE table_type IN ('BASE TABLE', 'SYSTEM VERSIONED')
        AND table_schema NOT IN ($SERVER_DATABASES)"
    ask_database "$1" --skip-column-names --batch --raw --execute="$statement" </dev/null |
        ask_database "$1" --skip-column-names --batch | sort
}

# beside_database NAME FOLDER PLACE: what the backup in FOLDER holds of NAME, in PLACE, with every row that its manifest
# counts.
beside_database() {
    local service folder owner mode container
    service=$(part_field "$1" service) folder=$(part_field "$1" place) container=$(beside_name "$1")
    read -r owner mode < <(owner_and_mode "$folder")
    lay_folder '' "$3" "$owner" "$mode"
    beside_start "$1" "$service" "$folder" "$3"
    beside_await "$1" "$service" ask_database "$container" --execute='SELECT 1'
    say beside_load "$1" "$(human_bytes "$(part_field "$1" unpacked)")"
    if ! pour "$2/$(part_field "$1" file)" ask_database "$container" >/dev/null; then
        stop_with beside_not_loaded "$1"
    fi
    rows_match "$1" "$2" "$container"
    note_first_run "$1" "$service"
    beside_stop "$1" "$service"
}

# rows_match NAME FOLDER CONTAINER
rows_match() {
    local was now
    was=$(backup_rows "$2" "$1")
    now=$(rows_in "$3")
    if [[ $was != "$now" ]]; then
        show_difference "$was" "$now"
        stop_with beside_rows "$1"
    fi
    say beside_counted "$1" "$(records "$2/manifest.tsv" table | wc -l)" "$(awk -F '\t' '{ sum += $3 } END { printf "%.0f", sum }' <<<"$was")"
}

# show_difference WAS NOW: the first lines that only one of them has: `-` only the backup, `+` only what came of it.
show_difference() {
    comm -3 --output-delimiter=$'\x1f' <(printf '%s\n' "$1") <(printf '%s\n' "$2") |
        sed -e 's/^\x1f/+ /' -e 't' -e 's/^/- /' | cut -c 1-200 | head -n 20 >&2
}

# backup_rows FOLDER NAME: the same lines from its manifest.
backup_rows() {
    records "$1/manifest.tsv" table | awk -F '\t' -v OFS='\t' -v name="$2" '$1 == name { print $2, $3, $4 }' | sort
}
