#!/usr/bin/env bash
# Take a bundle, or what of it this host lacks, from stdin behind this script; put it together in
# <root>/incoming/<top folder>. Big pieces go to <root>/blobs/sha256 first: there a broken transfer goes on at the byte,
# and a piece has its name only once it hashed to it.
# Arguments: root, top folder. Each line of stdin is an order, its fields separated by tabs:
#   copy <path below the root> <path in the bundle>     a small file that this host has
#   tar <bytes>                                         a tar.gz of small files follows
#   piece <hex> <offset> <bytes>                        so many bytes from there on follow
#   place <hex> <path in the bundle>                    a piece, where it belongs
#   end
set -Eeuo pipefail
export LC_ALL=C
umask 022

refuse() {
    printf '%s\n' "${*:2}"
    exit "$1"
}

# hold_lock: nobody deploys or transfers at the same time. The lock, its descriptor and what it says are those of
# scripts/host/lib/lock.sh.
hold_lock() {
    local pid who from since action
    exec 9>>"$ROOT/lock"
    if ! flock -n 9; then
        IFS=$'\t' read -r pid who from since action <"$ROOT/lock" || true
        refuse 4 "another run is at work: ${action:-unknown}, by ${who:-unknown} from ${from:-unknown} since" \
            "${since:-unknown} (process ${pid:-unknown})"
    fi
    from=${SSH_CONNECTION:-local}
    printf '%s\t%s\t%s\t%s\ttransfer\n' "$$" "${SUDO_USER:-$(id -un)}" "${from%% *}" "$(date -u +%FT%TZ)" >"$ROOT/lock"
}

# make_room: what transfers of other bundles left goes, but for pieces that may be of use again.
make_room() {
    mkdir -p -- "$ROOT/blobs/sha256" "$ROOT/incoming"
    rm -rf -- "$ROOT/incoming"/*
    mkdir -p -- "$BUNDLE"
}

# folder_of PATH: made, unless it is there.
folder_of() {
    [[ -d ${1%/*} ]] || mkdir -p -- "${1%/*}"
}

receive_tar() {
    head -c "$1" >"$STAGING/files.part"
    tar -xzf "$STAGING/files.part" --no-same-owner -C "$BUNDLE"
    rm -f -- "$STAGING/files.part"
}

# receive_piece HEX OFFSET BYTES: hashed while it flows.
receive_piece() {
    local part=$STAGING/$1.part sum
    if (($2 == 0)); then
        : >"$part"
    fi
    sum=$({
        head -c "$2" -- "$part"
        head -c "$3" | tee -a -- "$part"
    } | sha256sum)
    (($(stat -c %s -- "$part") == $2 + $3)) || refuse 1 "the transfer broke off"
    if [[ ${sum%% *} != "$1" ]]; then
        rm -f -- "$part"
        refuse 3 "$1 arrived with other bytes"
    fi
    mv -- "$part" "$STAGING/$1"
}

# place HEX PATH: the same file under both names, so that there is no second copy on the disk.
place() {
    folder_of "$BUNDLE/$2"
    ln -- "$STAGING/$1" "$BUNDLE/$2"
}

copy() {
    folder_of "$BUNDLE/$2"
    cp -p -- "$ROOT/$1" "$BUNDLE/$2"
}

take_orders() {
    local order first second third
    while IFS=$'\t' read -r order first second third; do
        case $order in
            copy) copy "$first" "$second" ;;
            tar) receive_tar "$first" ;;
            piece) receive_piece "$first" "$second" "$third" ;;
            place) place "$first" "$second" ;;
            end) exit 0 ;; # here: bash would go on reading stdin
            *) refuse 1 "the order «$order» is not known" ;;
        esac
    done
    refuse 1 "the transfer broke off"
}

main() {
    ROOT=$1 BUNDLE=$1/incoming/$2 STAGING=$1/blobs/sha256
    mkdir -p -- "$ROOT"
    hold_lock
    make_room
    take_orders
}

main "$@"
