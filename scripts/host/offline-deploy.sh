#!/usr/bin/env bash
# shellcheck disable=SC2034 # the library reads what is set here
# Put this bundle into service on this host, or change nothing (docs/architecture.md, "The host").
set -Eeuo pipefail
set +o posix # a caller's POSIXLY_CORRECT turns it on, and bash 4.2 then refuses `< <(…)`

# read_arguments ARGUMENT...: sets the options.
read_arguments() {
    while (($#)); do
        case $1 in
            --root | --mode | --accept | --adopt | --lang)
                [[ -n ${2:-} ]] || usage_error option_needs_value "$1"
                read_value "$1" "$2"
                shift
                ;;
            --yes) ASSUME_YES=yes ;;
            --no-backup) BACKUP_WANTED=no ;;
            --check) CHECK_ONLY=yes ;;
            --no-firewall) FIREWALL=no ;;
            -h | --help)
                say "$USAGE"
                exit 0
                ;;
            *) usage_error option_unknown "$1" ;;
        esac
        shift
    done
}

# read_value OPTION VALUE
read_value() {
    case $1 in
        --root) ROOT=$2 ;;
        --mode) MODE=$2 ;;
        --accept) ACCEPTED+=("$2") ;;
        --adopt)
            [[ -d $2 ]] || usage_error folder_missing "$2"
            ADOPT=$(cd -- "$2" && pwd -P)
            ;;
        --lang) use_language "$2" || usage_error option_value ;;
    esac
    if [[ $1 == --lang ]]; then LANG_CHOICE=$2; fi
}

# preflight: shows every finding at once; ends with 5 where one stays refused.
preflight() {
    local kind id text refused=0
    FINDINGS=$(mktemp)
    preflight_all
    preflight_omitted
    preflight_adopt
    while IFS=$'\t' read -r kind id text; do
        if [[ $kind == refuse && " ${ACCEPTED[*]-} " == *" $id "* ]] && may_be_accepted "$id"; then
            kind=warn
            TAKEN+=("$id")
        fi
        say "finding_$kind" "$id" "$text"
        if [[ $kind == refuse ]]; then refused=$((refused + 1)); fi
    done <"$FINDINGS"
    rm -f -- "$FINDINGS"
    if ((refused)); then
        fail preflight_refused "$refused"
        exit 5
    fi
    say preflight_good
}

# settle: what the options leave open; the mode is the one in service, as long as the bundle has it.
settle() {
    STACK=$(fact "$FACTS" stack)
    ROOT=${ROOT:-$(fact "$FACTS" root)}
    [[ $ROOT == /* && $ROOT =~ ^[A-Za-z0-9/._-]+$ && $ROOT != / ]] || usage_error root_malformed "$ROOT"
    ROOT=${ROOT%/}
    ADOPT=${ADOPT:-$(state_get adopt)} # of a killed run
    if [[ -z $MODE ]]; then
        MODE=$(state_get mode)
        if [[ -z $MODE || -z $(services_of "$FACTS" "$MODE") ]]; then
            MODE=$(records "$FACTS" mode | sed -n '1s/\t.*//p')
        fi
    fi
}

# make_root: the stack's own folders; from here on this host is changed.
make_root() {
    (umask 022 && mkdir -p -- "$ROOT" "$ROOT/releases" "$ROOT/payload" "$ROOT/shared")
    (umask 077 && mkdir -p -- "$ROOT/logs")
    if [[ $LOCKED == no ]]; then
        lock_take deploy
    fi
}

deploy() {
    local id
    lock_note deploy
    for id in ${TAKEN[@]+"${TAKEN[@]}"}; do
        audit_log accepted "$id"
    done
    begin deploy "$(fact "$FACTS" id)" "$MODE"
    compose_choose
    into_service load:load_images prove:prove_images backup:backup_before adopt:adopt_old switch:switch_release up:up_services \
        health:check_health record:record_release
}

main() {
    local LIB
    BUNDLE=$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
    LIB=$BUNDLE/scripts/lib
    ROOT='' MODE='' LANG_CHOICE='' ASSUME_YES=no CHECK_ONLY=no FIREWALL=yes ADOPT='' LOCKED=no BACKUP_WANTED=yes ACTION=deploy USAGE=deploy_usage
    ACCEPTED=() TAKEN=()
    FACTS=$BUNDLE/scripts/facts.tsv
    # shellcheck source=scripts/host/lib/say.sh
    source "$LIB/say.sh"
    # shellcheck source=scripts/host/lib/host.sh
    source "$LIB/host.sh"
    use_language ''
    read_arguments "$@"
    [[ $BACKUP_WANTED == yes || $ASSUME_YES == yes ]] || usage_error no_backup_unsaid
    bash "$BUNDLE/scripts/verify.sh" ${LANG_CHOICE:+--lang "$LANG_CHOICE"} "$BUNDLE" || exit
    # shellcheck source=scripts/host/lib/facts.sh
    source "$LIB/facts.sh"
    # shellcheck source=scripts/host/lib/omitted.sh
    source "$LIB/omitted.sh"
    use_language "$LANG_CHOICE"
    find_library
    # shellcheck source=scripts/host/lib/all.sh
    source "$LIB/all.sh"
    use_language "$LANG_CHOICE"
    trap unexpected ERR
    plain_environment
    umask 022
    settle
    if [[ $CHECK_ONLY == no && -e $ROOT/lock ]]; then
        lock_take deploy
        LOCKED=yes
    fi
    preflight
    if [[ $CHECK_ONLY == yes ]]; then
        exit 0
    fi
    say plan "$(fact "$FACTS" id)" "$MODE" "$ROOT" "$(state_get current)"
    ask_person
    make_root
    start_work deploy deploy
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
    main "$@"
fi
