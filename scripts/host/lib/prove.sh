# shellcheck shell=bash
# Prove that the engine has exactly the release's images, whole. An exit code of `docker load` is no proof: a containerd
# store takes an archive without all its layers.

PROOF=offline-proof- # and the role: containers that are created to see whether they can be; never started

# prove_images: or says of each image what is wrong. What `load` has proved just now is not asked again.
prove_images() {
    local flaws tag flaw
    if [[ $(state_get proved) == "$(fact "$FACTS" id)" ]]; then
        return
    fi
    flaws=$(flaws_of_images)
    if [[ -z $flaws ]]; then
        return
    fi
    while IFS=$'\t' read -r tag flaw; do
        fail prove_bad "$tag" "$flaw"
        forget_image "$tag"
    done <<<"$flaws"
    stop_with prove_failed
}

# flaws_of_images: tag and flaw of each image that is not what it should be.
flaws_of_images() {
    local role tag config manifest flaw running
    remove_proofs # of a killed run
    running=$(docker ps --no-trunc --format '{{.Image}}')
    while IFS=$'\t' read -r role tag _ config manifest; do
        flaw=$(flaw_of_image "$role" "$tag" "$config" "$manifest" "$running")
        if [[ -n $flaw ]]; then
            printf '%s\t%s\n' "$tag" "$flaw"
        fi
    done < <(records "$FACTS" image)
    remove_proofs
}

# flaw_of_image ROLE TAG CONFIG MANIFEST RUNNING: nothing where it is what it should be. The classic store calls an image by
# its config digest, containerd's by its manifest digest. Only creating a container makes that one look at every layer; of
# what a container runs of at this moment (RUNNING, a tag a line; the engine lists a tag that was moved since by its old
# id) all of them are there.
flaw_of_image() {
    local found
    if ! found=$(docker image inspect --format '{{.ID}} {{range .RootFS.Layers}}{{.}},{{end}}' "$2" 2>&1); then
        printf '%s' "${found##*$'\n'}"
    elif [[ ${found%% *} != "$3" && ${found%% *} != "$4" ]]; then
        printf 'id %s' "${found%% *}"
    elif [[ ${found#* } != "$(layers_of_role "$1")" ]]; then
        printf 'layers %s' "${found#* }"
    elif ! grep -qxF -- "$2" <<<"$5" && ! found=$(docker create --name "$PROOF$1" --network none "$2" /proof 2>&1); then
        printf '%s' "${found##*$'\n'}"
    fi
}

layers_of_role() {
    awk -F '\t' -v role="$1" '$1 == "layer" && $2 == role { list = list $4 "," } END { print list }' "$FACTS"
}

remove_proofs() {
    docker ps --all --quiet --filter "name=^/$PROOF" | xargs -r docker rm --force --volumes >/dev/null
}

# forget_image TAG: what does not prove must not be taken for the image by anybody; a container that uses it keeps it.
forget_image() {
    if [[ -z $(docker ps --all --quiet --filter "ancestor=$1") ]]; then
        docker image rm "$1" >/dev/null 2>&1 || true # it may be absent
    fi
}

# prove_payload: what containers mount of the release is there as it was shipped; hot modules may have been edited.
prove_payload() {
    local folder path flags
    while read -r folder _; do
        if [[ ! -d $ROOT/$folder ]]; then
            stop_with prove_payload_bad "$ROOT/$folder"
        fi
        while IFS=$'\t' read -r path _ _ flags; do
            if [[ ,$flags, != *,hot,* ]] && ! shipped_sums "$path" | (cd -- "$ROOT/$folder" && quietly_check); then
                stop_with prove_payload_bad "$ROOT/$folder/$path"
            fi
        done < <(payload_mounts "$FACTS" "$folder")
    done < <(payload_folders "$FACTS")
}

# shipped_sums PATH: of a file or folder, from the release's own list.
shipped_sums() {
    awk -v path="$1" '{ name = substr($0, 67) } name == path || index(name, path "/") == 1' "$BUNDLE/SHA256SUMS"
}

# quietly_check: sha256sum -c, for which an empty list is a mistake.
quietly_check() {
    local list
    list=$(cat)
    [[ -z $list ]] || sha256sum --status -c - <<<"$list"
}
