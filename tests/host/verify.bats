# verify.sh as an operator meets it: usage, codes, words. What it finds is in test_verify_agree.py.

bats_require_minimum_version 1.5.0

setup() {
    HOST=$BATS_TEST_DIRNAME/../../scripts/host
    FOLDER=$BATS_TEST_TMPDIR/bundle
    unset LC_ALL LC_MESSAGES LANG
    mkdir -p "$FOLDER/scripts/lib"
    cp "$HOST/verify.sh" "$FOLDER/scripts/"
    cp "$HOST"/lib/*.sh "$FOLDER/scripts/lib/"
    SCRIPT=$FOLDER/scripts/verify.sh
}

# blob TEXT: puts it among the blobs and prints its digest.
blob() {
    local digest
    digest=$(printf '%s' "$1" | sha256sum)
    printf '%s' "$1" >"$FOLDER/images/blobs/sha256/${digest%% *}"
    printf '%s' "${digest%% *}"
}

# seal: writes SHA256SUMS for what is there.
seal() {
    (cd "$FOLDER" && find . -type f ! -name SHA256SUMS -printf '%P\0' | xargs -0 sha256sum >"$BATS_TEST_TMPDIR/sums")
    mv "$BATS_TEST_TMPDIR/sums" "$FOLDER/SHA256SUMS"
}

# whole: the smallest bundle that is whole.
whole() {
    local config manifest layer
    mkdir -p "$FOLDER/images/blobs/sha256"
    config=$(blob config) manifest=$(blob manifest) layer=$(blob layer)
    printf 'format\t1\nbundle\tmini\nid\t1\nimage\tapp\tmini/app:1\t-\tsha256:%s\tsha256:%s\nlayer\tapp\t0\tsha256:%s\tsha256:%s\t5\n' \
        "$config" "$manifest" "$layer" "$layer" >"$FOLDER/scripts/facts.tsv"
    printf '{"manifests":[{"digest":"sha256:%s","annotations":{"io.containerd.image.name":"docker.io/mini/app:1"}}]}' \
        "$manifest" >"$FOLDER/images/index.json"
    printf '[{"Config":"blobs/sha256/%s","RepoTags":["mini/app:1"],"Layers":["blobs/sha256/%s"]}]' \
        "$config" "$layer" >"$FOLDER/images/manifest.json"
    printf '{}' | tee "$FOLDER/images/oci-layout" >"$FOLDER/release.json"
    seal
}

@test "a whole bundle: code 0, one line on stdout, and the digest of SHA256SUMS to compare by eye" {
    whole
    sums=$(sha256sum <"$FOLDER/SHA256SUMS")
    run --separate-stderr bash "$SCRIPT"
    [ "$status" -eq 0 ]
    [ "${#lines[@]}" -eq 1 ]
    [[ $output == ok$'\t'*$'\t'*$'\t'"${sums%% *}" ]]
    [[ $stderr == *"mini-1 is whole"* && $stderr == *"  ${sums%% *}" ]]
}

@test "the folder may be named, from anywhere, by the script of another place" {
    whole
    cd /
    run --separate-stderr bash "$HOST/verify.sh" "$FOLDER"
    [ "$status" -eq 0 ]
}

@test "a bad bundle: code 3, what is bad on stdout, what to do on stderr" {
    whole
    printf x >>"$FOLDER/release.json"
    run --separate-stderr bash "$SCRIPT"
    [ "$status" -eq 3 ]
    [ "$output" = $'bad\tchanged\trelease.json' ]
    [[ $stderr == *"error: This is not the bundle that was made: 1 problems"*"Copy the bundle again"* ]]
}

@test "a bundle of a newer format: which script is needed" {
    whole
    printf 'format\t7\n' >"$FOLDER/scripts/facts.tsv"
    seal
    run --separate-stderr bash "$SCRIPT"
    [ "$status" -eq 3 ]
    [ "$output" = $'bad\tmalformed\tscripts/facts.tsv' ]
    [[ $stderr == *"format 7, and this script knows formats up to 1"* ]]
}

@test "Chinese by option and by locale; the lines for programs stay the same" {
    whole
    rm "$FOLDER/release.json"
    run --separate-stderr bash "$SCRIPT" --lang zh
    [[ $status -eq 3 && $output == $'bad\tmissing\trelease.json' && $stderr == *请不要部署* ]]
    LANG=zh_CN.UTF-8 run --separate-stderr bash "$SCRIPT"
    [[ $status -eq 3 && $output == $'bad\tmissing\trelease.json' && $stderr == *请不要部署* ]]
    LANG=zh_CN.UTF-8 run --separate-stderr bash "$SCRIPT" --lang en
    [[ $status -eq 3 && $stderr == *"Do not deploy it"* ]]
}

@test "used wrongly: code 2, the reason and the usage, nothing on stdout" {
    for arguments in --unknown '--lang fr' --lang "$FOLDER $FOLDER" /no/such/folder; do
        # shellcheck disable=SC2086 # words on purpose
        run --separate-stderr bash "$SCRIPT" $arguments
        [ "$status" -eq 2 ]
        [ -z "$output" ]
        [[ $stderr == error:*"usage: bash scripts/verify.sh"* ]]
    done
}

@test "--help: the usage, code 0" {
    run --separate-stderr bash "$SCRIPT" --help
    [[ $status -eq 0 && $stderr == usage:* ]]
}

@test "sourced, it does nothing" {
    run bash -c 'source "$1"' - "$SCRIPT"
    [[ $status -eq 0 && -z $output ]]
}

@test "a caller's grep options, locale and CDPATH change nothing" {
    whole
    run --separate-stderr env GREP_OPTIONS=--color=always CDPATH=/tmp POSIXLY_CORRECT=1 LC_ALL=C bash "$SCRIPT"
    [ "$status" -eq 0 ]
}

@test "where nothing may be written, it verifies all the same" {
    whole
    run --separate-stderr env TMPDIR=/no/such/folder bash "$SCRIPT"
    [ "$status" -eq 0 ]
}

# tool NAME TEXT: a program that stands before the host's own.
tool() {
    mkdir -p "$BATS_TEST_TMPDIR/tools"
    printf '#!/bin/bash\n%s\n' "$2" >"$BATS_TEST_TMPDIR/tools/$1"
    chmod +x "$BATS_TEST_TMPDIR/tools/$1"
}

# interrupted_in NAME: once that program runs.
interrupted_in() {
    whole
    mkfifo "$BATS_TEST_TMPDIR/started"
    tool "$1" "echo \$\$ >'$BATS_TEST_TMPDIR/started'; exec sleep 300"
    PATH=$BATS_TEST_TMPDIR/tools:$PATH bash "$SCRIPT" >/dev/null 2>&1 3>&- &
    script=$!
    read -r child <"$BATS_TEST_TMPDIR/started"
    kill -TERM "$script"
    code=0
    wait "$script" || code=$?
    [ "$code" -eq 143 ]
    timeout 10 tail --pid="$child" -f /dev/null
}

@test "interrupted: its children end with it" {
    interrupted_in openssl
}

@test "interrupted on a host without OpenSSL: its children end with it" {
    tool openssl 'exit 1'
    interrupted_in sha256sum
}
