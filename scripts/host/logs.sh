#!/usr/bin/env bash
# What the services say.
# shellcheck disable=SC2034 # the library reads what is set here
set -Eeuo pipefail
set +o posix # a caller's POSIXLY_CORRECT turns it on, and bash 4.2 then refuses `< <(…)`

main() {
    local HERE LIB TAKEN
    local -a words=(--timestamps --no-color) services=() tail=(--tail 100)
    HERE=$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
    LIB=$HERE/lib ROOT='' USAGE=logs_usage
    # shellcheck source=scripts/host/lib/all.sh
    source "$LIB/all.sh"
    trap unexpected ERR
    use_language ''
    while (($#)); do
        common_option "$@"
        case $1 in
            --follow | -f)
                words+=(--follow)
                TAKEN=1
                ;;
            --tail)
                [[ ${2:-} =~ ^([0-9]+|all)$ ]] || usage_error option_needs_value "$1"
                tail=(--tail "$2")
                TAKEN=2
                ;;
            [!-]*)
                services+=("$1")
                TAKEN=1
                ;;
        esac
        ((TAKEN)) || usage_error option_unknown "$1"
        shift "$TAKEN"
    done
    plain_environment
    find_stack "$HERE"
    [[ -n $(state_get current) ]] || usage_error nothing_in_service
    require_services ${services[@]+"${services[@]}"}
    compose_choose
    compose logs ${words[@]+"${words[@]}"} "${tail[@]}" ${services[@]+"${services[@]}"}
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
    main "$@"
fi
