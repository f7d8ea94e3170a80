#!/bin/bash
# Runs redis-server on /data as user redis (999:999), with the arguments of the container's command.
set -Eeuo pipefail

readonly DATA=/data

main() {
    local -a command=("$@")
    if [[ $# -eq 0 || $1 == -* || $1 == *.conf ]]; then
        command=(redis-server "$@")
    fi
    if [[ ${command[0]} != redis-server || ${command[1]-} == --version || ${command[1]-} == --help ]]; then
        exec "${command[@]}"
    fi
    serve "${command[@]:1}"
}

# Redis alone would refuse every client from outside the container while it has no password; the official
# image's build leaves that off, a command line says the same. Whoever brings a configuration file decides there.
serve() {
    local -a mode=(--protected-mode no)
    if [[ ${1-} == *.conf ]]; then
        mode=()
    fi
    umask 0077
    cd "${DATA}"
    if [[ $(id -u) == 0 ]]; then
        find . ! -user redis -exec chown redis:redis {} +
        exec setpriv --reuid=redis --regid=redis --init-groups redis-server ${mode[@]+"${mode[@]}"} "$@"
    fi
    exec redis-server ${mode[@]+"${mode[@]}"} "$@"
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
    main "$@"
fi
