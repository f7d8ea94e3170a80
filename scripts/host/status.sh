#!/usr/bin/env bash
# How the stack is: release, services, ports, disk, what was edited on this host, what is missing. Changes nothing.
# shellcheck disable=SC2034 # the library reads what is set here
set -Eeuo pipefail
set +o posix # a caller's POSIXLY_CORRECT turns it on, and bash 4.2 then refuses `< <(…)`

main() {
    local HERE LIB TAKEN JSON=no
    HERE=$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
    LIB=$HERE/lib ROOT='' USAGE=status_usage
    # shellcheck source=scripts/host/lib/all.sh
    source "$LIB/all.sh"
    trap unexpected ERR
    use_language ''
    while (($#)); do
        common_option "$@"
        if [[ $1 == --json ]]; then
            JSON=yes
            TAKEN=1
        fi
        ((TAKEN)) || usage_error option_unknown "$1"
        shift "$TAKEN"
    done
    plain_environment
    find_stack "$HERE"
    if [[ $JSON == yes ]]; then
        status_json
    else
        status_text
    fi
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
    main "$@"
fi
