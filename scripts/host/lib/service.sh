# shellcheck shell=bash disable=SC2034,SC2153 # the entry scripts and the library share globals
# Put a release into service: the steps in order, and what happens when one fails. Runs apart from the terminal that
# started it, so that a lost connection changes nothing.

INTERRUPTED=0
LAST_RESULT=                                 # of the run before this one
UNCHANGED_UNTIL=' load prove backup beside ' # a failure of these has changed nothing that serves

# begin ACTION ID MODE: says in `state` what is about to happen.
begin() {
    local -a times
    LAST_RESULT=$(state_get result)
    mapfile -t times < <(times_before)
    state_set "action=$1" "target=$2" "target_mode=$3" "who=$(asker)" "from=$(asked_from)" "started=$(date -u +%FT%TZ)" \
        "pid=$BASHPID" step= phase= service= proved= backup= result=running exit= "log=$LOG" ${times[@]+"${times[@]}"}
    audit_log "$1" "$2" "$3" begun
}

# times_before: how state_set forgets the times of the run before.
times_before() {
    if [[ -f $ROOT/state ]]; then
        sed -n 's/^\(seconds_[a-z]*\)=.*/\1=/p' "$ROOT/state"
    fi
}

# run_steps STEP:FUNCTION...: in order, until one fails; sets STEP_CODE, and `step` of the caller to the last one.
run_steps() {
    for step in "$@"; do
        run_step "${step%%:*}" "${step#*:}"
        if ((STEP_CODE)); then
            break
        fi
    done
}

# into_service STEP:FUNCTION...: runs them all, or takes back what was begun. Ends the shell it runs in.
into_service() {
    local step
    run_steps "$@"
    if ((STEP_CODE == 0)); then
        finish 0 'done' into_service "$(fact "$FACTS" id)" "$MODE"
    elif [[ $UNCHANGED_UNTIL != *" ${step%%:*} "* ]]; then
        take_back
    elif ((INTERRUPTED)); then
        finish 130 interrupted interrupted
    elif [[ ${step%%:*} == backup ]]; then
        finish 6 unchanged unsaved
    else
        finish 6 unchanged unchanged
    fi
}

# finish CODE RESULT KEY ARGUMENT...: the last word.
finish() {
    local code=$1 result=$2
    shift 2
    if ! state_set "result=$result" "exit=$code" || ! audit_log "$(state_get action)" "$(state_get target)" "$result" "$code"; then
        warn state_unwritable "$ROOT"
    fi
    if ((code)); then fail "$@"; else say "$@"; fi
    exit "$code"
}

# apart COMMAND...: where a person looks on, in a process group of its own that no terminal ends, with its words in $LOG;
# follows it, and ends this script as it ends. Whoever interrupts the following ends the work in good order.
apart() {
    local worker reader code=0
    set -m
    (
        trap '' HUP
        work "$@"
    ) </dev/null >>"$LOG" 2>&1 &
    worker=$!
    exec 9>&- # the worker has it
    tail -f -s 0.2 --pid="$worker" -n +1 -- "$LOG" >&2 &
    reader=$!
    set +m
    trap 'kill -TERM -- "-$worker" 2>/dev/null || true' INT TERM
    trap '' HUP
    while kill -0 "$worker" 2>/dev/null; do
        code=0
        wait "$worker" || code=$?
    done
    wait "$reader" || true # it may have been ended
    exit "$code"
}

# work COMMAND...: its end can be awaited by a lock on the log, its code is then beside that.
work() {
    exec 8>>"$LOG"
    flock 8
    trap 'INTERRUPTED=1' INT TERM
    trap 'printf "%s\n" "$?" >"$LOG.exit"' EXIT
    trap unexpected ERR
    "$@"
}

# start_work ACTION COMMAND...: where the words already go to a file, there is nobody to keep it from.
start_work() {
    if [[ -f /proc/self/fd/2 ]]; then
        LOG=$(readlink /proc/self/fd/2)
        trap 'INTERRUPTED=1' INT TERM
        "${@:2}"
    else
        LOG=$ROOT/logs/$1-$(date -u +%Y%m%d-%H%M%S)-$$.log
        : >"$LOG"
        apart "${@:2}"
    fi
}
