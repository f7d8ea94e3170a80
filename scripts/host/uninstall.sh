#!/usr/bin/env bash
# Take the stack out of service: its containers and its network go; data, releases and images stay.
# shellcheck disable=SC2034 # the library reads what is set here
set -Eeuo pipefail
set +o posix # a caller's POSIXLY_CORRECT turns it on, and bash 4.2 then refuses `< <(…)`

take_out() {
    remove_stack
    schedule_off
    rm -f -- "$ROOT/current"
    state_set current= former= mode=
}

uninstall() {
    lock_note uninstall
    begin uninstall "$(state_get current)" "$MODE"
    run_step stop take_out
    if ((STEP_CODE)); then
        finish 8 failed not_uninstalled "$ROOT"
    fi
    finish 0 'done' uninstalled "$ROOT" "$ROOT/shared"
}

main() {
    local HERE LIB TAKEN
    HERE=$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
    LIB=$HERE/lib ROOT='' ASSUME_YES=no ACTION=uninstall USAGE=uninstall_usage
    # shellcheck source=scripts/host/lib/all.sh
    source "$LIB/all.sh"
    trap unexpected ERR
    use_language ''
    while (($#)); do
        common_option "$@"
        if [[ $1 == --yes ]]; then
            ASSUME_YES=yes
            TAKEN=1
        fi
        ((TAKEN)) || usage_error option_unknown "$1"
        shift "$TAKEN"
    done
    plain_environment
    find_stack "$HERE"
    [[ -n $(state_get current) ]] || usage_error nothing_in_service
    lock_take uninstall
    say uninstall_plan "$(state_get current)" "$ROOT"
    ask_person
    start_work uninstall uninstall
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
    main "$@"
fi
