#!/usr/bin/env bash
# Start a command that outlives this session: with systemd as a unit of its own, elsewhere as a session of its own. Its
# words go to <root>/logs/<name>-<time>.log, its code to the same name with `.exit`. Prints that log.
# Arguments: root, name, folder to run it in, the command.
set -Eeuo pipefail
export LC_ALL=C
umask 022

START_TENTHS=100
NO_FOLDER=72

# Both of these run in the shell that outlives this one.
# run_and_record ROOT LOG FOLDER COMMAND...: holds a lock on the log, as its children do, so that whoever waits knows the end.
# shellcheck disable=SC2329 # by name, in that shell
run_and_record() {
    local root=$1 log=$2 folder=$3 code=0 running
    shift 3
    exec {running}>>"$log"
    flock "$running"
    exec >>"$log" 2>&1 </dev/null
    (cd -- "$folder" && exec "$@") || code=$?
    tidy "$root" "$code" "${log##*/}"
    printf '%s\n' "$code" >"$log.exit.new"
    mv -- "$log.exit.new" "$log.exit"
}

# tidy ROOT CODE NAME: a bundle in service needs no copy of itself; where one did not verify, each piece has to be proved
# before it counts again (arrived.sh). Never while somebody else transfers.
# shellcheck disable=SC2329 # by name, in that shell
tidy() {
    [[ $3 == deploy-* ]] || return 0
    case $2 in
        0) flock -n "$1/lock" rm -rf -- "$1/incoming" "$1/blobs" || return 0 ;;
        3) flock -n "$1/lock" rm -f -- "$1/blobs/start" || return 0 ;;
    esac
}

program() {
    declare -f run_and_record tidy
    # shellcheck disable=SC2016 # that shell's own arguments
    printf 'run_and_record "$@"\n'
}

detached() {
    if [[ -d /run/systemd/system ]] && command -v systemd-run >/dev/null; then
        systemd-run --quiet --unit="$1" -- "${@:2}"
    else
        setsid nohup "${@:2}" </dev/null >/dev/null 2>&1 &
    fi
}

# begun LOG: it runs, or has run.
begun() {
    [[ -e $1 ]] && { [[ -e $1.exit ]] || ! flock -n "$1" true; }
}

main() {
    local root=$1 name=$2 folder=$3 log tenths=0
    shift 3
    [[ -d $folder ]] || exit "$NO_FOLDER"
    log=$root/logs/$name-$(date -u +%Y%m%d-%H%M%S)-$$.log
    (umask 077 && mkdir -p -- "$root/logs")
    detached "offline-$name-$$" env HOME="${HOME:-/root}" PATH="$PATH" SSH_CONNECTION="${SSH_CONNECTION:-}" \
        SUDO_USER="${SUDO_USER:-}" bash -c "$(program)" offline "$root" "$log" "$folder" "$@"
    until begun "$log"; do
        ((tenths++ < START_TENTHS)) || exit 1
        sleep 0.1
    done
    printf 'log\t%s\n' "${log##*/}"
}

main "$@"
