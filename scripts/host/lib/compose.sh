# shellcheck shell=bash
# Compose, in the flavour that made the containers: the other one would make all of them anew, the database too.

COMPOSE=() # its command
STACK_FILE=docker-compose-offline.yml

# compose_choose: sets COMPOSE. A bare host gets the plugin, where there is one.
compose_choose() {
    local made
    made=$(docker ps --all --filter "label=com.docker.compose.project=$STACK" \
        --format '{{.Label "com.docker.compose.version"}}' | sed -n '1p')
    if [[ $made == 1.* ]] && command -v docker-compose >/dev/null; then
        COMPOSE=(docker-compose)
    elif docker compose version >/dev/null 2>&1; then
        COMPOSE=(docker compose)
    else
        COMPOSE=(docker-compose)
    fi
}

# compose WORD...: on the release $BUNDLE.
compose() {
    compose_on "$STACK" "$BUNDLE/$STACK_FILE" "$@"
}

# compose_on PROJECT FILE WORD...: what the caller exports never stands in for the host's own .env.
compose_on() {
    (
        unset COMPOSE_FILE COMPOSE_PROFILES COMPOSE_PROJECT_NAME COMPOSE_ENV_FILES STACK_ROOT
        while IFS= read -r name; do
            unset "$name"
        done < <(records "$FACTS" secret)
        ${COMPOSE[@]+"${COMPOSE[@]}"} --env-file "$ROOT/.env" --project-name "$1" --file "$2" "${@:3}"
    )
}

# services_of FACTS MODE: a name a line, in start order.
services_of() {
    records "$1" mode | awk -F '\t' -v mode="$2" '$1 == mode { print $2 }' | tr ',' '\n'
}

# has_service FACTS MODE SERVICE
has_service() {
    services_of "$1" "$2" | grep -qxF -- "$3"
}

# stop_grace SERVICE: seconds that its container gets to end.
stop_grace() {
    local grace
    grace=$(records "$FACTS" service | awk -F '\t' -v name="$1" '$1 == name { print $4 }')
    printf '%s' "${grace:-10}"
}

# containers_of SERVICE: the id of each container that Compose made for it, the newest first.
containers_of() {
    docker ps --all --quiet --no-trunc --filter "label=com.docker.compose.project=$STACK" \
        --filter "label=com.docker.compose.service=$1"
}

# repair_names: of every service one container, of that name. A Compose killed while it replaced one leaves two, or one
# called `<hash>_name`; Compose itself does not mend that. Two databases on one folder never run.
repair_names() {
    local found service id name taken
    found=$(misnamed)
    while read -r service id name; do
        [[ -n $service ]] || continue
        taken=$(docker ps --all --quiet --filter "name=^/$service\$")
        if [[ -n $taken ]]; then
            say container_extra "$service" "$name"
            remove_container "$service" "$id"
        else
            say container_renamed "$name" "$service"
            docker rename "$id" "$service"
        fi
    done <<<"$found"
}

# misnamed: service, id and name of each container of the stack whose name is not its service's; the newest first.
misnamed() {
    docker ps --all --no-trunc --filter "label=com.docker.compose.project=$STACK" \
        --format '{{.Label "com.docker.compose.service"}} {{.ID}} {{.Names}}' | awk '$1 != $3'
}

# remove_container SERVICE ID: ends it in good order; its data is in folders of the host's.
remove_container() {
    docker stop --time "$(stop_grace "$1")" "$2" >/dev/null
    docker rm "$2" >/dev/null
}
