# shellcheck shell=bash
# Bring the services of the mode up: each works before the next one starts. Nothing is pulled or built; what did not
# change keeps its container.

ALL_RUN=no # whether every service of the mode runs already: then none waits for another

up_services() {
    local service
    local -a services
    mapfile -t services < <(services_of "$FACTS" "$MODE")
    stop_others
    repair_names
    make_containers ${services[@]+"${services[@]}"}
    look ${services[@]+"${services[@]}"}
    ALL_RUN=$(awk -v count="${#services[@]}" '$2 == "running" { count-- } END { print count ? "no" : "yes" }' <<<"$SEEN")
    for service in ${services[@]+"${services[@]}"}; do
        first_run_before "$service"
        if [[ $ALL_RUN == no ]]; then
            state_set "service=$service"
            start_container "$service"
            await_service "$service"
        fi
    done
}

# make_containers SERVICE...: makes what changed anew, and starts nothing. All of them in one call: Compose up to 2.26 takes
# a dependency that a call does not name out of the hash by which it knows what changed.
make_containers() {
    if ! quietly compose up --no-start --no-deps --no-build "$@"; then
        stop_with up_failed "$*"
    fi
    repair_names
}

# start_container SERVICE: unless it runs.
start_container() {
    if ! quietly docker start "$1"; then
        stop_with up_failed "$1"
    fi
}

# stop_others: containers of the stack that this mode or this release does not have. Their data stays.
stop_others() {
    local found id service
    found=$(stack_containers)
    while read -r id service; do
        if [[ -n $id ]] && ! has_service "$FACTS" "$MODE" "$service"; then
            say container_stopped "$service"
            remove_container "$service" "$id"
        fi
    done <<<"$found"
}

# remove_stack: its containers, the last started first (a database gets its grace), and its network.
remove_stack() {
    local service ids id
    for service in $(services_of "$FACTS" "$MODE" | tac); do
        ids=$(containers_of "$service")
        for id in $ids; do
            say container_stopped "$service"
            remove_container "$service" "$id"
        done
    done
    remove_containers
}

# remove_containers: all of the stack's, and its network.
remove_containers() {
    local found ids id service
    found=$(stack_containers)
    while read -r id service; do
        [[ -z $id ]] || remove_container "$service" "$id"
    done <<<"$found"
    ids=$(docker network ls --quiet --filter "label=com.docker.compose.project=$STACK")
    for id in $ids; do
        docker network rm "$id" >/dev/null
    done
}

# stack_containers: `id service` of each of the stack's, running or not. Taken before it is gone through: while no engine
# answers there is a failure, and not nothing to do.
stack_containers() {
    docker ps --all --filter "label=com.docker.compose.project=$STACK" --format '{{.ID}} {{.Label "com.docker.compose.service"}}'
}
