# shellcheck shell=bash disable=SC2153 # the entry scripts and the library share globals
# A service of the release beside the stack: the same image, environment, command and limits on another folder, in a
# Compose project of its own, with no port and no network. What a backup holds is put together there, while the stack
# serves on. All of it is thrown away afterwards; only the folder stays.

# beside_name NAME: of the container.
beside_name() {
    printf '%s-beside-%s' "$STACK" "$1"
}

# beside_start NAME SERVICE FOLDER PLACE [COMMAND]: its container, with PLACE where it mounts FOLDER of the root.
beside_start() {
    local file=$ROOT/.beside/$1.yml
    beside_end "$1"
    (umask 077 && mkdir -p -- "$ROOT/.beside")
    BESIDE_COMMAND=${5:-} beside_file "$1" "$2" "$3" "$4" >"$file"
    if ! quietly compose_on "$STACK-beside" "$file" up -d --no-build; then
        stop_with beside_failed "$2"
    fi
}

# beside_file NAME SERVICE FOLDER PLACE: the release's own Compose file, cut down to that service.
beside_file() {
    awk -v name="$(beside_name "$1")" -v service="$2" -v mount="\"\${STACK_ROOT:?}/$3\"" -v place="$4" '
        BEGIN { print "services:" }
        /^[^ #]/ { inside = 0 }
        /^  [^ #]/ { inside = $0 == "  " service ":" }
        !inside || !NF || /^    (container_name|restart|depends_on|ports):/ { next }
        /^    command:/ && ENVIRON["BESIDE_COMMAND"] != "" { next }
        $1 == "source:" && $2 == mount { print "        source: \"" place "\""; next }
        { print }
        END {
            print "    container_name: " name
            print "    network_mode: none"
            if (ENVIRON["BESIDE_COMMAND"] != "") print "    command: " ENVIRON["BESIDE_COMMAND"]
        }' "$BUNDLE/$STACK_FILE"
}

# beside_command SERVICE WORD...: the command of that service, as JSON, with these words after it.
beside_command() {
    local command word
    command=$(awk -v service="$1" '
        /^  [^ #]/ { inside = $0 == "  " service ":" }
        inside && sub(/^    command: /, "") { print }' "$BUNDLE/$STACK_FILE")
    if [[ -z $command ]]; then
        command=$(docker image inspect --format '{{json .Config.Cmd}}' "$(image_of "$1")" | sed 's/\$/$$/g')
    fi
    for word in "${@:2}"; do
        command=${command%?}
        command+=", \"$word\"]"
    done
    printf '%s' "$command"
}

# image_of SERVICE: the content tag that it runs.
image_of() {
    local role
    role=$(records "$FACTS" service | awk -F '\t' -v name="$1" '$1 == name { print $2 }')
    records "$FACTS" image | awk -F '\t' -v role="$role" '$1 == role { print $2 }'
}

# beside_await NAME SERVICE COMMAND...: until the command succeeds; it must not end before.
beside_await() {
    local deadline=$((SECONDS + $(start_limit))) container
    container=$(beside_name "$1")
    until "${@:3}" >/dev/null 2>&1; do
        if [[ $(docker inspect --format '{{.State.Running}}' "$container") != true ]] || ((SECONDS >= deadline)); then
            docker logs --tail 20 "$container" 2>&1 | cut -c 1-400 >&2
            stop_with beside_failed "$2"
        fi
        sleep "$PAUSE"
    done
}

# beside_stop NAME SERVICE: in good order, so that what it wrote is whole; or it is of no use.
beside_stop() {
    local container code
    container=$(beside_name "$1")
    docker stop --time "$(stop_grace "$2")" "$container" >/dev/null
    code=$(docker inspect --format '{{.State.ExitCode}}' "$container")
    if ((code)); then
        docker logs --tail 20 "$container" 2>&1 | cut -c 1-400 >&2
        stop_with beside_unclean "$2" "$code"
    fi
    beside_end "$1"
}

# beside_end NAME: the container goes, however it is.
beside_end() {
    local container
    container=$(docker ps --all --quiet --filter "name=^/$(beside_name "$1")\$")
    if [[ -n $container ]]; then
        docker rm --force --volumes "$container" >/dev/null
    fi
}

# beside_sweep: what a killed run left beside the stack: containers, and folders that were never in service. While no
# engine answers nothing goes: the next run sees by $ROOT/.beside that there is something to sweep.
beside_sweep() {
    local containers container place
    if [[ ! -d $ROOT/.beside ]] || ! containers=$(beside_containers 2>/dev/null); then
        return 0
    fi
    for container in $containers; do
        docker rm --force --volumes "$container" >/dev/null
    done
    while IFS= read -r place; do
        rm -rf -- "$ROOT/$place".restoring-*
    done < <(awk -F '\t' '$1 == "mount" && $3 == "host" && !seen[$5]++ { print $5 }' "$ROOT"/releases/*/scripts/facts.tsv)
    rm -rf -- "$ROOT/.beside"
}

# beside_containers: their ids, whatever became of them.
beside_containers() {
    docker ps --all --quiet --filter "label=com.docker.compose.project=$STACK-beside"
}

# pour FILE COMMAND...: what it packs goes into the command's stdin; shows how much of the file has been read.
pour() {
    local pidfile=$ROOT/.beside/pour total job code=0
    total=$(stat -c %s -- "$1")
    rm -f -- "$pidfile"
    (
        # shellcheck disable=SC2016 # the inner bash expands them
        bash -c 'printf "%s" "$$" >"$1" && exec gzip -dc -- "$2"' bash "$pidfile" "$1" | "${@:2}"
    ) &
    job=$!
    while kill -0 "$job" 2>/dev/null; do
        if progress_is_due; then
            progress "$(bytes_read "$pidfile" "$total")" "$total"
        fi
        sleep 0.1
    done
    progress_end
    wait "$job" || code=$?
    return "$code"
}
