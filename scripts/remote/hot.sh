#!/usr/bin/env bash
# Take files for a hot update from stdin behind this script, a tar.gz with the paths that they have in a bundle, into a folder
# of their own. The release's own hot-update.sh takes them from there, and removes it.
# Arguments: root, name of that folder.
set -Eeuo pipefail
export LC_ALL=C
umask 077

A_DAY=1440 # minutes after which what a broken connection left is of no use

main() {
    local folder=$1/$2
    find "$1" -maxdepth 1 -name '.hot-sent.*' -mmin +$A_DAY -exec rm -rf {} +
    mkdir -- "$folder"
    tar -xzf - --no-same-owner -C "$folder"
    exit 0 # here: bash would go on reading stdin
}

main "$@"
