# shellcheck shell=bash
# Load the images: streams of the bundle's images/ into `docker load`, no second copy on this disk.

MOST_STREAMS=2 # at once: an engine takes in an archive with one thread; more would repeat more of what images share

# load_images: those that the engine does not have as they should be.
load_images() {
    local images=$BUNDLE/images logs flaws
    local -a roles
    flaws=$(flaws_of_images)
    if [[ -z $flaws ]]; then
        state_set "proved=$(fact "$FACTS" id)"
        say load_nothing
        return
    fi
    mapfile -t roles < <(records "$FACTS" image | awk -F '\t' 'NR == FNR { flawed[$1]; next } $2 in flawed { print $1 }' <(printf '%s\n' "$flaws") -)
    logs=$(mktemp -d)
    if ! stream_images "$images" "$logs" ${roles[@]+"${roles[@]}"}; then
        cat "$logs"/*.log >&2
        rm -rf -- "$logs"
        stop_with load_failed
    fi
    rm -rf -- "$logs"
}

# stream_images IMAGES LOGS ROLE...: shows how much of them has been read.
stream_images() {
    local images=$1 logs=$2 code=0 total=0 stream store most
    local -a streams jobs=()
    store=$(image_store)
    most=$(nproc)
    mapfile -t streams < <(image_streams $((most < MOST_STREAMS ? most : MOST_STREAMS)) "${@:3}")
    for stream in ${streams[@]+"${streams[@]}"}; do
        # shellcheck disable=SC2086 # roles
        total=$((total + $(shipped_bytes "$images" $stream)))
    done
    say load_start "$(human_bytes "$total")"
    for stream in ${streams[@]+"${streams[@]}"}; do
        # shellcheck disable=SC2086 # roles
        (archive_images "$images" "$logs/${#jobs[@]}.place" "$store" $stream | docker load) >"$logs/${#jobs[@]}.log" 2>&1 &
        jobs+=($!)
    done
    while kill -0 ${jobs[@]+"${jobs[@]}"} 2>/dev/null; do
        if progress_is_due; then
            progress "$(bytes_read "$total" "$logs"/*.place)" "$total"
        fi
        sleep 0.2
    done
    progress_end
    for stream in ${jobs[@]+"${jobs[@]}"}; do
        wait "$stream" || code=$?
    done
    return "$code"
}

# bytes_read TOTAL PLACE...: by the processes of archive_images up to now.
bytes_read() {
    local total=$1 sum=0 place before pid io
    for place in "${@:2}"; do
        if ! read -r before pid 2>/dev/null <"$place"; then
            continue # it has not begun
        fi
        sum=$((sum + before))
        if io=$(cat "/proc/$pid/io" 2>/dev/null) && [[ $io =~ rchar:\ ([0-9]+) ]]; then
            sum=$((sum + BASH_REMATCH[1]))
        fi
    done
    printf '%d' $((sum < total ? sum : total))
}
