# shellcheck shell=bash
# Prove that the engine has exactly the release's images, whole. An exit code of `docker load` is no proof: a containerd
# store takes an archive without all its layers.

PROVED_NAME=offline-proof # of the containers that are created to see whether they can be; never started

# prove_images: or says of each image what is wrong.
prove_images() {
    local role tag config manifest wrong bad=0
    while IFS=$'\t' read -r role tag _ config manifest; do
        wrong=$(flaw_of_image "$role" "$tag" "$config" "$manifest")
        if [[ -n $wrong ]]; then
            fail prove_bad "$tag" "$wrong"
            forget_image "$tag"
            bad=1
        fi
    done < <(records "$FACTS" image)
    if ((bad)); then
        stop_with prove_failed
    fi
}

# images_are_proved: says nothing.
images_are_proved() {
    local role tag config manifest
    while IFS=$'\t' read -r role tag _ config manifest; do
        if [[ -n $(flaw_of_image "$role" "$tag" "$config" "$manifest") ]]; then
            return 1
        fi
    done < <(records "$FACTS" image)
}

# flaw_of_image ROLE TAG CONFIG MANIFEST: nothing where it is what it should be. The classic store calls an image by its
# config digest, containerd's by its manifest digest.
flaw_of_image() {
    local found id layers output
    if ! found=$(docker image inspect --format '{{.Id}} {{range .RootFS.Layers}}{{.}},{{end}}' "$2" 2>&1); then
        printf '%s' "${found##*$'\n'}"
        return
    fi
    id=${found%% *} layers=${found#* }
    if [[ $id != "$3" && $id != "$4" ]]; then
        printf 'id %s' "$id"
    elif [[ $layers != "$(layers_of_role "$1")" ]]; then
        printf 'layers'
    elif ! output=$(can_be_created "$2"); then
        printf '%s' "$output"
    fi
}

layers_of_role() {
    awk -F '\t' -v role="$1" '$1 == "layer" && $2 == role { list = list $4 "," } END { print list }' "$FACTS"
}

# can_be_created TAG: the one question that makes a containerd store look at every layer.
can_be_created() {
    local code=0 output
    docker rm --force --volumes "$PROVED_NAME" >/dev/null 2>&1 || true # of a killed run; there may be none
    output=$(docker create --name "$PROVED_NAME" --network none "$1" /proof 2>&1) || code=$?
    docker rm --force --volumes "$PROVED_NAME" >/dev/null 2>&1 || true # nor now, where it could not be created
    printf '%s' "$output"
    return "$code"
}

# forget_image TAG: what does not prove must not be taken for the image by anybody; a container that uses it keeps it.
forget_image() {
    if [[ -z $(docker ps --all --quiet --filter "ancestor=$1") ]]; then
        docker image rm "$1" >/dev/null 2>&1 || true # it may be absent
    fi
}
