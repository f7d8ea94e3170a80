# shellcheck shell=bash
# Whether the services work: by their containers, and by what comes back from their published ports.

IN_A_ROW=3       # whole rounds without a flaw
PAUSE=0.5        # seconds between rounds
MOST_RESTARTS=3  # more of them and a container will not come up
SETTLED=7        # seconds that a container must run which has neither health check nor probe
PROBE_SECONDS=10 # for one answer

# start_limit: seconds that services get to become healthy.
start_limit() {
    local limit
    limit=$(fact "$FACTS" start_limit)
    printf '%s' "${limit:-300}"
}

# await_service SERVICE: or stops with what is wrong with it.
await_service() {
    local flaw first deadline=$((SECONDS + $(start_limit)))
    state_set "service=$1"
    first=$(restarts_of "$1")
    while true; do
        flaw=$(flaw_of_service "$1")
        if [[ -z $flaw ]]; then
            return
        elif ((SECONDS >= deadline || $(restarts_of "$1") - first >= MOST_RESTARTS)); then
            stop_with health_failed "$1" "$flaw"
        fi
        sleep "$PAUSE"
    done
}

# check_health: all services of the mode, some rounds in a row, none restarted meanwhile.
check_health() {
    local round=0 flaw now before deadline=$((SECONDS + $(start_limit)))
    before=$(starts)
    while ((round < IN_A_ROW)); do
        flaw=$(flaw_of_stack)
        now=$(starts)
        if [[ -z $flaw && $now == "$before" ]]; then
            round=$((round + 1))
        elif ((SECONDS >= deadline)); then
            state_set "service=${flaw%%$'\t'*}"
            stop_with health_failed "${flaw%%$'\t'*}" "${flaw#*$'\t'}"
        else
            round=0 before=$now
        fi
        sleep "$PAUSE"
    done
    state_set service=
}

# flaw_of_stack: `service<TAB>what is wrong` of the first that is not well.
flaw_of_stack() {
    local service flaw
    for service in $(services_of "$FACTS" "$MODE"); do
        flaw=$(flaw_of_service "$service")
        if [[ -n $flaw ]]; then
            printf '%s\t%s' "$service" "$flaw"
            return
        fi
    done
}

# flaw_of_service SERVICE: nothing when it is well.
flaw_of_service() {
    local type port path status contains probes flaw
    probes=$(probes_of "$1")
    flaw=$(flaw_of_container "$1" "${probes:+probed}")
    while [[ -z $flaw ]] && IFS=$'\t' read -r type port path status contains _; do
        flaw=$(flaw_of_port "$type" "$port" "$path" "$status" "$contains")
    done < <(printf '%s' "${probes:+$probes$'\n'}")
    printf '%s' "$flaw"
}

# probes_of SERVICE: those that are asked in this mode, the version's included.
probes_of() {
    awk -F '\t' -v OFS='\t' -v service="$1" -v mode="$MODE" '
        ($1 == "probe" || $1 == "version_probe") && $2 == service && ($8 == "-" || index("," $8 ",", "," mode ",")) {
            print $3, $4, $5, $6, $7, $8
        }' "$FACTS"
}

# flaw_of_container SERVICE PROBED: by what the engine says.
flaw_of_container() {
    local status health restarts started
    if ! read -r status health restarts started < <(docker inspect --format \
        '{{.State.Status}} {{if .State.Health}}{{.State.Health.Status}}{{else}}none{{end}} {{.RestartCount}} {{.State.StartedAt}}' \
        "$1" 2>/dev/null); then
        printf 'no container'
    elif [[ $status != running ]]; then
        printf 'container %s, restarted %s times' "$status" "$restarts"
    elif [[ $health != none && $health != healthy ]]; then
        printf 'container %s' "$health"
    elif [[ $health == none && -z $2 ]] && (($(date +%s) - $(date -d "$started" +%s) < SETTLED)); then
        printf 'started just now'
    fi
}

# flaw_of_port TYPE PORT PATH STATUS CONTAINS
flaw_of_port() {
    local said code=0 contains=$5
    [[ $contains != - ]] || contains=
    said=$(timeout -k 1 "$PROBE_SECONDS" bash "$LIB/probe.sh" "$1" "$2" "$3" "$4" "$contains" 2>&1) || code=$?
    if ((code)); then
        printf '%s' "${said:-port $2: no answer in $PROBE_SECONDS s}"
    fi
}

# restarts_of SERVICE: a number, also while there is no container.
restarts_of() {
    docker inspect --format '{{.RestartCount}}' "$1" 2>/dev/null || printf '0'
}

# starts: changes whenever a container of the mode starts.
starts() {
    local service
    for service in $(services_of "$FACTS" "$MODE"); do
        docker inspect --format '{{.Id}} {{.RestartCount}} {{.State.StartedAt}}' "$service" 2>/dev/null || printf 'absent\n'
    done
}
