#!/usr/bin/env bash
# Take a bundle, or what of it this host lacks, from stdin behind this script; put it together in
# <root>/incoming/<top folder>. Big pieces go to <root>/blobs/sha256 first: there a broken transfer goes on at the byte,
# and a piece has its name only once it hashed to it. The next ones arrive meanwhile: no hash holds the stream up.
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
PATIENCE=2 # seconds, and one more for each PATIENT_BYTES
PATIENT_BYTES=$((100 << 20))
TIMED_OUT=124 # timeout(1)
WORKING=()    # processes, of which the first AWAITED have been waited for
AWAITED=0
PLACES=()

refuse() {
    printf '%s\n' "${*:2}"
    exit "$1"
}

# hold_lock: nobody deploys or transfers at the same time. The lock, its descriptor and what it says are those of
# scripts/host/lib/lock.sh. What a broken transfer left at work hashes what it has, and ends: that is awaited.
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
    rm -rf -- "$ROOT/incoming"/* "$BUSY"
    mkdir -p -- "$BUNDLE"
}

# folder_of PATH: made, unless it is there.
folder_of() {
    [[ -d ${1%/*} ]] || mkdir -p -- "${1%/*}"
}

# receive_tar BYTES: small files, unpacked beside what follows them.
receive_tar() {
    local part=$STAGING/files.${#WORKING[@]}.part
    head -c "$1" >"$part"
    unpack "$part" </dev/null &
    WORKING+=("$!")
}

unpack() {
    tar -xzf "$1" --no-same-owner -C "$BUNDLE"
    rm -f -- "$1"
}

# receive_piece HEX OFFSET BYTES: into its place of arrival, then hashed beside what follows it.
receive_piece() {
    local part=$STAGING/$1.part
    if [[ -f $STAGING/$1 ]] && (($(bytes_of "$STAGING/$1") == $2 + $3)); then
        # A broken transfer got so far after the host was asked.
        head -c "$3" >/dev/null
        return
    fi
    if (($2)); then
        (($(bytes_of "$part") >= $2)) || refuse 1 "$1 is not there any more as far as it was"
        truncate --size="$2" -- "$part"
    else
        : >"$part"
    fi
    dd bs=32K iflag=fullblock,count_bytes count="$3" oflag=append conv=notrunc of="$part" status=none
    await_work "$AT_ONCE"
    prove "$1" "$(($2 + $3))" </dev/null &
    WORKING+=("$!")
}

bytes_of() {
    stat -c %s -- "$1" 2>/dev/null || printf 0
}

# prove HEX BYTES: a piece gets its name once it hashes to it; one that does not is removed, so that it is sent again. One
# that is shorter stays: the transfer broke off, and the next one goes on there.
prove() {
    local part=$STAGING/$1.part
    if ! is_sum "$1" "$(sum_when_idle "$part" "$2")"; then
        (($(bytes_of "$part") == $2)) || exit 1
        if ! is_sum "$1" "$(sum_with_openssl <"$part")" && ! is_sum "$1" "$(sha256sum <"$part")"; then
            rm -f -- "$part"
            refuse 3 "$1 arrived with other bytes"
        fi
    fi
    mv -- "$part" "$STAGING/$1"
}

# sum_when_idle PATH BYTES: gives way to everything, as holding sshd up by a few milliseconds now and then costs more than
# the hash itself. On a host that leaves it nothing for so long it says nothing, and nobody tries again.
sum_when_idle() {
    [[ ! -e $BUSY ]] || return 0
    timeout "$((PATIENCE + $2 / PATIENT_BYTES))" chrt -i 0 openssl dgst -sha256 -r <"$1" 2>/dev/null ||
        [[ $? != "$TIMED_OUT" ]] || : >"$BUSY"
}

# await_work COUNT: until fewer than so many are at work at once; 1: until none is. Those that met what should not be have
# said so.
await_work() {
    local code=0
    while ((${#WORKING[@]} - AWAITED >= $1)); do
        wait "${WORKING[AWAITED]}" || code=$?
        ((++AWAITED))
    done
    ((code == 0)) || exit "$code"
}

# place_all: each piece under the names that it has in the bundle too, so that there is no second copy on the disk.
place_all() {
    await_work 1
    ((${#PLACES[@]} == 0)) || printf '%s\0' ${PLACES[@]+"${PLACES[@]}"} | xargs -0 -n 2 -P "$AT_ONCE" -- ln --
}

# place HEX PATH: to be done once all are proved.
place() {
    folder_of "$BUNDLE/$2"
    PLACES+=("$STAGING/$1" "$BUNDLE/$2")
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
                place_all
                exit 0 # here: bash would go on reading stdin
                ;;
            *) refuse 1 "the order «$order» is not known" ;;
        esac
    done
    refuse 1 "the transfer broke off"
}

main() {
    ROOT=$1 BUNDLE=$1/incoming/$2 STAGING=$1/blobs/sha256
    AT_ONCE=$(nproc) BUSY=$1/incoming/.busy
    mkdir -p -- "$STAGING" "$ROOT/incoming"
    hold_lock
    make_room
    take_orders
}

main "$@"
