#!/usr/bin/env bash
# Take a bundle, or what of it this host lacks, from stdin behind this script; put it together in
# <root>/incoming/<top folder>. Big pieces go to <root>/blobs/sha256/<hex>.part first: there a broken transfer goes on at
# the byte. Nothing is hashed here: the bundle's own verify.sh hashes all of it, and nothing is used before.
# arrived.sh stands in front of this.
# Arguments: root, top folder. Each line of stdin is an order, its fields separated by tabs:
#   copy <path below the root> <path in the bundle>     a small file that this host has
#   tar <bytes>                                         a tar.gz of small files follows
#   piece <hex> <offset> <bytes>                        so many bytes from there on follow
#   place <hex> <path in the bundle>                    a piece, where it belongs
#   end
set -Eeuo pipefail
export LC_ALL=C
umask 022

TRANSFER_SECONDS=30
UNPACKING= # a process
PLACES=()

refuse() {
    printf '%s\n' "${*:2}"
    exit "$1"
}

# hold_lock: nobody deploys or transfers at the same time. The lock, its descriptor and what it says are those of
# scripts/host/lib/lock.sh. What a broken transfer left at work writes what it has, and ends: that is awaited.
hold_lock() {
    local pid who from since action
    exec 9>>"$ROOT/lock"
    if ! flock -n 9; then
        IFS=$'\t' read -r pid who from since action <"$ROOT/lock" || true
        if [[ ${action:-} != transfer ]] || ! flock -w "$TRANSFER_SECONDS" 9; then
            refuse 4 "another run is at work: ${action:-unknown}, by ${who:-unknown} from ${from:-unknown} since" \
                "${since:-unknown} (process ${pid:-unknown})"
        fi
    fi
    from=${SSH_CONNECTION:-local}
    printf '%s\t%s\t%s\t%s\ttransfer\n' "$$" "${SUDO_USER:-$(id -un)}" "${from%% *}" "$(date -u +%FT%TZ)" >"$ROOT/lock"
}

# make_room: what transfers of other bundles left goes, but for pieces that may be of use again.
make_room() {
    local path
    if ! same_start "$ROOT"; then
        for path in "$STAGING"/*; do
            [[ ! -f $path ]] || has_true_name "$path" || rm -f -- "$path"
        done
        start_of_host >"$ROOT/blobs/start"
    fi
    rm -rf -- "$ROOT/incoming"/*
    mkdir -p -- "$BUNDLE"
}

# folder_of PATH: made, unless it is there.
folder_of() {
    [[ -d ${1%/*} ]] || mkdir -p -- "${1%/*}"
}

# receive_tar BYTES: small files, unpacked beside what follows them.
receive_tar() {
    head -c "$1" >"$TAR.new"
    await_unpacking
    mv -- "$TAR.new" "$TAR"
    tar -xzf "$TAR" --no-same-owner -C "$BUNDLE" </dev/null &
    UNPACKING=$!
}

await_unpacking() {
    [[ -z $UNPACKING ]] || wait "$UNPACKING"
    UNPACKING=
}

# receive_piece HEX OFFSET BYTES. No process more than it takes: the stream waits for each.
receive_piece() {
    local part=$STAGING/$1.part there=0
    [[ ! -e $part ]] || there=$(stat -c %s -- "$part")
    if ((there == $2 + $3)); then
        # A broken transfer got so far after the host was asked.
        head -c "$3" >/dev/null
        return
    fi
    ((there >= $2)) || refuse 1 "$1 is not there any more as far as it was"
    if (($2)); then
        truncate --size="$2" -- "$part"
    elif [[ -e $part ]]; then
        rm -f -- "$part"
    fi
    dd bs=32K iflag=fullblock,count_bytes count="$3" oflag=append conv=notrunc of="$part" status=none
}

# place_all: each piece under the names that it has in the bundle too, so that there is no second copy on the disk.
place_all() {
    ((${#PLACES[@]} == 0)) || printf '%s\0' ${PLACES[@]+"${PLACES[@]}"} | xargs -0 -n 2 -P "$(nproc)" -- ln --
}

# place HEX PATH: to be done once all are there.
place() {
    folder_of "$BUNDLE/$2"
    PLACES+=("$STAGING/$1.part" "$BUNDLE/$2")
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
            end)
                await_unpacking
                rm -f -- "$TAR"
                place_all
                exit 0 # here: bash would go on reading stdin
                ;;
            *) refuse 1 "the order «$order» is not known" ;;
        esac
    done
    refuse 1 "the transfer broke off"
}

main() {
    ROOT=$1 BUNDLE=$1/incoming/$2 STAGING=$1/blobs/sha256 TAR=$1/incoming/files.tar.gz
    mkdir -p -- "$STAGING" "$ROOT/incoming"
    hold_lock
    make_room
    take_orders
}

main "$@"
