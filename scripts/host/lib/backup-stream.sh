# shellcheck shell=bash disable=SC2034 # progress_is_due reads it
# What flows into a backup: hashed while it is written, watched while it flows, and every stage asked how it ended.

SILENCE=60 # seconds without a byte after which a source is given up: it waits for a lock that nobody lets go

# record WORD...: a line of the manifest to come; `-` for an empty field.
record() {
    local word line=
    for word in "$@"; do
        line+=$'\t'${word:--}
    done
    printf '%s\n' "${line#$'\t'}" >>"$WORK/.records"
}

# stream FILE FILTER COMMAND...: what the command says, through the filter, into a file of the backup. Fails where any
# stage fails; the last words of the command are in .words then. Sets STREAM_SUM. The filter is a function without arguments.
stream() {
    local file=$WORK/$1 source sink code=0 sink_code=0
    rm -f -- "$WORK/.pipe"
    mkfifo -- "$WORK/.pipe"
    "${@:3}" >"$WORK/.pipe" 2>"$WORK/.words" </dev/null &
    source=$!
    "$2" <"$WORK/.pipe" 2>"$WORK/.sink" | tee -- "$file" 2>>"$WORK/.sink" | sha256sum | cut -c 1-64 >"$WORK/.sum" &
    sink=$!
    watch "$file" "$1" "$source" "$sink" || code=$?
    wait "$source" || code=$?
    wait "$sink" || sink_code=$?
    cat -- "$WORK/.sink" >>"$WORK/.words"
    STREAM_SUM=$(<"$WORK/.sum")
    ((code == 0 && sink_code == 0)) && [[ ${#STREAM_SUM} == 64 ]]
}

# watch FILE LABEL SOURCE SINK: until both have ended, telling people how far it is. Fails where one is silent too long, or
# the sink ended first: nobody reads any longer.
watch() {
    local size=0 now since=$SECONDS alone=0
    while kill -0 "$3" 2>/dev/null || kill -0 "$4" 2>/dev/null; do
        now=$(stat -c %s -- "$1" 2>/dev/null) || now=0
        if ((now != size)); then
            size=$now since=$SECONDS
        elif ((SECONDS - since >= SILENCE)); then
            printf 'not a byte in %s s\n' "$SILENCE" >>"$WORK/.sink"
            stop_stream "$3"
            return 1
        fi
        if ! kill -0 "$4" 2>/dev/null && ((++alone > 20)); then
            stop_stream "$3"
            return 1
        fi
        if progress_is_due; then
            backup_progress "$2" "$size"
        fi
        sleep 0.1
    done
    progress_end
}

# stop_stream PID: a source that nobody waits for any longer; one inside a container ends by its own number there.
stop_stream() {
    local container number
    read -r container number < <(sed -n 's/^inside //p' "$WORK/.words") || true # one outside says nothing
    if [[ -n $number ]]; then
        docker exec "$container" sh -c "kill $number" 2>/dev/null || true # it may be gone
    fi
    kill "$1" 2>/dev/null || true
}

# backup_progress LABEL BYTES
backup_progress() {
    PROGRESS_SHOWN=$SECONDS
    if [[ -t 2 ]]; then
        printf '\r\033[2K  %s: %s' "$1" "$(human_bytes "$2")" >&2
    else
        printf '  %s: %s\n' "$1" "$(human_bytes "$2")" >&2
    fi
}

# stream_failed NAME: why, in the words of what failed.
stream_failed() {
    sed '/^inside /d' "$WORK/.words" | tail -n 5 >&2
    stop_with backup_stream "$1"
}

# packed: a filter. Level 1: on a dump of MariaDB's 2.5 times as fast as the usual 6, for a tenth more bytes.
packed() {
    gzip -1
}

as_it_is() {
    cat
}
