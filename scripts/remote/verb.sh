#!/usr/bin/env bash
# Run a script of the release in service.
# Arguments: root, the script below scripts/ of that release, its arguments.
set -Eeuo pipefail

NO_FOLDER=72

main() {
    local folder=$1/current
    [[ -f $folder/scripts/$2 ]] || exit "$NO_FOLDER"
    cd -- "$folder"
    exec bash "scripts/$2" "${@:3}" </dev/null
}

main "$@"
