# shellcheck shell=bash
# Images of the bundle as streams for `docker load`. A containerd store keeps the blobs as they are. A classic store keeps
# layers unpacked, and unpacks them in one thread, in the engine, after it has taken the whole archive: there gzip does that
# while the stream flows, and the engine gets plain layers under the same names (moby looks at the bytes, not at the name).
# Layers that a classic store has, it does not ask for.

MOST_IN_TAR=8589934591 # bytes that the size of a ustar header can say

# image_streams MOST ROLE...: the roles of each of at most MOST streams, a stream a line, so that the longest one and all of
# them together are short: what images share travels once, or where an engine gets it twice at once, it keeps one.
image_streams() {
    awk -F '\t' -v most="$1" -v wanted=" ${*:2} " '
        $1 == "image" && index(wanted, " " $2 " ") { role[++roles] = $2 }
        $1 == "layer" { digests[$2] = digests[$2] " " $5; bytes[$5] = $6 }
        function added(stream, digest, count, sum, i) {
            for (i = 1; i <= count; i++) if (!((stream, digest[i]) in has)) sum += bytes[digest[i]]
            return sum
        }
        END {
            for (number = 1; number <= roles; number++) {
                count = split(digests[role[number]], digest, " ")
                least = 0
                for (stream = 1; stream <= most; stream++) {
                    more = added(stream, digest, count)
                    cost = (total[stream] + more > longest ? total[stream] + more : longest) + more
                    if (!least || cost < least) { least = cost; best = stream; grows = more }
                }
                total[best] += grows
                if (total[best] > longest) longest = total[best]
                for (i = 1; i <= count; i++) has[best, digest[i]] = 1
                list[best] = list[best] " " role[number]
            }
            for (stream = 1; stream <= most; stream++) if (list[stream] != "") print substr(list[stream], 2)
        }' "$FACTS"
}

# shipped_blobs IMAGES ROLE...: the paths of the images' blobs that the bundle has, each once.
shipped_blobs() {
    local blob
    while read -r blob; do
        if [[ -f $1/$blob ]]; then
            printf '%s\n' "$blob"
        fi
    done < <(awk -F '\t' -v wanted=" ${*:2} " '
        !index(wanted, " " $2 " ") { next }
        $1 == "image" { digest[$5]; digest[$6] }
        $1 == "layer" { digest[$5] }
        END { for (one in digest) print "blobs/sha256/" substr(one, 8) }' "$FACTS" | sort)
}

# shipped_bytes IMAGES ROLE...: of their blobs.
shipped_bytes() {
    shipped_blobs "$@" | (cd -- "$1" && xargs -r stat -c %s --) | awk '{ sum += $1 } END { printf "%.0f", sum }'
}

# archive_images IMAGES PLACE STORE ROLE...: the stream on stdout; fails as soon as a part of it does. PLACE says how far it
# is: the bytes of all files that went before, and the process that reads on.
archive_images() {
    local images=$1 place=$2 before=0 blob bytes packed rest
    local -a roles=("${@:4}") plain=()
    describe_images "$images" ${roles[@]+"${roles[@]}"} || return
    while read -r blob bytes packed; do
        if [[ ! -f $images/$blob ]]; then
            continue
        fi
        plain+=("$blob")
        if ((bytes)); then
            tar_header "$blob" "$bytes" || return
            reading "$place" "$before" gzip -dc -- "$images/$blob" || return
            tar_padding "$bytes"
        fi
        before=$((before + packed))
    done < <([[ $3 != classic ]] || plain_layers ${roles[@]+"${roles[@]}"})
    rest=$(awk 'NR == FNR { plain[$0]; next } !($0 in plain)' <(printf '%s\n' ${plain[@]+"${plain[@]}"}) \
        <(shipped_blobs "$images" ${roles[@]+"${roles[@]}"})) || return
    reading "$place" "$before" tar -cf - -C "$images" --files-from=<(printf '%s\n' "$rest") || return
    printf '%s 0\n' "$(shipped_bytes "$images" ${roles[@]+"${roles[@]}"})" >"$place"
}

# describe_images IMAGES ROLE...: oci-layout, index.json and manifest.json of these alone, as members of the stream.
describe_images() {
    local images=$1 role tag config manifest size archive='' index='' platform
    platform=$(fact "$FACTS" platform)
    while IFS=$'\t' read -r role tag _ config manifest; do
        if [[ " ${*:2} " == *" $role "* ]]; then
            size=$(stat -c %s -- "$images/blobs/sha256/${manifest#*:}") || return
            archive+=,$(archive_entry "$role" "$tag" "$config")
            index+=,$(index_entry "$tag" "$manifest" "$size" "$platform")
        fi
    done < <(records "$FACTS" image)
    tar_text oci-layout '{"imageLayoutVersion":"1.0.0"}'
    tar_text index.json "{\"schemaVersion\":2,\"manifests\":[${index#,}]}"
    tar_text manifest.json "[${archive#,}]"
}

# archive_entry ROLE TAG CONFIG: of manifest.json.
archive_entry() {
    local layers
    layers=$(awk -F '\t' -v role="$1" '$1 == "layer" && $2 == role { printf ",\"blobs/sha256/%s\"", substr($5, 8) }' "$FACTS")
    printf '{"Config":"blobs/sha256/%s","RepoTags":["%s"],"Layers":[%s]}' "${3#*:}" "$2" "${layers#,}"
}

# index_entry TAG MANIFEST SIZE PLATFORM: of index.json.
index_entry() {
    local system architecture
    IFS=/ read -r system architecture _ <<<"$4"
    printf '{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"%s","size":%s,' "$2" "$3"
    printf '"platform":{"architecture":"%s","os":"%s"},' "$architecture" "$system"
    printf '"annotations":{"io.containerd.image.name":"%s","org.opencontainers.image.ref.name":"%s"}}' "$(full_name "$1")" "${1##*:}"
}

# full_name TAG: with its registry, as a containerd store spells names.
full_name() {
    case $1 in
        *[.:]*/* | localhost/*) printf '%s' "$1" ;;
        */*) printf 'docker.io/%s' "$1" ;;
        *) printf 'docker.io/library/%s' "$1" ;;
    esac
}

# reading PLACE BEFORE COMMAND...: runs it, and says so.
reading() {
    # shellcheck disable=SC2016 # the inner bash expands them
    bash -c 'printf "%s %s\n" "$2" "$$" >"$1" && exec "${@:3}"' bash "$@"
}

# plain_layers ROLE...: `blob bytes packed` of each layer of these images once; bytes are 0 where the engine has it, on the
# same layers, for every one of them. One whose plain size is not known, or too large for a header, is not among them.
plain_layers() {
    awk -F '\t' -v most="$MOST_IN_TAR" -v wanted=" $* " '
        table == "chains" {
            count = split($0, diff_id, " ")
            chain = ""
            for (i = 1; i <= count; i++) { chain = chain " " diff_id[i]; present[chain] = 1 }
            next
        }
        $1 == "raw" { bytes[$2] = $3 }
        !index(wanted, " " $2 " ") { next }
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

# tar_text NAME TEXT: a member of one line.
tar_text() {
    local LC_ALL=C
    tar_header "$1" $((${#2} + 1))
    printf '%s\n' "$2"
    tar_padding $((${#2} + 1))
}

# tar_padding BYTES: what follows them, up to a whole block.
tar_padding() {
    head -c $(((512 - $1 % 512) % 512)) /dev/zero
}

# tar_header NAME BYTES: a regular file (POSIX.1-1988, ustar), its checksum over the header with blanks in that place. Commas
# stand for what bash has no words for.
tar_header() {
    local head tail sum
    head=$(printf '%s' "$1")$(printf '%*s' $((100 - ${#1})) '' | tr ' ' ,)0000644,0000000,0000000,$(printf '%011o' "$2"),00000000000,
    tail=0$(printf '%*s' 100 '' | tr ' ' ,)ustar,00$(printf '%*s' 247 '' | tr ' ' ,)
    sum=$(printf '%s%s' "$head        " "$tail" | tr , '\0' | od -An -v -tu1 | awk '{ for (i = 1; i <= NF; i++) sum += $i } END { printf "%06o", sum }')
    printf '%s%s, %s' "$head" "$sum" "$tail" | tr , '\0'
}
