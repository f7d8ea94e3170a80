#!/usr/bin/env bash
# Restart services and wait until they work.
# shellcheck disable=SC2034 # the library reads what is set here
set -Eeuo pipefail
set +o posix # a caller's POSIXLY_CORRECT turns it on, and bash 4.2 then refuses `< <(…)`

restart_services() {
    local service
    for service in $(services_of "$FACTS" "$MODE"); do
        if ((${#SERVICES[@]} == 0)) || [[ " ${SERVICES[*]} " == *" $service "* ]]; then
            state_set "service=$service"
            say restart_one "$service"
            docker restart --time "$(stop_grace "$service")" "$service" >/dev/null
            await_service "$service"
        fi
    done
}

restart() {
    lock_note restart
    begin restart "$(state_get current)" "$MODE"
    into_service restart:restart_services health:check_health
}

main() {
    local HERE LIB TAKEN
    local -a SERVICES=()
    HERE=$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
    LIB=$HERE/lib ROOT='' ACTION=restart USAGE=restart_usage
    # shellcheck source=scripts/host/lib/all.sh
    source "$LIB/all.sh"
    trap unexpected ERR
    use_language ''
    while (($#)); do
        common_option "$@"
        if ((TAKEN == 0)); then
            [[ $1 != -* ]] || usage_error option_unknown "$1"
            SERVICES+=("$1")
            TAKEN=1
        fi
        shift "$TAKEN"
    done
    plain_environment
    find_stack "$HERE"
    [[ -n $(state_get current) ]] || usage_error nothing_in_service
    require_services ${SERVICES[@]+"${SERVICES[@]}"}
    lock_take restart
    start_work restart restart
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
    main "$@"
fi
