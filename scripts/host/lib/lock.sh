# shellcheck shell=bash
# One change of a host at a time: flock on $ROOT/lock, descriptor 9. Children inherit it on purpose: a `docker load` that
# outlives a killed script still holds it, and nobody starts beside it. The file says who has it.

# lock_take ACTION: or ends with code 4. Data that a killed run was exchanging is in order again afterwards.
lock_take() {
    exec 9>>"$ROOT/lock"
    if ! flock -n 9; then
        lock_is_held
        exit 4
    fi
    lock_note "$1"
    settle_exchange
}

# lock_note ACTION: says that it is this very process that has it.
lock_note() {
    printf '%s\t%s\t%s\t%s\t%s\n' "$BASHPID" "$(asker)" "$(asked_from)" "$(date -u +%FT%TZ)" "$1" >"$ROOT/lock"
}

# lock_is_held: says who works here since when, or which process of a killed run is still at it.
lock_is_held() {
    local pid who from since action holders holder
    IFS=$'\t' read -r pid who from since action <"$ROOT/lock" || true
    holders=$(lock_holders)
    if [[ " $holders " == *" $pid "* || -z $holders ]]; then
        fail locked "$action" "$who" "$from" "$since" "$pid"
        return
    fi
    holder=${holders%% *}
    fail locked_by_orphan "$action" "$who" "$from" "$since" "$(tr '\0' ' ' <"/proc/$holder/cmdline")" "$holder"
}

# lock_holders: the processes that have the lock open, this one and its children apart.
lock_holders() {
    local place pid holders=
    for place in /proc/[0-9]*/fd/9; do
        pid=${place#/proc/}
        pid=${pid%%/*}
        if [[ $pid != "$$" && $pid != "$BASHPID" && $place -ef $ROOT/lock ]]; then
            holders+=" $pid"
        fi
    done
    printf '%s' "${holders# }"
}
