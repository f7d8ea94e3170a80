# shellcheck shell=bash
# Load the images: one tar stream of the bundle's images/ into `docker load`, no second copy on this disk.

load_images() {
    local images=$BUNDLE/images log total
    if [[ -z $(flaws_of_images) ]]; then
        state_set "proved=$(fact "$FACTS" id)"
        say load_nothing
        return
    fi
    total=$(du -sb -- "$images" | cut -f 1)
    say load_start "$(human_bytes "$total")"
    log=$(mktemp)
    if ! stream_images "$images" "$log" "$total"; then
        cat "$log" >&2
        rm -f -- "$log"
        stop_with load_failed
    fi
    rm -f -- "$log"
}

# stream_images IMAGES LOG TOTAL: shows how much tar has read.
stream_images() {
    local pidfile=$2.tar code=0 job
    (
        # shellcheck disable=SC2016 # the inner bash expands them
        bash -c 'printf "%s" "$$" >"$1" && exec tar -cf - -C "$2" .' bash "$pidfile" "$1" | docker load
    ) >"$2" 2>&1 &
    job=$!
    while kill -0 "$job" 2>/dev/null; do
        if progress_is_due; then
            progress "$(bytes_read "$pidfile" "$3")" "$3"
        fi
        sleep 0.2
    done
    progress_end
    wait "$job" || code=$?
    rm -f -- "$pidfile"
    return "$code"
}

# bytes_read PIDFILE TOTAL: by that process; all of them once it is gone.
bytes_read() {
    local io
    if [[ -s $1 ]] && io=$(cat "/proc/$(cat "$1")/io" 2>/dev/null) && [[ $io =~ rchar:\ ([0-9]+) ]]; then
        printf '%d' $((BASH_REMATCH[1] < $2 ? BASH_REMATCH[1] : $2))
    else
        printf '%d' "$2"
    fi
}
