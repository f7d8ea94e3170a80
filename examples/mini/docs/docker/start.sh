#!/bin/bash
# Starts the API, then nginx. When either ends, the container ends: the engine restarts it whole.
set -Eeuo pipefail

stop() {
    trap - TERM INT
    kill "${api}" "${nginx}" 2>/dev/null || :
    wait
}

main() {
    local api nginx status=0
    cd /app
    python3 -m manager_api &
    api=$!
    nginx -g 'daemon off;' &
    nginx=$!
    trap 'stop; exit 0' TERM INT
    wait -n || status=$?
    echo "start.sh: the API or nginx ended with ${status}" >&2
    stop
    exit 1
}

main
