#!/usr/bin/env bash
# Print a log as it grows, until what writes it has ended; end with its code. Whoever loses this may ask again.
# Arguments: root, name of the log or the name that such logs begin with, number of the first line wanted.
# Before the log a line `log <name>`; after it `step <name> <seconds>` for each that the host timed, `backup <id>` where one
# was made, and `end <code> <release in service> <its mode>`. Fields are separated by tabs.
set -Eeuo pipefail
export LC_ALL=C

NO_LOG=71
NO_END=70

# newest ROOT NAME: their names hold their times.
newest() {
    local log found=
    for log in "$1/logs/$2"*.log; do
        if [[ -f $log ]]; then
            found=$log
        fi
    done
    [[ -n $found ]] && printf '%s' "$found"
}

# timed STATE CODE: the steps in their order; a run that was refused has timed none of its own.
timed() {
    if [[ -f $1 ]] && (($2 == 0 || $2 >= 6)); then
        sed -n 's/^seconds_\([^=]*\)=\(.*\)/step\t\1\t\2/p' "$1" | tac
        sed -n 's/^backup=\(.*\)/backup\t\1/p' "$1"
    fi
}

main() {
    local root=$1 log waiter code=$NO_END release mode
    log=$(newest "$root" "${2%.log}") || exit "$NO_LOG"
    printf 'log\t%s\n' "${log##*/}"
    flock --shared "$log" true &
    waiter=$!
    # It looks once more after the waiter has gone, so that the last lines are not lost.
    tail --sleep-interval=0.2 --pid="$waiter" --lines="+$3" --follow -- "$log"
    if [[ -f $log.exit ]]; then
        code=$(<"$log.exit")
    fi
    timed "$root/state" "$code"
    release=$(readlink "$root/current") || release=
    mode=$(sed -n 's/^mode=//p' "$root/state" 2>/dev/null) || mode=
    printf 'end\t%s\t%s\t%s\n' "$code" "${release##*/}" "$mode"
    exit "$code"
}

main "$@"
