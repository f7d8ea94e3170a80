#!/usr/bin/env bash
# Ask one published port whether a service works; bytes must come back, as the engine's proxy accepts connections for
# nobody. `probe.sh http|websocket|greeting PORT PATH STATUS CONTAINS`: ends with 0, or with 1 and why on stdout.
# A program of its own, so that whoever asks can end it when it takes too long.
set -Eeuo pipefail

READ_SECONDS=5
MOST_BYTES=1000000
# The example of RFC 6455, 1.3: a server that understood answers this key with this word.
WEBSOCKET_KEY=dGhlIHNhbXBsZSBub25jZQ==
WEBSOCKET_ACCEPT=s3pPLMBiTxaQ9kYGzzhZRbK+xOo=

probe_failed() {
    printf '%s\n' "$*"
    exit 1
}

# ask PORT TEXT: opens descriptor 3. In one write, as a server that hangs up between two would take its answer along.
ask() {
    { exec 3<>"/dev/tcp/127.0.0.1/$1"; } 2>/dev/null || probe_failed "port $1: nobody listens"
    printf '%b' "$2" | dd bs=64k iflag=fullblock status=none >&3 2>/dev/null || probe_failed "port $1: closed at once"
}

# read_status PORT: the number of the status line.
read_status() {
    local line=
    IFS= read -r -t "$READ_SECONDS" line <&3 || true # a line without its end is told below
    [[ $line =~ ^HTTP/[0-9.]+\ ([0-9]{3}) ]] || probe_failed "port $1: no HTTP answer"
    STATUS=${BASH_REMATCH[1]}
}

# read_headers: sets ACCEPT, what the server says to the key.
read_headers() {
    local line
    ACCEPT=
    while IFS= read -r -t "$READ_SECONDS" line <&3; do
        line=${line%$'\r'}
        case ${line,,} in
            '') return ;;
            sec-websocket-accept:*) ACCEPT=${line#*:} ;;
        esac
    done
    ACCEPT=${ACCEPT// /}
}

probe_http() {
    local body
    # 1.0, so that the body comes in one piece.
    ask "$1" "GET $2 HTTP/1.0\r\nHost: 127.0.0.1:$1\r\nUser-Agent: offline-deploy\r\nConnection: close\r\n\r\n"
    read_status "$1"
    [[ $STATUS == "$3" ]] || probe_failed "port $1 $2: status $STATUS, not $3"
    if [[ -n $4 ]]; then
        read_headers
        body=$(head -c "$MOST_BYTES" <&3 | tr -d '\0')
        [[ $body == *"$4"* ]] || probe_failed "port $1 $2: the answer does not contain: $4"
    fi
}

probe_websocket() {
    ask "$1" "GET $2 HTTP/1.1\r\nHost: 127.0.0.1:$1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: $WEBSOCKET_KEY\r\nSec-WebSocket-Version: 13\r\n\r\n"
    read_status "$1"
    [[ $STATUS == 101 ]] || probe_failed "port $1 $2: status $STATUS, not 101"
    read_headers
    [[ ${ACCEPT// /} == "$WEBSOCKET_ACCEPT" ]] || probe_failed "port $1 $2: not a WebSocket handshake"
    printf '\x88\x80\0\0\0\0' >&3 2>/dev/null || true # goodbye; it may have gone before
}

# probe_greeting PORT TEXT: what the server says first.
probe_greeting() {
    local said='' letter
    ask "$1" ''
    while ((${#said} < 4096)) && IFS= read -r -d '' -n 1 -t "$READ_SECONDS" letter <&3; do
        said+=$letter
        if [[ $said == *"$2"* ]]; then
            return
        fi
    done
    probe_failed "port $1: no greeting${2:+ with: $2}"
}

main() {
    local type=$1 port=$2 path=$3 status=$4 contains=$5 STATUS ACCEPT
    trap '' PIPE
    case $type in
        http) probe_http "$port" "$path" "$status" "$contains" ;;
        websocket) probe_websocket "$port" "$path" ;;
        greeting) probe_greeting "$port" "$contains" ;;
        *) probe_failed "$type: no such probe" ;;
    esac
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
    main "$@"
fi
