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

# stored_blobs: the digest of everything that a containerd store holds for Docker. An image's name alone proves
# nothing there: the store takes an incomplete archive, too.
stored_blobs() {
    local socket
    command -v ctr >/dev/null || return 0
    for socket in /run/containerd/containerd.sock /run/docker/containerd/containerd.sock; do
        if [[ -S $socket ]]; then
            ctr --address "$socket" --namespace moby content ls --quiet
        fi
    done
}
