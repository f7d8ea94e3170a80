#!/usr/bin/env bash
# What a host has, read over ssh and changing nothing: one tab-separated fact a line, «fact» first, as a host may say
# other things of its own. scripts/host/lib/stored.sh and arrived.sh stand in front of this.
# Argument: the stack's root.
set -Eeuo pipefail
export LC_ALL=C PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/sbin

fact() {
    local IFS=$'\t'
    printf 'fact\t%s\n' "$*"
}

# each KIND: a fact for each line of stdin.
each() {
    sed "s/^/fact\t$1\t/"
}

# free_bytes PATH: where it is, or will be.
free_bytes() {
    local path=$1
    while [[ ! -e $path ]]; do
        path=$(dirname -- "$path")
    done
    df --output=avail --block-size=1 -- "$path" | tail -n 1 | tr -d ' '
}

# arrived: how much of each piece earlier transfers left.
arrived() {
    local path name trusted=
    same_start . && trusted=yes
    for path in blobs/sha256/*.part; do
        if [[ -f $path ]] && { [[ $trusted ]] || has_true_name "$path"; }; then
            name=${path##*/}
            fact part "${name%.part}" "$(stat -c %s "$path")"
        fi
    done
}

# shipped_folders: where the release in service has its files.
shipped_folders() {
    printf '%s\n' "$1"
    awk -F '\t' '$1 == "mount" && $3 == "release" { split($5, part, "/"); print part[1] "/" part[2] }' \
        "$1/scripts/facts.tsv" | sort -u
}

# shipped: path and sha256 of each file there; a name that sha256sum must escape is left out.
shipped() {
    local folder
    while IFS= read -r folder; do
        if [[ -d $folder ]]; then
            find "$folder" -xdev -type f -print0
        fi
    done < <(shipped_folders "$1") | xargs -0 -r sha256sum -- |
        sed -n "s/^\([0-9a-f]\{64\}\)  /fact\tfile\t\1\t/p"
}

main() {
    local root=$1 store release=
    fact host "$(uname -n)" "$(uname -m)" "$(free_bytes "$root")"
    # shellcheck disable=SC2086 # four words: from where, port, to where, port
    set -- ${SSH_CONNECTION:-}
    fact address "${3:-}"
    store=$(image_store)
    fact store "$store"
    case $store in
        classic) stored_chains | each chain ;;
        containerd) stored_blobs | each blob ;;
    esac
    if [[ -d $root ]]; then
        cd -- "$root"
        arrived
        if release=$(readlink current); then
            fact release "${release##*/}"
            shipped "releases/${release##*/}"
        fi
    fi
    fact end
}

main "$@"
