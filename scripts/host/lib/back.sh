# shellcheck shell=bash disable=SC2034,SC2153 # the entry scripts and the library share globals
# Take a failed change back: the former release as it was, with its own health; nothing is done to data.

# take_back STEP: ends with 7 (the former release serves), 6 (there was none; the stack is stopped) or 8 (needs a hand).
take_back() {
    local failed current
    failed=$(fact "$FACTS" id)
    keep_service_log "$failed" || true # a full disk must not keep us from going back
    current=$(state_get current)
    if [[ -z $current && -f $ROOT/adopted ]]; then
        run_step back give_back
        if ((STEP_CODE)); then
            finish 8 failed adopt_not_back "$failed" "$ROOT/adopted"
        fi
        finish 7 returned adopt_back "$failed" "$ADOPT"
    elif [[ -z $current ]]; then
        stop_first
    elif [[ $current == "$failed" && $(state_get mode) == "$MODE" ]]; then
        finish 8 failed back_is_same "$current"
    else
        BUNDLE=$ROOT/releases/$current
        FACTS=$BUNDLE/scripts/facts.tsv
        MODE=$(state_get mode)
        say back_start "$failed" "$current"
        run_step back put_back
        if ((STEP_CODE)); then
            finish 8 failed back_failed "$failed" "$current" "$ROOT/logs"
        fi
        finish 7 returned back_done "$failed" "$current"
    fi
}

# put_back: the compose file, payload and images of the former release are all still there; and its data, where that was
# exchanged.
put_back() {
    rm -rf -- "$ROOT"/payload/.partial-* "$ROOT"/releases/.partial-*
    undo_exchange
    lay_shared
    point_current "$(fact "$FACTS" id)"
    up_services
    check_health
    end_exchange
    state_set deploy_backup=
}

# stop_first: a first deploy has nothing to go back to. Its containers go, or the engine's next start would start them.
stop_first() {
    run_step stop remove_stack
    if ((STEP_CODE)); then
        finish 8 failed first_not_stopped "$ROOT"
    fi
    rm -f -- "$ROOT/current"
    finish 6 failed first_stopped "$ROOT/shared"
}

# keep_service_log RELEASE: of the service that failed, on the screen and in logs/.
keep_service_log() {
    local service file
    service=$(state_get service)
    file=$ROOT/logs/$1-$service.log
    if [[ -z $service ]] || ! docker inspect "$service" >/dev/null 2>&1; then
        return 0
    fi
    say service_log "$service" "$file"
    docker logs --timestamps --tail 1000 "$service" >"$file" 2>&1
    tail -n 20 -- "$file" | cut -c 1-400 >&2
}
