# shellcheck shell=bash
# Bring the services of the mode up, one after the other. Nothing is pulled or built; what did not change keeps its
# container.

up_services() {
    local -a services
    mapfile -t services < <(services_of "$FACTS" "$MODE")
    stop_others
    repair_names
    if is_in_service && [[ $LAST_RESULT == 'done' ]]; then
        up ${services[@]+"${services[@]}"}
    else
        up_one_by_one ${services[@]+"${services[@]}"}
    fi
}

# up_one_by_one SERVICE...: each works before the next one starts.
up_one_by_one() {
    local service
    for service in "$@"; do
        state_set "service=$service"
        first_run_before "$service"
        up "$service"
        repair_names
        await_service "$service"
    done
}

# is_in_service: this very release, in this mode, is the one that serves; where nothing was begun since, no order has to be
# kept.
is_in_service() {
    [[ $(state_get current) == "$(fact "$FACTS" id)" && $(state_get mode) == "$MODE" ]]
}

# up SERVICE...: makes what changed anew.
up() {
    if ! quietly compose up -d --no-deps --no-build "$@"; then
        stop_with up_failed "$*"
    fi
}

# stop_others: containers of the stack that this mode or this release does not have. Their data stays.
stop_others() {
    local id service
    while read -r id service; do
        if ! has_service "$FACTS" "$MODE" "$service"; then
            say container_stopped "$service"
            remove_container "$service" "$id"
        fi
    done < <(docker ps --all --filter "label=com.docker.compose.project=$STACK" \
        --format '{{.ID}} {{.Label "com.docker.compose.service"}}')
}

# remove_stack: its containers, the last started first (a database gets its grace), and its network.
remove_stack() {
    local service id name
    for service in $(services_of "$FACTS" "$MODE" | tac); do
        while read -r id name; do
            say container_stopped "$name"
            remove_container "$service" "$id"
        done < <(containers_of "$service")
    done
    remove_containers
}

# remove_containers: all of the stack's, and its network.
remove_containers() {
    local id service
    while read -r id service; do
        remove_container "$service" "$id"
    done < <(docker ps --all --filter "label=com.docker.compose.project=$STACK" \
        --format '{{.ID}} {{.Label "com.docker.compose.service"}}')
    for id in $(docker network ls --quiet --filter "label=com.docker.compose.project=$STACK"); do
        docker network rm "$id" >/dev/null
    done
}
