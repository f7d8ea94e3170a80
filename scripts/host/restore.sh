#!/usr/bin/env bash
# Put the data of a backup back into service: made whole beside what serves, compared, then exchanged by renames.
# shellcheck disable=SC2034 # the library reads what is set here
set -Eeuo pipefail
set +o posix # a caller's POSIXLY_CORRECT turns it on, and bash 4.2 then refuses `< <(…)`

restore() {
    local step
    lock_note restore
    begin restore "${BACKUP##*/}" "$MODE"
    compose_choose
    run_steps beside:build_beside exchange:exchange_data up:up_services health:check_health keep:record_restore
    if ((STEP_CODE == 0)); then
        finish 0 'done' restored "${BACKUP##*/}" "$(part_names | tr '\n' ' ')" "$ROOT"
    elif [[ -f $ROOT/exchange ]]; then
        keep_service_log "restore-${BACKUP##*/}" || true # a full disk must not keep us from going back
        run_step undo put_back
        if ((STEP_CODE)); then
            finish 8 failed restore_not_back "${BACKUP##*/}" "$ROOT/exchange"
        fi
        finish 6 returned restore_back "${BACKUP##*/}"
    elif ((INTERRUPTED)); then
        finish 130 interrupted interrupted
    else
        finish 6 unchanged unchanged
    fi
}

# forget TIME: what a restore at that time has set aside.
forget() {
    local path found
    found=$(set_aside | sed -n "/-restore-$1\$/p")
    [[ -n $found ]] || usage_error nothing_set_aside "$1"
    while IFS= read -r path; do
        say forget_plan "$path"
    done <<<"$found"
    ask_person
    lock_take restore
    while IFS= read -r path; do
        rm -rf -- "$path"
        audit_log forget "$path"
    done <<<"$found"
    say forgotten "$1"
}

main() {
    local HERE LIB NAME='' FORGET='' TAKEN
    local -a ONLY=()
    HERE=$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
    LIB=$HERE/lib ROOT='' ASSUME_YES=no ACTION=restore USAGE=restore_usage
    # shellcheck source=scripts/host/lib/all.sh
    source "$LIB/all.sh"
    trap unexpected ERR
    use_language ''
    read_arguments "$@"
    plain_environment
    umask 022
    find_stack "$HERE"
    [[ -n $(state_get current) ]] || usage_error nothing_in_service
    if [[ -n $FORGET ]]; then
        forget "$FORGET"
        exit 0
    fi
    [[ -n $NAME ]] || usage_error backup_unnamed
    lock_take restore
    choose_backup "$NAME"
    choose_parts ${ONLY[@]+"${ONLY[@]}"}
    judge_backup
    say restore_plan "${BACKUP##*/}" "$(backup_fact created)" "$(backup_fact release)" "$ROOT" "$(part_names | tr '\n' ' ')"
    show_losses
    ask_person
    start_work restore restore
}

# read_arguments ARGUMENT...: sets NAME, ONLY, FORGET.
read_arguments() {
    while (($#)); do
        common_option "$@"
        case $1 in
            --only)
                [[ -n ${2:-} ]] || usage_error option_needs_value "$1"
                ONLY+=("$2")
                TAKEN=2
                ;;
            --forget)
                [[ ${2:-} =~ ^[0-9]{8}-[0-9]{6}$ ]] || usage_error option_needs_value "$1"
                FORGET=$2
                TAKEN=2
                ;;
            --yes)
                ASSUME_YES=yes
                TAKEN=1
                ;;
            -*) ;;
            *)
                if ((TAKEN == 0)) && [[ -z $NAME ]]; then
                    NAME=$1
                    TAKEN=1
                fi
                ;;
        esac
        ((TAKEN)) || usage_error option_unknown "$1"
        shift "$TAKEN"
    done
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
    main "$@"
fi
