# shellcheck shell=bash disable=SC2153 # the entry scripts and the library share globals
# The dump of a database of MySQL's family: one snapshot, its rows counted while they flow.

# What writes the dump in a container. The password is in the container's environment already. One row a line, so that
# counting is exact; `joined_rows` joins them again. Neither client knows a limit for waiting at a lock: `stream` has one.
# shellcheck disable=SC2016 # the container's shell expands it
DATABASE_DUMP='dump=$(command -v mariadb-dump || command -v mysqldump) || exit 127
export MYSQL_PWD=${MARIADB_ROOT_PASSWORD:-$MYSQL_ROOT_PASSWORD}
gtid=
case $("$dump" --no-defaults --help) in *--set-gtid-purged*) gtid=--set-gtid-purged=OFF ;; esac
echo "inside $1 $$" >&2
shift
exec "$dump" --no-defaults --protocol=tcp --host=127.0.0.1 --user=root --default-character-set=utf8mb4 \
    --single-transaction --quick --routines --triggers --events --hex-blob --no-tablespaces --skip-extended-insert \
    --max-allowed-packet=1G $gtid --databases "$@"'
JOINED_BYTES=500000 # of an INSERT; a server takes 16 MB by default

# backup_database NAME SERVICE FAMILY SERIES FOLDER
backup_database() {
    local file=$1.sql.gz before after version names columns
    local -a databases
    version=$(database_says "$1" "$2" 'SELECT VERSION()') || exit
    names=$(database_says "$1" "$2" "SELECT schema_name FROM information_schema.schemata
        WHERE schema_name NOT IN ($SERVER_DATABASES)") || exit
    mapfile -t databases < <(printf '%s' "${names:+$names$'\n'}")
    if ((${#databases[@]} == 0)); then
        stop_with backup_no_database "$1"
    fi
    database_is_fit "$1" "$2"
    before=$(database_shape "$1" "$2") || exit
    if ! stream "$file" joined_rows docker exec "$2" sh -c "$DATABASE_DUMP" sh "$2" ${databases[@]+"${databases[@]}"}; then
        stream_failed "$1"
    fi
    after=$(database_shape "$1" "$2") || exit
    columns=$(database_columns "$1" "$2" | sha256sum) || exit
    if [[ $before != "$after" ]]; then
        stop_with backup_migrated "$1"
    fi
    record family "$1" "$2" "$3" "$4" "$version"
    record schema "$1" "${columns:0:64}"
    record_dump "$1" "$file" "shared/$5"
}

# record_dump NAME FILE PLACE: what the counting left; the last line is the dump's own word that it is whole.
record_dump() {
    local counts=$WORK/.counts
    if [[ $(fact "$counts" last) != '-- Dump completed'* || -n $(fact "$counts" odd) ]]; then
        fact "$counts" odd >&2
        stop_with backup_unfinished "$1"
    fi
    records "$counts" table | while IFS= read -r line; do
        printf 'table\t%s\t%s\n' "$1" "$line"
    done >>"$WORK/.records"
    record member "$1" dump "$2" "$(stat -c %s -- "$WORK/$2")" "$STREAM_SUM" "$(fact "$counts" bytes)" "$3"
}

# database_says NAME SERVICE STATEMENT: its answer, tab-separated; or stops with its complaint.
database_says() {
    local answer
    if ! answer=$(ask_database "$2" --skip-column-names --batch --execute="$3" </dev/null 2>&1); then
        printf '%s\n' "$answer" | tail -n 5 >&2
        stop_with backup_refused "$1" "$2"
    fi
    printf '%s' "${answer:+$answer$'\n'}"
}

# database_is_fit NAME SERVICE: every table is one that a snapshot holds for, and nobody changes tables right now.
database_is_fit() {
    local found
    found=$(database_says "$1" "$2" "SELECT CONCAT(table_schema, '.', table_name, ' (', engine, ')') FROM information_schema.tables
        WHERE table_type IN ('BASE TABLE', 'SYSTEM VERSIONED') AND engine <> 'InnoDB' AND table_schema NOT IN ($SERVER_DATABASES)" |
        tr '\n' ' ') || exit
    if [[ -n $found ]]; then
        stop_with backup_engine "$1" "$found"
    fi
    found=$(database_says "$1" "$2" 'SHOW FULL PROCESSLIST' | changes_tables) || exit
    if [[ -z $found ]]; then
        found=$(database_is_migrated "$1" "$2") || exit
    fi
    if [[ -n $found ]]; then
        stop_with backup_migrates "$1" "${found:0:200}"
    fi
}

# changes_tables: of a process list, the statement that changes tables; temporary ones are nobody else's.
changes_tables() {
    awk -F '\t' '
        { text = toupper($8); sub(/^([ (]|\\N|\\T|\/\*[^*]*\*\/)+/, "", text) }
        text ~ /^(ALTER|CREATE|DROP|RENAME|TRUNCATE|OPTIMIZE|REPAIR)[ \\]/ && text !~ /^[A-Z]+( OR REPLACE)? TEMPORARY/ { print $8; exit }'
}

# database_is_migrated NAME SERVICE: a table of Liquibase's that says so, and since when.
database_is_migrated() {
    local database table tables
    tables=$(database_says "$1" "$2" "SELECT table_schema, table_name FROM information_schema.tables
        WHERE table_name = 'DATABASECHANGELOGLOCK'") || exit
    while IFS=$'\t' read -r database table; do
        database_says "$1" "$2" "SELECT CONCAT('Liquibase: ', '$table', ', ', COALESCE(lockedby, '?'), ', ', COALESCE(lockgranted, '?'))
            FROM \`$database\`.\`$table\` WHERE locked LIMIT 1" </dev/null
    done < <(printf '%s' "${tables:+$tables$'\n'}")
}

# database_shape NAME SERVICE: one line that any change of a table changes, an emptied one's too.
database_shape() {
    {
        database_columns "$1" "$2"
        database_says "$1" "$2" "SELECT table_schema, table_name, create_time FROM information_schema.tables
            WHERE table_schema NOT IN ($SERVER_DATABASES) AND table_type <> 'VIEW'" | sort
    } | sha256sum
}

# database_columns NAME SERVICE: names and types of all tables' columns, sorted by their bytes.
database_columns() {
    database_says "$1" "$2" "SELECT table_schema, table_name, column_name, column_type FROM information_schema.columns
        WHERE table_schema NOT IN ($SERVER_DATABASES)" | sort
}

# joined_rows: a filter for a dump with one row a line: counts each table's, joins them to INSERTs of many, which load
# several times as fast, and packs it all. Counts, bytes and the last line go to .counts. A row is one line, as the
# client writes a line end as `\n`; between LOCK and UNLOCK there is nothing else, and text of triggers and routines stands
# between DELIMITERs. A table with columns that are computed is named with its columns: those rows stay apart.
joined_rows() {
    awk -v most="$JOINED_BYTES" -v counts="$WORK/.counts" '
        function put(text) { bytes += length(text); printf "%s", text }
        function close_rows() { if (open) put(";\n"); open = 0 }
        function plain(name) { name = substr(name, 2, length(name) - 2); gsub(/``/, "`", name); return name }
        $0 == "DELIMITER ;;" { apart = 1 }
        $0 == "DELIMITER ;" { apart = 0 }
        apart { put($0 "\n"); next }
        table != "" && index($0, whole) == 1 {
            rows++
            row = substr($0, length(whole), length($0) - length(whole))
            if (open && open + length(row) < most) { put(",\n" row); open += length(row) }
            else { close_rows(); put("INSERT INTO " table " VALUES\n" row); open = length(row) }
            next
        }
        { close_rows(); put($0 "\n"); if ($0 != "") last = $0 }
        table != "" && index($0, named) == 1 { rows++; next }
        table != "" && /^(INSERT|\()/ { print "odd\t" substr($0, 1, 200) >counts }
        /^USE `.*`;$/ { database = plain(substr($0, 5, length($0) - 5)) }
        /^LOCK TABLES `.*` WRITE;$/ {
            table = substr($0, 13, length($0) - 19)
            whole = "INSERT INTO " table " VALUES ("
            named = "INSERT INTO " table " ("
            rows = 0
        }
        $0 == "UNLOCK TABLES;" { printf "table\t%s\t%s\t%.0f\n", database, plain(table), rows >counts; table = "" }
        END { printf "bytes\t%.0f\nlast\t%s\n", bytes, last >counts }' | gzip -1
}
