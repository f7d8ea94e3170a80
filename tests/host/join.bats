# join.sh as an operator meets it. Which parts it finds bad is in test_join_agree.py.

bats_require_minimum_version 1.5.0

setup() {
    SCRIPT=$BATS_TEST_DIRNAME/../../scripts/host/join.sh
    unset LC_ALL LC_MESSAGES LANG
    TOP=mini-offline-deployment-20261123-210000
    STICK=$BATS_TEST_TMPDIR/stick
    HOST=$BATS_TEST_TMPDIR/host
    mkdir "$STICK" "$HOST"
    cp "$SCRIPT" "$STICK"
    make_parts "$TOP"
    cd "$HOST"
}

# make_parts TOP: five parts of a bundle of that name, with their list, on the stick.
make_parts() {
    local source=$BATS_TEST_TMPDIR/source
    mkdir -p "$source/$1/scripts"
    head -c 100000 /dev/urandom >"$source/$1/blob"
    printf 'x\n' >"$source/$1/scripts/离线 file.txt"
    tar -czf "$source/$1.tar.gz" -C "$source" "$1"
    split -n 5 -a 3 --numeric-suffixes=1 "$source/$1.tar.gz" "$STICK/$1.tar.gz."
    (cd "$STICK" && sha256sum "$1".tar.gz.00? >"$1.parts.sha256")
}

# tools TEXT NAME...: puts scripts of that text before the real tools of these names.
tools() {
    local text=$1 name
    shift
    mkdir -p "$BATS_TEST_TMPDIR/tools"
    for name in "$@"; do
        printf '#!/bin/bash\n%s\n' "$text" >"$BATS_TEST_TMPDIR/tools/$name"
        chmod +x "$BATS_TEST_TMPDIR/tools/$name"
    done
    PATH=$BATS_TEST_TMPDIR/tools:$PATH
}

nothing_is_left() {
    [ -z "$(ls -A "$HOST")" ]
}

@test "good parts: unpacked into the current folder, code 0, one line on stdout, what to do next" {
    run --separate-stderr bash "$STICK/join.sh"
    [ "$status" -eq 0 ]
    [ "$output" = $'ok\t5\t'"$(stat -c %s "$BATS_TEST_TMPDIR/source/$TOP.tar.gz")" ]
    [[ $stderr == *"All 5 parts"*"Next: bash $TOP/scripts/verify.sh" ]]
    [ "$(ls -A "$HOST")" = "$TOP" ]
    diff -r "$BATS_TEST_TMPDIR/source/$TOP" "$HOST/$TOP"
}

@test "plain sha256sum reads the list" {
    cd "$STICK"
    sha256sum --strict --quiet -c "$TOP.parts.sha256"
}

@test "no joined copy is written: nothing on the host is ever as big as the bundle, and nothing changes on the stick" {
    before=$(ls -A "$STICK")
    tools 'find . -type f -name "*.gz*" >>"$SEEN"; find . -type f -size +1 ! -path "*/new/*" >>"$SEEN"; PATH=${PATH#*:} exec cat "$@"' cat
    SEEN=$BATS_TEST_TMPDIR/seen run --separate-stderr bash "$STICK/join.sh"
    [ "$status" -eq 0 ]
    [ -e "$BATS_TEST_TMPDIR/seen" ]
    [ ! -s "$BATS_TEST_TMPDIR/seen" ]
    [ "$(ls -A "$STICK")" = "$before" ]
}

@test "--check: only checked, nothing unpacked, from anywhere" {
    run --separate-stderr bash "$STICK/join.sh" --check
    [[ $status -eq 0 && $output == ok$'\t5\t'* ]]
    nothing_is_left
}

@test "every bad part is named before anything is unpacked: code 3, lines for programs, words for people" {
    printf x >>"$STICK/$TOP.tar.gz.002"
    rm "$STICK/$TOP.tar.gz.004"
    run --separate-stderr bash "$STICK/join.sh"
    [ "$status" -eq 3 ]
    [ "$output" = $'bad\tpart-changed\t'"$TOP.tar.gz.002"$'\t2\nbad\tpart-missing\t'"$TOP.tar.gz.004"$'\t4' ]
    [[ $stderr == *"part 2, $TOP.tar.gz.002: not as it was made; copy it again"* ]]
    [[ $stderr == *"part 4, $TOP.tar.gz.004: not here; copy it here"*"2 problems"*"Nothing was unpacked"* ]]
    nothing_is_left
}

@test "the parts may be named by their folder, their list, their .parts.json or one of them" {
    touch "$STICK/$TOP.parts.json"
    for place in "$STICK" "$STICK/" "$STICK/$TOP.parts.sha256" "$STICK/$TOP.parts.json" "$STICK/$TOP.tar.gz.003"; do
        run --separate-stderr bash "$SCRIPT" --check "$place"
        [[ $status -eq 0 && $output == ok$'\t5\t'* ]]
    done
}

@test "a part that is named and lacks is named as missing" {
    rm "$STICK/$TOP.tar.gz.001"
    run --separate-stderr bash "$SCRIPT" --check "$STICK/$TOP.tar.gz.001"
    [[ $status -eq 3 && $output == $'bad\tpart-missing\t'"$TOP.tar.gz.001"$'\t1' ]]
}

@test "two bundles on one stick: code 2 and their names; named, each unpacks" {
    make_parts other-20270101-000000
    run --separate-stderr bash "$STICK/join.sh"
    [[ $status -eq 2 && -z $output && $stderr == *"more than one bundle"*other-20270101-000000.parts.sha256* ]]
    run --separate-stderr bash "$STICK/join.sh" "$STICK/other-20270101-000000.tar.gz.001"
    [ "$status" -eq 0 ]
    [ "$(ls -A "$HOST")" = other-20270101-000000 ]
}

@test "no list: code 2, and which file to copy" {
    rm "$STICK/$TOP.parts.sha256"
    run --separate-stderr bash "$STICK/join.sh"
    [[ $status -eq 2 && -z $output && $stderr == *".parts.sha256"* ]]
    run --separate-stderr bash "$STICK/join.sh" "$STICK/$TOP.tar.gz.001"
    [[ $status -eq 2 && -z $output && $stderr == *".parts.sha256"* ]]
}

@test "a list that is none, or of another name: code 3, malformed" {
    local list=$STICK/$TOP.parts.sha256 good
    good=$(cat "$list")
    for bad in '' "$good" "$good"$'\r\n' "${good/.001/.002}"$'\n' "${good#*$'\n'}"$'\n' "${good//$TOP/other}"$'\n' \
        "${good//  / }"$'\n' "$good"$'\n\n' "${good/.tar.gz.005/.tar.gz.005/..\/x}"$'\n' "${good^^}"$'\n'; do
        printf '%s' "$bad" >"$list"
        run --separate-stderr bash "$STICK/join.sh" --check
        [[ $status -eq 3 && $output == $'bad\tmalformed\t'"$TOP.parts.sha256" && $stderr == *"copy it again"* ]]
    done
    printf '%s\n' "$good" >"$list"
    bash "$STICK/join.sh" --check
}

@test "used wrongly: code 2, the reason and the usage, nothing on stdout" {
    touch notes.txt
    for arguments in --unknown '--lang fr' --lang "$STICK $STICK" /no/such/folder notes.txt; do
        # shellcheck disable=SC2086 # words on purpose
        run --separate-stderr bash "$SCRIPT" $arguments
        [ "$status" -eq 2 ]
        [ -z "$output" ]
        [[ $stderr == error:*"usage: bash join.sh"* ]]
    done
}

@test "--help: the usage, code 0; sourced, it does nothing" {
    run --separate-stderr bash "$SCRIPT" --help
    [[ $status -eq 0 && $stderr == usage:* ]]
    run bash -c 'source "$1"' - "$SCRIPT"
    [[ $status -eq 0 && -z $output ]]
}

@test "both languages have the same sentences with the same fields, and each is used" {
    source "$SCRIPT"
    [ "$(printf '%s\n' "${!ENGLISH[@]}" | sort)" = "$(printf '%s\n' "${!CHINESE[@]}" | sort)" ]
    for key in "${!ENGLISH[@]}"; do
        [ "$(grep -oE '%[a-z]' <<<"${ENGLISH[$key]}")" = "$(grep -oE '%[a-z]' <<<"${CHINESE[$key]}")" ]
        [ "$(grep -cE "\b(tell|stop [0-9]|misused|problem) $key\b" "$SCRIPT")" -ge 1 ]
    done
}

@test "names are shown as verify.sh shows them" {
    source "$SCRIPT"
    export LC_ALL=C
    for name in plain '离线 - 副本' $'a\nb' 'back\slash' $'\xff' $'\xe4\xb8'; do
        [ "$(shown "$name")" = "$(source "$BATS_TEST_DIRNAME/../../scripts/host/lib/verify.sh" && shown "$name")" ]
    done
}

@test "Chinese by option and by locale; the lines for programs stay the same" {
    rm "$STICK/$TOP.tar.gz.001"
    run --separate-stderr bash "$STICK/join.sh" --lang zh
    [[ $status -eq 3 && $output == $'bad\tpart-missing\t'* && $stderr == *请拷贝过来* ]]
    LANG=zh_CN.UTF-8 run --separate-stderr bash "$STICK/join.sh"
    [[ $status -eq 3 && $stderr == *请拷贝过来* ]]
    LANG=zh_CN.UTF-8 run --separate-stderr bash "$STICK/join.sh" --lang en
    [[ $status -eq 3 && $stderr == *"copy it here"* ]]
}

@test "a folder of that name is there already: code 6, untouched, before the parts are read" {
    mkdir "$TOP"
    touch "$TOP/mine"
    tools 'exit 99' sha256sum
    run --separate-stderr bash "$STICK/join.sh"
    [[ $status -eq 6 && -z $output && $stderr == *"is there already"* ]]
    [ "$(ls -A "$TOP")" = mine ]
}

@test "too little room: code 6 with both figures, before the parts are read" {
    tools 'printf "Avail\n 4096\n"' df
    tools 'exit 99' sha256sum
    run --separate-stderr bash "$STICK/join.sh"
    [[ $status -eq 6 && $stderr == *"4096 bytes free"*"at least $(stat -c %s "$BATS_TEST_TMPDIR/source/$TOP.tar.gz")"* ]]
    nothing_is_left
}

@test "the disk fills up while unpacking: code 6, and what was unpacked is taken away again" {
    tools 'PATH=${PATH#*:} tar "$@"; echo "tar: Cannot write: No space left on device" >&2; exit 2' tar
    run --separate-stderr bash "$STICK/join.sh"
    [[ $status -eq 6 && -z $output && $stderr == *"No space left on device"*"taken away again"* ]]
    nothing_is_left
}

@test "tar ends at once: code 6, nothing is left, nothing waits" {
    tools 'exit 2' tar
    run --separate-stderr timeout 20 bash "$STICK/join.sh"
    [ "$status" -eq 6 ]
    nothing_is_left
}

@test "a part that cannot be read the second time: code 6, even where the rest is a whole gzip; nothing is left" {
    tools 'case $3$2 in *.005) exit 1 ;; *) PATH=${PATH#*:} exec cat "$@" ;; esac' cat
    tools 'PATH=${PATH#*:} tar "$@"; exit 0' tar
    run --separate-stderr bash "$STICK/join.sh"
    [[ $status -eq 6 && $stderr == *"taken away again"* ]]
    nothing_is_left
}

@test "an archive without the one folder: code 6, nothing is left" {
    rm "$STICK"/*.tar.gz.*
    tar -czf "$STICK/$TOP.tar.gz.001" -C "$BATS_TEST_TMPDIR/source/$TOP" blob
    (cd "$STICK" && sha256sum "$TOP.tar.gz.001" >"$TOP.parts.sha256")
    run --separate-stderr bash "$STICK/join.sh"
    [[ $status -eq 6 && $stderr == *"does not hold one folder $TOP"* ]]
    nothing_is_left
}

@test "interrupted: code 130, its children end with it, nothing is left" {
    mkfifo "$BATS_TEST_TMPDIR/started"
    tools "echo \$\$ >$BATS_TEST_TMPDIR/started; exec sleep 300" tar
    bash "$STICK/join.sh" >/dev/null 2>&1 3>&- &
    script=$!
    read -r child <"$BATS_TEST_TMPDIR/started"
    kill -TERM "$script"
    code=0
    wait "$script" || code=$?
    [ "$code" -eq 130 ]
    timeout 10 tail --pid="$child" -f /dev/null
    nothing_is_left
}

@test "killed: the next run takes away what was left, and unpacks; what another run is unpacking stays" {
    mkdir -p ".$TOP.joining-dead/new/$TOP" ".$TOP.joining-live/new/$TOP"
    exec 8<".$TOP.joining-live"
    flock -n 8
    run --separate-stderr bash "$STICK/join.sh"
    exec 8<&-
    [ "$status" -eq 0 ]
    [ "$(ls -A)" = ".$TOP.joining-live"$'\n'"$TOP" ]
}

@test "the stick may be read-only, and have any name" {
    mv "$STICK" "$BATS_TEST_TMPDIR/U 盘 [1]"
    STICK="$BATS_TEST_TMPDIR/U 盘 [1]"
    chmod -R a-w "$STICK"
    run --separate-stderr bash "$STICK/join.sh"
    chmod -R u+w "$STICK"
    [ "$status" -eq 0 ]
    diff -r "$BATS_TEST_TMPDIR/source/$TOP" "$HOST/$TOP"
}

@test "a caller's tar options, locale and CDPATH change nothing" {
    cd "$STICK"
    run --separate-stderr env TAR_OPTIONS=--exclude=blob TAPE=/dev/null CDPATH=/tmp POSIXLY_CORRECT=1 bash join.sh
    [ "$status" -eq 0 ]
    diff -r "$BATS_TEST_TMPDIR/source/$TOP" "$STICK/$TOP"
}
