#!/usr/bin/env bash
# Put hot modules that were edited on this host, or brought to it, into service: compiled, restarted, asked; or taken back.
# shellcheck disable=SC2034 # the library reads what is set here
set -Eeuo pipefail
set +o posix # a caller's POSIXLY_CORRECT turns it on, and bash 4.2 then refuses `< <(…)`

hot_update() {
    local step
    lock_note hot-update
    begin hot-update "$(state_get current)" "$MODE"
    run_steps compile:compile_changed replace:replace_files restart:restart_updated health:check_updated proved:keep_updated
    if ((STEP_CODE == 0)); then
        rm -rf -- "$HOT_WORK"
        last_words
        finish 0 'done' hot_done "$(hot_rows | wc -l)" "$HOT_DUE"
    elif [[ $step == compile:* || $step == replace:* ]]; then
        hot_unchanged "${step%%:*}"
    fi
    keep_service_log "hot-update-$HOT_TIME" || true # a full disk must not keep us from going back
    rm -rf -- "$HOT_WORK"
    run_step former serve_as_before
    if ((STEP_CODE)); then
        finish 8 failed hot_not_back "$ROOT/hot"
    fi
    finish 7 returned hot_back "$ROOT/drift/$HOT_TIME-rejected"
}

# hot_unchanged STEP: no service has started on anything new.
hot_unchanged() {
    rm -rf -- "$HOT_WORK"
    if [[ $1 == replace ]]; then
        run_step former take_sent_back
        if ((STEP_CODE)); then
            finish 8 failed hot_not_back "$ROOT/hot"
        fi
    fi
    if ((INTERRUPTED)); then
        finish 130 interrupted interrupted
    fi
    finish 6 unchanged unchanged
}

# read_arguments ARGUMENT...: sets the options.
read_arguments() {
    local TAKEN
    while (($#)); do
        common_option "$@"
        case $1 in
            --from)
                [[ -d ${2:-} ]] || usage_error folder_missing "${2:--}"
                SENT=$(cd -- "$2" && pwd -P)
                TAKEN=2
                ;;
            --list)
                LIST=yes
                TAKEN=1
                ;;
        esac
        if ((TAKEN == 0)); then
            [[ $1 != -* ]] || usage_error option_unknown "$1"
            NAMES+=("$1")
            TAKEN=1
        fi
        shift "$TAKEN"
    done
}

# drop_sent: what `invoke hot-update` brought here is of no use after this.
drop_sent() {
    if [[ $SENT == "$ROOT"/.hot-sent.* ]]; then
        rm -rf -- "$SENT"
    fi
}

main() {
    local HERE LIB LIST=no
    local -a NAMES=()
    HERE=$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
    LIB=$HERE/lib ROOT='' ACTION=hot-update USAGE=hot_usage
    # shellcheck source=scripts/host/lib/all.sh
    source "$LIB/all.sh"
    trap unexpected ERR
    use_language ''
    read_arguments "$@"
    plain_environment
    umask 022
    find_stack "$HERE"
    trap drop_sent EXIT
    [[ -n $(state_get current) ]] || usage_error nothing_in_service
    HOT_WORK=$ROOT/.hot-update HOT_TIME=$(date -u +%Y%m%d-%H%M%S)
    require_proved
    if [[ $LIST == yes ]]; then
        list_hot
        exit 0
    fi
    choose_hot ${NAMES[@]+"${NAMES[@]}"}
    lock_take hot-update
    plan_hot
    HOT_DUE=$(due_services)
    if [[ -z $HOT_DUE ]]; then
        say hot_nothing
        exit 0
    fi
    start_work hot-update hot_update
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
    main "$@"
fi
