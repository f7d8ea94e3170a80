# shellcheck shell=bash
# Steps, and how one that fails is told from one that was never begun.

STEP_CODE=0 # of the last step

# run_step NAME FUNCTION: in a shell of its own, where any failure ends it; sets STEP_CODE. Never call it in a condition:
# bash would not stop at failures then. `state` says before and after how far things are.
run_step() {
    local started=$SECONDS
    say "step_$1"
    if ! state_set "step=$1" phase=begin; then
        STEP_CODE=1
        return
    fi
    trap - ERR
    set +e
    (
        set -e
        trap unexpected ERR
        "$2"
    )
    STEP_CODE=$?
    set -e
    trap unexpected ERR
    if ((STEP_CODE == 0)) && ! state_set phase=end "seconds_$1=$((SECONDS - started))"; then
        STEP_CODE=1
    fi
}

# stop_with KEY ARGUMENT...: an expected failure of a step, told to people.
stop_with() {
    fail "$@"
    exit 1
}

# quietly COMMAND...: what it says is shown when it fails, and only then.
quietly() {
    local output code=0
    output=$("$@" 2>&1 </dev/null) || code=$?
    if ((code)); then
        printf '%s\n' "$output" >&2
    fi
    return "$code"
}
