# shellcheck shell=bash
# Start the engine, and go back to the former one where the new one does not start. Links in $ENGINE_HOME say where
# things stand: `current` is what the unit and the programs use, `proved` the release that started last, `former` the
# one before that. A run that was killed leaves `current` and `proved` apart.

ENGINE_SECONDS=90 # until an engine must answer
ENGINE_LOG=/var/log/dockerd.log

has_systemd() {
    [[ -d $SYSTEM/run/systemd/system ]]
}

# start_first_time: where it fails, everything goes again.
start_first_time() {
    link current "$RELEASE"
    if start_engine; then
        link proved "$RELEASE"
        return
    fi
    show_engine_log
    stop_engine
    if has_systemd; then
        systemctl disable docker 2>/dev/null
    fi
    remove_everything
    fail engine_failed
    exit 6
}

# start_again: the release that is installed already.
start_again() {
    if [[ $(linked current) == "$RELEASE" ]] && engine_runs; then
        say engine_runs_already "$RELEASE"
    elif ! switch_engine "$RELEASE"; then
        fail engine_failed_again
        exit 8
    fi
}

# upgrade_from RELEASE: containers stop with the old engine and start with the new one, as their restart policy says.
upgrade_from() {
    say engine_switching "$1" "$RELEASE"
    if switch_engine "$RELEASE"; then
        link former "$1"
        link proved "$RELEASE"
    elif switch_engine "$1"; then
        fail engine_returned "$1"
        exit 7
    else
        fail engine_not_returned "$1"
        exit 8
    fi
}

# finish_return RELEASE: what a killed upgrade left between two releases goes back to the proved one.
finish_return() {
    if [[ $(linked current) != "$1" ]]; then
        switch_engine "$1"
    fi
}

# switch_engine RELEASE: stops what runs and starts this one; its last messages are shown when it does not start.
switch_engine() {
    stop_engine
    link current "$1"
    if ! start_engine; then
        show_engine_log
        return 1
    fi
}

engine_runs() {
    timeout 10 "$SYSTEM$ENGINE_HOME/current/bin/docker" info --format '{{.ServerVersion}}' >/dev/null 2>&1
}

start_engine() {
    say engine_starting
    if has_systemd; then
        systemctl enable docker 2>/dev/null
        systemctl reset-failed docker 2>/dev/null || true # there is nothing to reset at the first start
        systemctl start --no-block docker
    else
        say engine_by_hand "$ENGINE_LOG"
        # The lock is not for the engine, which outlives this script.
        PATH=$SYSTEM$ENGINE_HOME/current/bin:$PATH setsid dockerd >>"$SYSTEM$ENGINE_LOG" 2>&1 </dev/null 9>&- &
    fi
    await_engine
}

await_engine() {
    local end=$((SECONDS + ENGINE_SECONDS))
    until engine_runs; do
        if ((SECONDS >= end)) || engine_gave_up; then
            return 1
        fi
        sleep 1
    done
}

engine_gave_up() {
    if has_systemd; then
        systemctl is-failed --quiet docker
    else
        ! kill -0 $! 2>/dev/null
    fi
}

# stop_engine: waits until it is gone.
stop_engine() {
    local pid end=$((SECONDS + ENGINE_SECONDS))
    if has_systemd; then
        systemctl stop docker
        return
    fi
    pid=$(cat "$SYSTEM/var/run/docker.pid" 2>/dev/null) || return 0
    if [[ $(cat "$PROC/$pid/comm" 2>/dev/null) != dockerd ]]; then
        return 0
    fi
    kill "$pid"
    while kill -0 "$pid" 2>/dev/null && ((SECONDS < end)); do
        sleep 1
    done
}

show_engine_log() {
    if has_systemd; then
        journalctl --no-pager --lines 20 --unit docker >&2
    else
        tail -n 20 -- "$SYSTEM$ENGINE_LOG" >&2
    fi
}
