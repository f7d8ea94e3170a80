# shellcheck shell=bash
# The bundle's images as one stream for `docker load`. A containerd store keeps the blobs as they are. A classic store keeps
# layers unpacked, and unpacks them in one thread, in the engine, after it has taken the whole archive: there gzip does that
# while the stream flows, and the engine gets plain layers under the same names (moby looks at the bytes, not at the name).
# Layers that a classic store has, it does not ask for.

MOST_IN_TAR=8589934591 # bytes that the size of a ustar header can say

# archive_images IMAGES PLACE STORE: the stream on stdout; fails as soon as a part of it does. PLACE says how far it is: the
# bytes of all files that went before, and the process that reads on.
archive_images() {
    local images=$1 before=0 blob bytes packed
    local -a left=()
    while read -r blob bytes packed; do
        left+=("--exclude=./$blob")
        if ((bytes)) && [[ -f $images/$blob ]]; then
            tar_header "$blob" "$bytes" || return
            reading "$2" "$before" gzip -dc -- "$images/$blob" || return
            head -c $(((512 - bytes % 512) % 512)) /dev/zero
        fi
        before=$((before + packed))
    done < <([[ $3 != classic ]] || plain_layers)
    reading "$2" "$before" tar -cf - -C "$images" ${left[@]+"${left[@]}"} . || return
    printf '%s 0\n' "$MOST_IN_TAR" >"$2"
}

# reading PLACE BEFORE COMMAND...: runs it, and says so.
reading() {
    # shellcheck disable=SC2016 # the inner bash expands them
    bash -c 'printf "%s %s\n" "$2" "$$" >"$1" && exec "${@:3}"' bash "$@"
}

# plain_layers: `blob bytes packed` of each layer once; bytes are 0 where the engine has it, on the same layers, for every
# image of the bundle. One whose plain size is not known, or too large for a header, is not among them.
plain_layers() {
    awk -F '\t' -v most="$MOST_IN_TAR" '
        table == "chains" {
            count = split($0, diff_id, " ")
            chain = ""
            for (i = 1; i <= count; i++) { chain = chain " " diff_id[i]; present[chain] = 1 }
            next
        }
        $1 == "raw" { bytes[$2] = $3 }
        $1 == "image" { below[$2] = "" }
        $1 == "layer" {
            below[$2] = below[$2] " " $4
            if (!(below[$2] in present)) lacking[$5] = 1
            if (!($5 in packed)) order[++layers] = $5
            packed[$5] = $6; plain[$5] = $4
        }
        END {
            for (i = 1; i <= layers; i++) {
                size = (order[i] in lacking) ? bytes[plain[order[i]]] : 0
                if (size != "" && size + 0 <= most + 0) print "blobs/sha256/" substr(order[i], 8), size, packed[order[i]]
            }
        }' table=chains <(stored_chains) table=facts "$FACTS"
}

# tar_header NAME BYTES: a regular file (POSIX.1-1988, ustar), its checksum over the header with blanks in that place.
tar_header() {
    local head tail sum
    head=$(printf '%s' "$1")$(printf '%*s' $((100 - ${#1})) '' | tr ' ' .)0000644.0000000.0000000.$(printf '%011o' "$2").00000000000.
    tail=0$(printf '%*s' 100 '' | tr ' ' .)ustar.00$(printf '%*s' 247 '' | tr ' ' .)
    sum=$(printf '%s%s' "$head        " "$tail" | tr . '\0' | od -An -v -tu1 | awk '{ for (i = 1; i <= NF; i++) sum += $i } END { printf "%06o", sum }')
    printf '%s%s. %s' "$head" "$sum" "$tail" | tr . '\0'
}
