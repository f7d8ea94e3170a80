#!/usr/bin/env bats
# What `sh scripts/bootstrap.sh COMMAND` does on machines of every kind. No engine, no network.
# shellcheck disable=SC2016,SC2030,SC2031  # text for other shells; each test is a subshell on purpose

bats_require_minimum_version 1.5.0
load bootstrap_machine

setup() {
    make_machine
}

# --- the command ---

@test "the command runs from the repository root with its own exit code" {
    make_complete
    run -7 bootstrap sh -c 'cd . && pwd && exit 7'
    [ "${lines[-1]}" = "$KIT" ]
}

@test "arguments keep their spaces, quotes and emptiness" {
    make_complete
    run -0 bootstrap sh -c 'printf "<%s>" "$@"' name 'a  b' "it's" '' '*'
    [[ $output == *"<a  b><it's><><*>" ]]
}

@test "the command is the very process, so a signal reaches it" {
    make_complete
    bootstrap true
    PATH="$BIN" sh "$KIT/scripts/bootstrap.sh" sh -c 'trap "exit 3" TERM; : >"$MACHINE/up"; while :; do sleep 0.05; done' 3>&- &
    local pid=$! code=0
    await test -f "$MACHINE/up"
    kill -TERM "$pid"
    wait "$pid" || code=$?
    [ "$code" -eq 3 ]
}

@test "what is in .venv comes first on PATH" {
    make_complete
    run -0 bootstrap sh -c 'command -v python'
    [ "${lines[-1]}" = "$KIT/.venv/bin/python" ]
}

@test "stdout belongs to the command alone" {
    fill_shelf
    : >"$MACHINE/refusal"
    run -0 --separate-stderr bootstrap sh -c 'echo "{}"'
    [ "$output" = '{}' ]
}

@test "without a command it explains itself and ends with 2" {
    run -2 bootstrap
    [[ $output == usage:* ]]
}

@test "a command that is not there ends with 127" {
    make_complete
    run -127 bootstrap nonesuch
}

# --- .venv ---

@test "the first run installs exactly what the lock names, with hashes, and leaves index and CA to pip" {
    make_complete
    run -0 bootstrap true
    grep '^pip ' "$MACHINE/calls" >"$MACHINE/pip-calls"
    [ "$(cat "$MACHINE/pip-calls")" = \
        'pip install --quiet --no-input --disable-pip-version-check --require-hashes -r requirements.lock' ]
}

@test "a second run installs nothing, makes nothing and says nothing" {
    make_complete
    bootstrap true
    : >"$MACHINE/calls"
    run -0 bootstrap true
    [ -z "$output" ]
    [ "$(count_calls '^pip\|^python3\|^apt')" -eq 0 ]
}

@test "a changed lock is installed into the same .venv" {
    make_complete
    bootstrap true
    touch "$KIT/.venv/kept"
    echo '# more' >>"$KIT/requirements.lock"
    run -0 bootstrap true
    [ "$(count_calls '^pip install')" -eq 2 ]
    [ -f "$KIT/.venv/kept" ]
}

@test "a .venv half made by a killed run is made anew" {
    make_complete
    touch "$MACHINE/pip-hangs"
    setsid env "PATH=$BIN" sh "$KIT/scripts/bootstrap.sh" true 3>&- &
    local pid=$!
    await test -f "$MACHINE/pip-started"
    kill -KILL -- "-$pid"
    rm "$MACHINE/pip-hangs"
    touch "$KIT/.venv/half"
    run -0 bootstrap true
    [ ! -e "$KIT/.venv/half" ]
    [ "$(count_calls '^python3 -m venv')" -eq 2 ]
}

@test "a .venv that was moved here with the folder is made anew, as its scripts name the old place" {
    make_complete
    bootstrap true
    mv "$KIT" "$MACHINE/moved"
    KIT="$MACHINE/moved"
    run -0 bootstrap true
    [ "$(count_calls '^python3 -m venv')" -eq 2 ]
}

@test "a .venv that somebody made themselves is kept and completed" {
    make_complete
    (cd "$KIT" && PATH="$BIN:$PATH" python3 -m venv .venv)
    touch "$KIT/.venv/theirs"
    run -0 bootstrap true
    [ -f "$KIT/.venv/theirs" ]
    [ "$(count_calls '^pip install')" -eq 1 ]
}

@test "pip failing ends with 6 and shows what pip said; the next run goes on" {
    make_complete
    touch "$MACHINE/pip-fails"
    run -6 bootstrap true
    [[ $output == *'no route to the index'*'PIP_INDEX_URL'* ]]
    rm "$MACHINE/pip-fails"
    run -0 bootstrap true
}

@test "pip failing on a changed lock costs nobody their .venv" {
    make_complete
    bootstrap true
    touch "$KIT/.venv/kept" "$MACHINE/pip-fails"
    echo '# more' >>"$KIT/requirements.lock"
    run -6 bootstrap true
    rm "$MACHINE/pip-fails"
    run -0 bootstrap true
    [ -f "$KIT/.venv/kept" ]
}

@test "a python3 that is too old is passed over for a newer one by its full name" {
    make_complete
    put_python "$BIN" python3 too-old
    put_python "$BIN" python3.12
    run -0 bootstrap true
    [ "$(count_calls '^python3.12 -m venv')" -eq 1 ]
}

@test "two at once: one makes .venv, the other waits and uses it" {
    make_complete
    touch "$MACHINE/pip-hangs"
    sed -i 's/time.sleep(600)/while (machine \/ "pip-hangs").exists(): time.sleep(0.05)/' "$MACHINE/pip.py"
    bootstrap true 3>&- &
    local first=$!
    await test -f "$MACHINE/pip-started"
    bootstrap true 2>"$MACHINE/second" 3>&- &
    local second=$!
    await grep -q waiting "$MACHINE/second"
    rm "$MACHINE/pip-hangs"
    wait "$first"
    wait "$second"
    [ "$(count_calls '^pip install')" -eq 1 ]
}

@test "the lock is not passed on to the command" {
    make_complete
    run -0 bootstrap sh -c 'flock -n .offline/bootstrap.lock echo free'
    [ "${lines[-1]}" = free ]
}

@test "without flock (macOS) a folder is the lock, and it is gone afterwards" {
    make_complete
    rm "$BIN/flock"
    run -0 bootstrap true
    [ ! -e "$KIT/.offline/bootstrap.lock.d" ]
    [ "$(count_calls '^pip install')" -eq 1 ]
}

# --- docker client ---

@test "a newer client without buildx that is first on PATH is passed over for an older one behind it" {
    make_complete
    put_docker "$MACHINE/first" 'Docker version 28.2.2, build e6534b4'
    BIN="$MACHINE/first:$BIN" run -0 bootstrap sh -c 'echo "$OFFLINE_DOCKER"'
    [ "${lines[-1]}" = "$BIN/docker" ]
}

@test "a newer client with buildx is taken where it stands" {
    make_complete
    put_docker "$MACHINE/first" 'Docker version 28.2.2, build e6534b4' buildx
    BIN="$MACHINE/first:$BIN" run -0 bootstrap sh -c 'echo "$OFFLINE_DOCKER"'
    [ "${lines[-1]}" = "$MACHINE/first/docker" ]
}

@test "podman under the name docker is no docker" {
    make_complete
    put_docker "$MACHINE/first" 'podman version 4.9.3' buildx
    BIN="$MACHINE/first:$BIN" run -0 bootstrap sh -c 'echo "$OFFLINE_DOCKER"'
    [ "${lines[-1]}" = "$BIN/docker" ]
}

@test "OFFLINE_DOCKER is obeyed" {
    make_complete
    put_docker "$MACHINE/mine" 'Docker version 20.10.24, build 1'
    OFFLINE_DOCKER="$MACHINE/mine/docker" run -0 bootstrap sh -c 'echo "$OFFLINE_DOCKER"'
    [ "${lines[-1]}" = "$MACHINE/mine/docker" ]
}

@test "OFFLINE_DOCKER naming a client that cannot build is refused, not replaced" {
    make_complete
    put_docker "$MACHINE/mine" 'Docker version 28.2.2, build e6534b4'
    OFFLINE_DOCKER="$MACHINE/mine/docker" run -5 bootstrap true
    [[ $output == *"OFFLINE_DOCKER=$MACHINE/mine/docker"* ]]
}

@test "an engine older than 20.10 is refused with its version" {
    make_complete
    echo 1.40 >"$MACHINE/engine"
    run -5 bootstrap true
    [[ $output == *'its API is 1.40'* ]]
}
