#!/bin/sh
# Part of bootstrap.sh, which sources it: the commands for a person, where it cannot do the work itself.
# shellcheck disable=SC2154  # manager, client and api are facts that bootstrap.sh keeps

# print_commands PACKAGES: what a person has to run where this script cannot
print_commands() {
    case "$(uname -s)" in
        Darwin) print_macos_commands ;;
        *) print_linux_commands "$1" ;;
    esac
    printf '  then repeat the command\n' >&2
}

print_macos_commands() {
    say 'Python 3.10 or newer and Docker Desktop, running, are needed. Run:'
    has_python || echo '    brew install python@3.12' >&2
    [ -n "$client" ] || echo '    brew install --cask docker' >&2
    [ -n "$api" ] || echo '    open -a Docker' >&2
}

print_linux_commands() {
    say "this machine lacks something that only root can bring:$(lacks)"
    if [ -z "$manager" ]; then
        echo '  install Python 3.10+ with venv, and Docker 20.10+ with buildx: https://docs.docker.com/engine/install/' >&2
        return 0
    fi
    echo '  run:' >&2
    if [ -n "$1" ]; then
        [ "$manager" != apt ] || echo '    sudo apt-get update' >&2
        echo "    sudo $(install_command) $1" >&2
    fi
    [ -z "$api" ] || return 0
    if engine_is_forbidden; then
        :
    elif systemd_runs; then
        echo '    sudo systemctl enable --now docker' >&2
    else
        echo "    sudo sh -c 'nohup dockerd >/var/log/dockerd.log 2>&1 &'" >&2
    fi
    # shellcheck disable=SC2016  # for the reader's shell, not for this one
    is_root || echo '    sudo usermod -aG docker "$(id -un)"      and log in again' >&2
}

lacks() {
    has_python || printf '\n  - Python 3.10 or newer with venv'
    [ -n "$client" ] || printf '\n  - a docker client that can use BuildKit'
    if engine_is_forbidden; then
        printf '\n  - the right to use the Docker engine that is here'
    elif [ -z "$api" ]; then
        printf '\n  - a Docker engine that answers'
    fi
}

engine_is_forbidden() {
    [ -n "$client" ] && [ -z "$api" ] || return 1
    case $("$client" version 2>&1) in
        *'permission denied'*) return 0 ;;
        *) return 1 ;;
    esac
}

refuse_windows() {
    case "$(uname -s)" in
        MINGW* | MSYS* | CYGWIN*) ;;
        *) return 0 ;;
    esac
    say 'on Windows this script cannot do the set-up. Start Docker Desktop, then in PowerShell, in this folder:'
    cat >&2 <<'TEXT'
    py -3 -m venv .venv
    .venv\Scripts\python -m pip install -e .
    .venv\Scripts\invoke release
TEXT
    exit 5
}
