#!/usr/bin/env bash
# Make a verified backup of the stack while it serves.
# shellcheck disable=SC2034 # the library reads what is set here
set -Eeuo pipefail
set +o posix # a caller's POSIXLY_CORRECT turns it on, and bash 4.2 then refuses `< <(…)`

backup() {
    lock_note backup
    forget_last
    run_step backup make_backup
    if ((STEP_CODE && INTERRUPTED)); then
        backup_ended 130 interrupted backup_interrupted
    elif ((STEP_CODE)); then
        backup_ended 6 failed backup_failed
    fi
    BACKUP=$ROOT/backups/$(state_get backup)
    if [[ $DRILL == yes ]]; then
        drill_made
    fi
    run_step prune prune_backups
    if ((STEP_CODE)); then
        backup_ended 6 unpruned backup_unpruned "${BACKUP##*/}"
    elif [[ $DRILL == yes ]]; then
        backup_ended 0 'done' backup_drilled "${BACKUP##*/}"
    fi
    backup_ended 0 'done' backup_done "${BACKUP##*/}"
}

# forget_last: what the last run made, and how long its steps took.
forget_last() {
    local -a times
    mapfile -t times < <(times_before)
    state_set backup= ${times[@]+"${times[@]}"}
}

# drill_made: nothing older goes where the new one cannot be restored.
drill_made() {
    choose_parts
    if ! (judge_backup); then
        backup_ended 5 undrilled backup_undrilled "${BACKUP##*/}"
    fi
    compose_choose
    drill_backup "$BACKUP"
    if ((INTERRUPTED)); then
        backup_ended 130 interrupted backup_undrilled "${BACKUP##*/}"
    elif ((STEP_CODE)); then
        backup_ended 6 failed drill_failed "${BACKUP##*/}"
    fi
}

# read_number KIND NUMBER: how many of that kind stay, from now on.
read_number() {
    local number=-1
    if [[ ${2:-} =~ ^[0-9]{1,4}$ ]]; then
        number=$((10#$2))
    fi
    if ((number < 0)) || [[ $1 == last && $number == 0 ]]; then
        usage_error keep_number "--keep-$1"
    fi
    KEEP+=("keep_$1=$number")
}

# own_option ARGUMENT...: those that no other script has; sets TAKEN.
own_option() {
    case $1 in
        --with-secrets) WITH_SECRETS=yes TAKEN=1 ;;
        --drill) DRILL=yes TAKEN=1 ;;
        --keep-last | --keep-daily | --keep-weekly)
            read_number "${1#--keep-}" "${2:-}"
            TAKEN=2
            ;;
        --schedule)
            [[ ${2:-} =~ ^(([01][0-9]|2[0-3]):[0-5][0-9]|off)$ ]] || usage_error schedule_malformed
            SCHEDULE=$2 TAKEN=2
            ;;
    esac
}

# backup_ended CODE RESULT KEY ARGUMENT...: the last word. The state of a deploy that was killed before stays what it is.
backup_ended() {
    audit_log backup "$(state_get backup)" "$2" "$1" || warn state_unwritable "$ROOT"
    if (($1)); then fail "${@:3}"; else say "${@:3}"; fi
    exit "$1"
}

main() {
    local HERE LIB TAKEN DRILL=no SCHEDULE=''
    local -a KEEP=()
    HERE=$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
    LIB=$HERE/lib ROOT='' ACTION=backup USAGE=backup_usage
    # shellcheck source=scripts/host/lib/all.sh
    source "$LIB/all.sh"
    trap unexpected ERR
    use_language ''
    while (($#)); do
        common_option "$@"
        own_option "$@"
        ((TAKEN)) || usage_error option_unknown "$1"
        shift "$TAKEN"
    done
    plain_environment
    umask 022
    find_stack "$HERE"
    [[ -n $(state_get current) ]] || usage_error nothing_in_service
    lock_take backup
    if ((${#KEEP[@]})); then
        state_set ${KEEP[@]+"${KEEP[@]}"}
    fi
    if [[ -n $SCHEDULE ]]; then
        forget_last
        schedule_set "$SCHEDULE"
        exit 0
    fi
    start_work backup backup
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
    main "$@"
fi
