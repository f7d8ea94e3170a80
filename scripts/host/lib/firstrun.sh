# shellcheck shell=bash
# Values that the application makes on its first start, carried into the file of the service that asks for them. What an
# operator has filled in is never overwritten. A running service is stopped before its file changes, so that it reads it.

# first_run_before SERVICE: every value that it needs. Where what makes them does not run in this mode, the settings that
# lead there are taken back: a server alone must not wait for a web that is not there.
first_run_before() {
    local record
    local -a field
    while IFS= read -r record; do
        IFS=$'\t' read -r -a field <<<"$record"
        if [[ ${field[4]} != "$1" ]]; then
            continue
        elif has_service "$FACTS" "$MODE" "${field[0]}"; then
            fill_in "$1" "${field[2]}" "${field[3]}" "${field[1]}" ${field[@]+"${field[@]:5}"}
            set_also "$1" "${field[2]}"
        else
            unset_also "$1" "${field[2]}"
        fi
    done < <(records "$FACTS" first_run)
}

# fill_in SERVICE FILE KEY QUERY_IN QUERY...
fill_in() {
    local value
    if [[ $(yaml_get "$ROOT/shared/$2" "$3") == unset ]]; then
        say first_run "$3" "$4"
        value=$(await_value "$3" "$4" "${@:5}")
        set_value "$1" "$2" "$3" "$value"
    fi
}

# await_value KEY QUERY_IN QUERY...: what the query says, once it says something.
await_value() {
    local deadline=$((SECONDS + $(start_limit))) value=
    while true; do
        value=$(docker exec "${@:2}" 2>/dev/null </dev/null) || value=
        case $value in
            '' | null | NULL) ;;
            *)
                printf '%s' "$value"
                return
                ;;
        esac
        if ((SECONDS >= deadline)); then
            stop_with first_run_absent "$1" "$2" "$(start_limit)"
        fi
        sleep 1
    done
}

# set_also SERVICE FILE: other keys of that file, where they are missing.
set_also() {
    local file key text
    while IFS=$'\t' read -r file key text; do
        if [[ $file == "$2" && $(yaml_get "$ROOT/shared/$file" "$key") == unset ]]; then
            set_value "$1" "$file" "$key" "$text"
        fi
    done < <(records "$FACTS" first_run_also)
}

# unset_also SERVICE FILE: those that still say what set_also has written.
unset_also() {
    local file key text
    while IFS=$'\t' read -r file key text; do
        if [[ $file == "$2" && $(yaml_get "$ROOT/shared/$file" "$key") == "value $text" ]]; then
            set_value "$1" "$file" "$key" ''
        fi
    done < <(records "$FACTS" first_run_also)
}

# set_value SERVICE FILE KEY VALUE: the value stays out of every argv.
set_value() {
    local place=$ROOT/shared/$2
    if [[ $(yaml_get "$place" "$3") == other ]]; then
        stop_with first_run_file "$place" "$3"
    fi
    if [[ -n $(docker ps --quiet --filter "name=^/$1\$") ]]; then
        # shellcheck disable=SC2034 # up.sh reads it
        ALL_RUN=no
        docker stop --time "$(stop_grace "$1")" "$1" >/dev/null
    fi
    make_parents "$place"
    [[ -e $place ]] || (umask 077 && : >"$place")
    YAML_VALUE=$4 replace_file "$place" 0600 yaml_set "$place" "$3"
}
