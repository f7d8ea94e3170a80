# shellcheck shell=bash disable=SC2034,SC2153 # the entry scripts and the library share globals
# Put restored data in the place of the old by renames, or take that back. $ROOT/exchange says what is being exchanged, from
# before the first service stops until the new data is in service or the old is again:
#   mark <what `restored` in state says once it is done>
#   service <name> <restart policy>     those that are stopped meanwhile, in start order
#   place <path below the root>
# No container can start meanwhile, not even with its engine, so none ever finds an empty folder.

# build_beside: the step before: all parts, beside what is in service; or nothing of them.
build_beside() {
    local name kind place
    beside_sweep
    trap beside_sweep EXIT
    (umask 077 && mkdir -p -- "$ROOT/.beside")
    lay_shared
    while IFS=$'\t' read -r name kind _ _ place _; do
        build_part "$name" "$kind" "$BACKUP" "$ROOT/$place.restoring-${BACKUP##*/}" </dev/null
    done < <(printf '%s' "${PARTS:+$PARTS$'\n'}")
    check_first_run
    sync
    trap - EXIT
}

# build_part NAME KIND FOLDER PLACE
build_part() {
    case $2 in
        dump) beside_database "$1" "$3" "$4" ;;
        rdb) beside_redis "$1" "$3" "$4" ;;
        files) beside_files "$1" "$3" "$4" ;;
    esac
}

# exchange_data: the step. From here on a failure or a kill has to be taken back.
exchange_data() {
    local place when mark
    when=$(date -u +%Y%m%d-%H%M%S)
    mark=${BACKUP##*/}@$when
    replace_file "$ROOT/exchange" 0600 exchange_lines "$mark"
    sync
    hold_services
    while IFS= read -r place; do
        mv -T -- "$ROOT/$place" "$ROOT/$place.before-restore-$when"
        mv -T -- "$ROOT/$place.restoring-${BACKUP##*/}" "$ROOT/$place"
    done < <(records "$ROOT/exchange" place)
    sync
    let_services_start
}

# exchange_lines MARK
exchange_lines() {
    local service id
    printf 'mark\t%s\n' "$1"
    for service in $(services_to_hold); do
        id=$(containers_of "$service" | sed -n '1p')
        if [[ -n $id ]]; then
            docker inspect --format "service	$service	{{.HostConfig.RestartPolicy.Name}}" "$id"
        fi
    done
    printf '%s' "${PARTS:+$PARTS$'\n'}" | awk -F '\t' -v OFS='\t' '{ print "place", $5 }'
}

# services_to_hold: those that mount one of the places, and all that start after the first of them, as they may use it.
services_to_hold() {
    local facts service began=no
    facts=$ROOT/releases/$(state_get current)/scripts/facts.tsv
    for service in $(services_of "$facts" "$(state_get mode)"); do
        if [[ $began == yes ]] || mounts_a_part "$facts" "$service"; then
            began=yes
            printf '%s\n' "$service"
        fi
    done
}

# mounts_a_part FACTS SERVICE
mounts_a_part() {
    records "$1" mount | awk -F '\t' -v service="$2" '$1 == service && $2 == "host" { print $4 }' |
        grep -qxFf <(printf '%s\n' "$PARTS" | cut -f 5)
}

# hold_services: stopped, the last started first, and so that an engine's start does not start them.
hold_services() {
    local service ids id
    for service in $(records "$ROOT/exchange" service | cut -f 1 | tac); do
        say container_stopped "$service"
        ids=$(containers_of "$service")
        for id in $ids; do
            docker update --restart=no "$id" >/dev/null
            docker stop --time "$(stop_grace "$service")" "$id" >/dev/null
        done
    done
}

# let_services_start: as they were allowed to before.
let_services_start() {
    local service policy ids id
    while IFS=$'\t' read -r service policy; do
        ids=$(containers_of "$service")
        for id in $ids; do
            docker update --restart="${policy:-no}" "$id" >/dev/null
        done
    done < <(records "$ROOT/exchange" service)
}

# exchange_mark: what says in state that the exchange is done; nothing while there is none.
exchange_mark() {
    if [[ -f $ROOT/exchange ]]; then
        printf 'restored=%s' "$(fact "$ROOT/exchange" mark)"
    fi
}

# undo_exchange: the old data in its place again; what was restored is kept aside, as it may have been written to. Nothing
# where there is no exchange; can be done again.
undo_exchange() {
    local place when old
    if [[ ! -f $ROOT/exchange ]]; then
        return 0
    fi
    when=$(fact "$ROOT/exchange" mark)
    when=${when##*@}
    hold_services
    while IFS= read -r place; do
        old=$ROOT/$place.before-restore-$when
        if [[ -e $old && -e $ROOT/$place ]]; then
            mv -T -- "$ROOT/$place" "$ROOT/$place.after-restore-$when"
        fi
        if [[ -e $old ]]; then
            mv -T -- "$old" "$ROOT/$place"
        fi
    done < <(records "$ROOT/exchange" place | tac)
    sync
    let_services_start
}

# end_exchange: it is done, or taken back. An old folder that held nothing is not kept.
end_exchange() {
    local place when
    if [[ ! -f $ROOT/exchange ]]; then
        return 0
    fi
    when=$(fact "$ROOT/exchange" mark)
    while IFS= read -r place; do
        place=$ROOT/$place.before-restore-${when##*@}
        if [[ -d $place ]]; then
            rmdir --ignore-fail-on-non-empty -- "$place"
        fi
    done < <(records "$ROOT/exchange" place)
    rm -f -- "$ROOT/exchange"
    beside_sweep
}

# settle_exchange: at the start of whatever changes this host: what a killed run left half done is done or taken back.
settle_exchange() {
    local BUNDLE FACTS MODE
    if [[ ! -f $ROOT/exchange ]]; then
        beside_sweep
        return 0
    fi
    if [[ $(state_get restored) == "$(fact "$ROOT/exchange" mark)" ]]; then
        let_services_start
        end_exchange
        return 0
    fi
    BUNDLE=$ROOT/releases/$(state_get current)
    FACTS=$BUNDLE/scripts/facts.tsv
    MODE=$(state_get mode)
    say exchange_half "$(fact "$ROOT/exchange" mark)"
    compose_choose
    run_step undo put_back
    if ((STEP_CODE)); then
        fail exchange_not_back "$ROOT/exchange"
        exit 8
    fi
    state_set result=returned exit=6
    say exchange_back
}

# record_restore: the step that makes it so.
record_restore() {
    state_set "$(exchange_mark)"
    audit_log restore "${BACKUP##*/}" "$(part_names | tr '\n' ' ')"
    end_exchange
}

# set_aside: data that a restore has replaced, or that was taken back: the path of each, the oldest first.
set_aside() {
    local place
    while IFS= read -r place; do
        compgen -G "$ROOT/$place.before-restore-*" || true # none is no failure
        compgen -G "$ROOT/$place.after-restore-*" || true
    done < <(awk -F '\t' '$1 == "mount" && $3 == "host" && !seen[$5]++ { print $5 }' "$ROOT"/releases/*/scripts/facts.tsv)
}
