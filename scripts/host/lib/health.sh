# shellcheck shell=bash
# Whether the services work: by their containers, and by what comes back from their published ports.

IN_A_ROW=3       # whole rounds without a flaw
PAUSE=0.5        # seconds between rounds
MOST_RESTARTS=3  # more of them and a container will not come up
SETTLED=7        # seconds that a container must run which has neither health check nor probe
PROBE_SECONDS=10 # for one answer
SEEN=            # what `look` saw

# start_limit: seconds that services get to become healthy.
start_limit() {
    local limit
    limit=$(fact "$FACTS" start_limit)
    printf '%s' "${limit:-300}"
}

# await_service SERVICE: or stops with what is wrong with it.
await_service() {
    local flaw first='' restarts deadline=$((SECONDS + $(start_limit)))
    state_set "service=$1"
    while true; do
        look "$1"
        flaw=$(flaw_of_service "$1")
        restarts=$(seen "$1" 4)
        first=${first:-${restarts:-0}}
        if [[ -z $flaw ]]; then
            return
        elif ((SECONDS >= deadline || ${restarts:-0} - first >= MOST_RESTARTS)); then
            stop_with health_failed "$1" "$flaw"
        fi
        sleep "$PAUSE"
    done
}

# check_health: all services of the mode.
check_health() {
    local -a services
    mapfile -t services < <(services_of "$FACTS" "$MODE")
    await_services ${services[@]+"${services[@]}"}
}

# await_services SERVICE...: until they are well some rounds in a row, none restarted meanwhile; or stops with what is wrong.
await_services() {
    local round=0 flaw before='' deadline=$((SECONDS + $(start_limit)))
    while true; do
        look "$@"
        flaw=$(flaw_of_stack "$@")
        if [[ -n $flaw || $(starts) != "$before" ]]; then
            round=0 before=$(starts)
        fi
        round=$((round + 1))
        if [[ -z $flaw ]] && ((round >= IN_A_ROW)); then
            break
        elif ((SECONDS >= deadline)); then
            state_set "service=${flaw%%$'\t'*}"
            stop_with health_failed "${flaw%%$'\t'*}" "${flaw#*$'\t'}"
        fi
        sleep "$PAUSE"
    done
    state_set service=
}

# flaw_of_stack SERVICE...: `service<TAB>what is wrong` of the first that is not well.
flaw_of_stack() {
    local service flaw
    for service in "$@"; do
        flaw=$(flaw_of_service "$service")
        if [[ -n $flaw ]]; then
            printf '%s\t%s' "$service" "$flaw"
            return
        fi
    done
}

# flaw_of_service SERVICE: nothing when it is well. By what was seen, and what its ports answer.
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

# look SERVICE...: sets SEEN to what the engine says of these containers; one that is absent is not in it.
look() {
    SEEN=$(docker inspect --type container --format '{{.Name}} {{.State.Status}} {{if .State.Health}}{{.State.Health.Status}}{{else}}-{{end}} {{.RestartCount}} {{.State.StartedAt}} {{.Config.Image}} {{.ID}}' "$@" 2>/dev/null) || true
}

# seen SERVICE FIELD: one field of it: 2 state, 3 health (- where it has no check), 4 restarts, 5 since when, 6 image.
seen() {
    awk -v name="/$1" -v field="$2" '$1 == name { print $field }' <<<"$SEEN"
}

# starts: changes whenever one of the containers starts.
starts() {
    awk '{ print $1, $4, $5, $7 }' <<<"$SEEN"
}

# flaw_of_container SERVICE PROBED
flaw_of_container() {
    local state health
    state=$(seen "$1" 2) health=$(seen "$1" 3)
    if [[ -z $state ]]; then
        printf 'no container'
    elif [[ $state != running ]]; then
        printf 'container %s, restarted %s times' "$state" "$(seen "$1" 4)"
    elif [[ $health != - && $health != healthy ]]; then
        printf 'container %s' "$health"
    elif [[ $health == - && -z $2 ]] && (($(date +%s) - $(date -d "$(seen "$1" 5)" +%s) < SETTLED)); then
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
