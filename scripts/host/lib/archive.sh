# shellcheck shell=bash
# The bundle's images as one stream for `docker load`. A containerd store keeps the blobs as they are. A classic store keeps
# layers unpacked, and unpacks them in one thread, in the engine, after it has taken the whole archive: there gzip does that
# while the stream flows, and the engine gets plain layers under the same names (moby looks at the bytes, not at the name).

MOST_IN_TAR=8589934591 # bytes that the size of a ustar header can say

# archive_images IMAGES PLACE STORE: the stream on stdout; fails as soon as a part of it does. PLACE says how far it is: the bytes of all files that went before,
# and the process that reads on.
archive_images() {
    local images=$1 before=0 blob bytes packed
    local -a left=()
    if [[ $3 == classic ]]; then
        while read -r blob bytes packed; do
            if [[ -f $images/$blob ]]; then
                tar_header "$blob" "$bytes" || return
                reading "$2" "$before" gzip -dc -- "$images/$blob" || return
                head -c $(((512 - bytes % 512) % 512)) /dev/zero
                before=$((before + packed))
                left+=("--exclude=./$blob")
            fi
        done < <(plain_layers)
    fi
    reading "$2" "$before" tar -cf - -C "$images" ${left[@]+"${left[@]}"} .
}

# reading PLACE BEFORE COMMAND...: runs it, and says so.
reading() {
    # shellcheck disable=SC2016 # the inner bash expands them
    bash -c 'printf "%s %s\n" "$2" "$$" >"$1" && exec "${@:3}"' bash "$@"
}

# plain_layers: `blob bytes packed` of each layer once whose plain size is known.
plain_layers() {
    awk -F '\t' -v most="$MOST_IN_TAR" '
        NR == FNR { if ($1 == "raw") bytes[$2] = $3; next }
        $1 == "layer" && ($4 in bytes) && bytes[$4] + 0 <= most + 0 && !seen[$5]++ {
            print "blobs/sha256/" substr($5, 8), bytes[$4], $6
        }' "$FACTS" "$FACTS"
}

# tar_header NAME BYTES: a regular file (POSIX.1-1988, ustar), its checksum over the header with blanks in that place.
tar_header() {
    local head tail sum
    head=$(printf '%s' "$1")$(printf '%*s' $((100 - ${#1})) '' | tr ' ' .)0000644.0000000.0000000.$(printf '%011o' "$2").00000000000.
    tail=0$(printf '%*s' 100 '' | tr ' ' .)ustar.00$(printf '%*s' 247 '' | tr ' ' .)
    sum=$(printf '%s%s' "$head        " "$tail" | tr . '\0' | od -An -v -tu1 | awk '{ for (i = 1; i <= NF; i++) sum += $i } END { printf "%06o", sum }')
    printf '%s%s. %s' "$head" "$sum" "$tail" | tr . '\0'
}
