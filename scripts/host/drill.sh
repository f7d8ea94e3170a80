#!/usr/bin/env bash
# Restore a backup for a test, beside the stack and with no port, and throw it away: only that shows that it can be restored.
# shellcheck disable=SC2034 # the library reads what is set here
set -Eeuo pipefail
set +o posix # a caller's POSIXLY_CORRECT turns it on, and bash 4.2 then refuses `< <(…)`

drill() {
    lock_note drill
    begin drill "${BACKUP##*/}" "$MODE"
    compose_choose
    drill_backup "$BACKUP"
    if ((INTERRUPTED)); then
        finish 130 interrupted drill_interrupted
    elif ((STEP_CODE)); then
        finish 6 failed drill_failed "${BACKUP##*/}"
    fi
    finish 0 'done' drilled "${BACKUP##*/}" "$(part_names | tr '\n' ' ')"
}

main() {
    local HERE LIB NAME='' TAKEN
    HERE=$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
    LIB=$HERE/lib ROOT='' ACTION=drill USAGE=drill_usage
    # shellcheck source=scripts/host/lib/all.sh
    source "$LIB/all.sh"
    trap unexpected ERR
    use_language ''
    while (($#)); do
        common_option "$@"
        if ((TAKEN == 0)); then
            [[ $1 != -* && -z $NAME ]] || usage_error option_unknown "$1"
            NAME=$1
            TAKEN=1
        fi
        shift "$TAKEN"
    done
    plain_environment
    umask 022
    find_stack "$HERE"
    [[ -n $(state_get current) ]] || usage_error nothing_in_service
    NAME=${NAME:-$(backup_to_drill)}
    [[ -n $NAME ]] || usage_error backup_unnamed
    lock_take drill
    choose_backup "$NAME"
    choose_parts
    judge_backup
    start_work drill drill
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
    main "$@"
fi
