# shellcheck shell=bash disable=SC2153 # the entry scripts and the library share globals
# Values that the application made on its first start lie in the database and in a file of another folder. A database from
# elsewhere with this host's file would leave services that do not know each other; that is found before anything stops.

FIRST_RUN_FOUND= # file, key and value a line, as the loaded databases have them

# note_first_run NAME SERVICE: asks the database beside the stack, as a first start asks the one in it.
note_first_run() {
    local record value
    local -a field
    while IFS= read -r record; do
        IFS=$'\t' read -r -a field <<<"$record"
        if [[ ${field[1]} == "$2" ]] && has_service "$FACTS" "$MODE" "${field[0]}"; then
            value=$(docker exec "$(beside_name "$1")" ${field[@]+"${field[@]:5}"} 2>/dev/null </dev/null) || value=
            FIRST_RUN_FOUND+="${field[2]}"$'\t'"${field[3]}"$'\t'"$value"$'\n'
        fi
    done < <(records "$FACTS" first_run)
}

# check_first_run: against the file as it will be: the restored one, or the host's own.
check_first_run() {
    local file key value has
    while IFS=$'\t' read -r file key value; do
        has=$(yaml_get "$(place_to_be "shared/$file")" "$key")
        if [[ -n $value && $has == value\ * && $has != "value $value" ]]; then
            stop_with restore_first_run "$key" "$ROOT/shared/$file"
        fi
    done < <(printf '%s' "$FIRST_RUN_FOUND")
}

# place_to_be PATH: where a file below the root lies now that will be there after the exchange.
place_to_be() {
    local place
    while IFS= read -r place; do
        if [[ $1 == "$place"/* ]]; then
            printf '%s' "$ROOT/$place.restoring-${BACKUP##*/}${1#"$place"}"
            return
        fi
    done < <(printf '%s' "${PARTS:+$PARTS$'\n'}" | cut -f 5)
    printf '%s' "$ROOT/$1"
}
