#!/usr/bin/env bash
# Put a former release back into service; what it needs is still on this host. Data stays as it is, or goes back, too.
# shellcheck disable=SC2034 # the library reads what is set here
set -Eeuo pipefail
set +o posix # a caller's POSIXLY_CORRECT turns it on, and bash 4.2 then refuses `< <(…)`

# choose_release: sets BUNDLE to the one asked for, or to the former one.
choose_release() {
    TO=${TO:-$(state_get former)}
    if [[ -z $TO || ! -f $ROOT/releases/$TO/scripts/facts.tsv || $TO == "$(state_get current)" ]]; then
        fail rollback_unknown "${TO:--}" "$(state_get current)"
        list_releases
        exit 2
    fi
    BUNDLE=$ROOT/releases/$TO
    FACTS=$BUNDLE/scripts/facts.tsv
    if [[ -z $(services_of "$FACTS" "$MODE") ]]; then
        MODE=$(records "$FACTS" mode | sed -n '1s/\t.*//p')
    fi
}

# list_releases: on stdout, those that were in service, the newest first.
list_releases() {
    local id
    for id in $(state_get history); do
        if [[ -d $ROOT/releases/$id && $id != "$(state_get current)" ]]; then
            printf '%s\n' "$id"
        fi
    done
}

# prove_release: images and payload, before anything stops.
prove_release() {
    prove_images
    prove_payload
}

# choose_data: the backup that goes with the release; without --with-data, whether the release can go on with the data.
choose_data() {
    local name
    if [[ $WITH_DATA == no ]]; then
        judge_data
        return
    fi
    name=$(backup_of_release "$TO")
    if [[ -z $name ]]; then
        fail rollback_no_backup "$TO" "$ROOT/backups"
        exit 5
    fi
    choose_backup "$name"
    choose_parts
    judge_backup
}

rollback() {
    local -a exchange=()
    lock_note rollback
    begin rollback "$TO" "$MODE"
    compose_choose
    if [[ $WITH_DATA == yes ]]; then
        audit_log with-data "${BACKUP##*/}"
        exchange=(beside:build_beside exchange:exchange_data)
    fi
    into_service prove:prove_release ${exchange[@]+"${exchange[@]}"} switch:switch_release up:up_services health:check_health \
        record:record_release
}

main() {
    local HERE LIB TO='' WITH_DATA=no TAKEN
    HERE=$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
    LIB=$HERE/lib ROOT='' ASSUME_YES=no ACTION=rollback USAGE=rollback_usage
    # shellcheck source=scripts/host/lib/all.sh
    source "$LIB/all.sh"
    trap unexpected ERR
    use_language ''
    while (($#)); do
        common_option "$@"
        case $1 in
            --to)
                TO=${2:-}
                TAKEN=2
                ;;
            --with-data)
                WITH_DATA=yes
                TAKEN=1
                ;;
            --yes)
                ASSUME_YES=yes
                TAKEN=1
                ;;
        esac
        ((TAKEN)) || usage_error option_unknown "$1"
        shift "$((TAKEN < $# ? TAKEN : $#))"
    done
    plain_environment
    umask 022
    find_stack "$HERE"
    lock_take rollback
    choose_release
    choose_data
    say plan "$TO" "$MODE" "$ROOT" "$(state_get current)"
    if [[ $WITH_DATA == yes ]]; then
        say rollback_data "${BACKUP##*/}" "$(backup_fact created)" "$(part_names | tr '\n' ' ')"
        show_losses
    fi
    ask_person
    start_work deploy rollback
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
    main "$@"
fi
