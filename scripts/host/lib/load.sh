# shellcheck shell=bash
# Load the images: one stream of the bundle's images/ into `docker load`, no second copy on this disk.

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

# stream_images IMAGES LOG TOTAL: shows how much of them has been read.
stream_images() {
    local place=$2.place code=0 job store
    store=$(image_store)
    (archive_images "$1" "$place" "$store" | docker load) >"$2" 2>&1 &
    job=$!
    while kill -0 "$job" 2>/dev/null; do
        if progress_is_due; then
            progress "$(bytes_read "$place" "$3")" "$3"
        fi
        sleep 0.2
    done
    progress_end
    wait "$job" || code=$?
    rm -f -- "$place"
    return "$code"
}

# bytes_read PLACE TOTAL: by the processes of archive_images up to now.
bytes_read() {
    local before=0 pid=0 io
    read -r before pid 2>/dev/null <"$1" || true # it may not have begun
    if io=$(cat "/proc/$pid/io" 2>/dev/null) && [[ $io =~ rchar:\ ([0-9]+) ]]; then
        before=$((before + BASH_REMATCH[1]))
    fi
    printf '%d' $((before < $2 ? before : $2))
}
