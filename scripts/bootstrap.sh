#!/bin/sh
# Makes a machine ready for the kit, then runs the command it is given from the repository root:
#
#     sh scripts/bootstrap.sh invoke release
#     sh scripts/bootstrap.sh nox
#
# Ready means: .venv made from requirements.lock, a Docker engine that answers, and a docker client that can use
# BuildKit with it (exported as OFFLINE_DOCKER). What is there is used and left alone. What is missing is installed
# and started where that can be done: as root, with apt or dnf. Elsewhere the commands to run are printed.
#
# Exit codes: those of the command; before it 2 usage, 4 another bootstrap holds the lock, 5 the machine lacks
# something that a person must bring, 6 a step of the set-up failed. Everything it says goes to stderr.
set -eu

LOCK_SECONDS=900
STATE=.offline
# shellcheck disable=SC2034  # the parts write to it
LOG=$STATE/bootstrap.log

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
for part in venv engine packages advice; do
    # shellcheck source=/dev/null
    . "$root/scripts/bootstrap/$part.sh"
done

usage() {
    cat <<'TEXT'
usage: sh scripts/bootstrap.sh COMMAND [ARGUMENT...]

Sets up what the kit needs (.venv, a Docker engine, a client with BuildKit), then runs COMMAND
from the repository root and ends with its exit code.

  sh scripts/bootstrap.sh invoke release     build a bundle
  sh scripts/bootstrap.sh nox                run the tests
TEXT
}

main() {
    case "${1-}" in
        '') usage >&2 && exit 2 ;;
        -h | --help) usage && exit 0 ;;
    esac
    cd "$root"
    add_sbin
    refuse_windows
    refuse_unfit_named_client
    if ! ready "$1"; then
        take_lock
        set_up "$1"
        release_lock
    fi
    export PATH="$root/.venv/bin:$PATH" VIRTUAL_ENV="$root/.venv" OFFLINE_DOCKER="$client"
    unset PYTHONHOME
    exec "$@"
}

# Everything there? Reads only, takes no lock: this is all that a second run costs.
ready() {
    venv_is_current || return 1
    look_for_engine
    [ -n "$client" ] && [ -n "$api" ] && api_is_new_enough || return 1
    find_manager
    [ -z "$(missing_tools "$1")" ] || ! can_install || return 1
}

set_up() {
    find_manager
    look_for_engine
    refuse_silent_given_engine
    bring_packages "$1"
    venv_is_current || make_venv
    refuse_silent_given_engine
    [ -n "$api" ] || start_engine
    refuse_old_engine
}

# --- what people read ---

say() {
    printf 'bootstrap: %s\n' "$*" >&2
}

# fail CODE WHAT [NEXT]
fail() {
    say "$2"
    [ -z "${3-}" ] || printf '  next: %s\n' "$3" >&2
    exit "$1"
}

show_end_of() {
    printf '  the last lines of %s:\n' "$1" >&2
    tail -n 20 "$1" | sed 's/^/    /' >&2
}

# --- the machine ---

# Under a plain `su` the folders of dockerd, iptables and dpkg's helpers are not on PATH.
add_sbin() {
    case ":$PATH:" in
        *sbin:*) ;;
        *) PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin ;;
    esac
}

has() {
    command -v "$1" >/dev/null 2>&1
}

is_root() {
    [ "$(id -u)" -eq 0 ]
}

find_manager() {
    manager=''
    [ "$(uname -s)" = Linux ] || return 0
    if has apt-get; then
        manager=apt
    elif has dnf; then
        manager=dnf
    fi
}

can_install() {
    [ -n "$manager" ] && is_root
}

# --- lock: one set-up at a time ---

# The children inherit the lock on purpose: an orphaned pip or apt-get of a killed run still holds it.
take_lock() {
    (mkdir -p "$STATE" && : >>"$STATE/bootstrap.lock") 2>/dev/null ||
        fail 5 "$root/$STATE: this user may not write there" "sudo chown -R $(id -un) '$root'"
    if has flock; then
        exec 9>"$STATE/bootstrap.lock"
        flock -n 9 && return 0
        say 'another bootstrap is at work here; waiting for it'
        flock -w "$LOCK_SECONDS" 9 || fail 4 "it still is after $LOCK_SECONDS s" "see: fuser -v $STATE/bootstrap.lock"
        return 0
    fi
    take_folder_lock
}

# macOS has no flock.
take_folder_lock() {
    waited=0
    until mkdir "$STATE/bootstrap.lock.d" 2>/dev/null; do
        [ "$waited" -gt 0 ] || say 'another bootstrap is at work here; waiting for it'
        [ "$waited" -lt "$LOCK_SECONDS" ] ||
            fail 4 "it still is after $LOCK_SECONDS s" "if none is: rmdir $STATE/bootstrap.lock.d"
        sleep 1
        waited=$((waited + 1))
    done
    trap 'rmdir "$root/$STATE/bootstrap.lock.d"' EXIT
    trap 'exit 130' INT TERM HUP
}

release_lock() {
    if has flock; then
        exec 9>&-
        return 0
    fi
    trap - EXIT INT TERM HUP
    rmdir "$STATE/bootstrap.lock.d"
}

main "$@"
