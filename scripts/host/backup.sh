#!/usr/bin/env bash
# Make a verified backup of the stack while it serves.
# shellcheck disable=SC2034 # the library reads what is set here
set -Eeuo pipefail
set +o posix # a caller's POSIXLY_CORRECT turns it on, and bash 4.2 then refuses `< <(…)`

backup() {
    local -a times
    lock_note backup
    mapfile -t times < <(times_before)
    state_set backup= ${times[@]+"${times[@]}"}
    run_step backup make_backup
    if ((STEP_CODE && INTERRUPTED)); then
        backup_ended 130 interrupted backup_interrupted
    elif ((STEP_CODE)); then
        backup_ended 6 failed backup_failed
    fi
    backup_ended 0 'done' backup_done "$(state_get backup)"
}

# backup_ended CODE RESULT KEY ARGUMENT...: the last word. The state of a deploy that was killed before stays what it is.
backup_ended() {
    audit_log backup "$(state_get backup)" "$2" "$1" || warn state_unwritable "$ROOT"
    if (($1)); then fail "${@:3}"; else say "${@:3}"; fi
    exit "$1"
}

main() {
    local HERE LIB TAKEN
    HERE=$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
    LIB=$HERE/lib ROOT='' ACTION=backup USAGE=backup_usage
    # shellcheck source=scripts/host/lib/all.sh
    source "$LIB/all.sh"
    trap unexpected ERR
    use_language ''
    while (($#)); do
        common_option "$@"
        case $1 in
            --with-secrets)
                WITH_SECRETS=yes
                TAKEN=1
                ;;
        esac
        ((TAKEN)) || usage_error option_unknown "$1"
        shift "$TAKEN"
    done
    plain_environment
    umask 022
    find_stack "$HERE"
    [[ -n $(state_get current) ]] || usage_error nothing_in_service
    lock_take backup
    start_work backup backup
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
    main "$@"
fi
