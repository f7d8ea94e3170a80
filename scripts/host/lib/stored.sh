# shellcheck shell=bash
# What an engine's image store holds already, by digest. Reads only; the kit runs this over ssh, too.

# image_store: `classic` or `containerd`; nothing where no engine answers.
image_store() {
    local answer
    answer=$(docker info --format '{{.ServerVersion}} {{.DriverStatus}}' 2>/dev/null) || return 0
    case $answer in
        ' '*) ;;
        *io.containerd.snapshotter*) printf 'containerd' ;;
        *) printf 'classic' ;;
    esac
}

# stored_chains: the diff_ids of each image of a classic store in their order, one image a line.
stored_chains() {
    local -a ids=()
    mapfile -t ids < <(docker image ls --quiet --no-trunc | sort -u)
    if ((${#ids[@]})); then
        docker image inspect --format '{{join .RootFS.Layers " "}}' ${ids[@]+"${ids[@]}"}
    fi
}

# stored_blobs: the digest of everything that a containerd store holds for Docker's images. A name alone proves nothing
# there: the store takes an incomplete archive, too. Nor does a blob that no image holds any more: it goes at the store's
# next collection, which may be the one during the load. What holds what stands in its labels.
stored_blobs() {
    local socket
    command -v ctr >/dev/null || return 0
    for socket in /run/containerd/containerd.sock /run/docker/containerd/containerd.sock; do
        if [[ -S $socket ]]; then
            ctr --address "$socket" --namespace moby content ls |
                held_blobs <(docker image ls --all --quiet --no-trunc)
        fi
    done
}

# held_blobs IMAGES: of the table on stdin (digest, size, age, labels) what the images of that list lead to.
held_blobs() {
    awk '
        function hold(digest, list, count, i) {
            if (!(digest in labels) || (digest in held)) return
            held[digest] = 1
            print digest
            count = split(labels[digest], list, ",")
            for (i = 1; i <= count; i++)
                if (list[i] ~ /^containerd[.]io\/gc[.]ref[.]content/) { sub(/^[^=]*=/, "", list[i]); hold(list[i]) }
        }
        table == "content" { labels[$1] = $NF; next }
        { root[$1] = 1 }
        END { for (digest in root) hold(digest) }
    ' table=content - table=images "$1"
}
