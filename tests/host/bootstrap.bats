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

# --- engine ---

@test "an engine that is there and silent is started by hand where systemd does not run" {
    make_complete
    put_dockerd "$BIN"
    put_systemd
    echo offline >"$MACHINE/systemd"
    rm "$MACHINE/engine"
    run -0 bootstrap true
    [ "$(count_calls '^dockerd')" -eq 1 ]
    [ "$(count_calls '^systemctl start')" -eq 0 ]
}

@test "an engine that is there and silent is started by systemd where it runs" {
    make_complete
    put_dockerd "$BIN"
    put_systemd
    rm "$MACHINE/engine"
    run -0 bootstrap true
    [ "$(count_calls '^systemctl enable docker')" -eq 1 ]
    [ "$(count_calls '^systemctl start docker')" -eq 1 ]
    [ "$(count_calls '^dockerd')" -eq 0 ]
}

@test "an engine started by hand holds no file of the caller" {
    make_complete
    stub "$BIN" ls <<<"exec $(command -v ls) \"\$@\""
    stub "$BIN" dockerd <<<'ls -l /proc/self/fd >"$MACHINE/open"; echo 1.41 >"$MACHINE/engine"'
    rm "$MACHINE/engine"
    exec 7>"$MACHINE/lock-of-the-caller"
    run -0 bootstrap true
    exec 7>&-
    grep -q dockerd.log "$MACHINE/open"
    run ! grep -q 'lock' "$MACHINE/open"
}

@test "an engine that dies at its start ends with 5 and the last lines of its log" {
    make_complete
    put_dockerd "$BIN"
    touch "$MACHINE/dockerd-fails"
    rm "$MACHINE/engine"
    run -5 bootstrap true
    [[ $output == *'a line of its log'* ]]
}

@test "an engine named by DOCKER_HOST is used, and never started when it is silent" {
    make_complete
    put_dockerd "$BIN"
    rm "$MACHINE/engine"
    DOCKER_HOST=ssh://builder run -5 bootstrap true
    [[ $output == *ssh://builder* ]]
    [ "$(count_calls '^dockerd')" -eq 0 ]
}

@test "an engine named by a docker context is never started when it is silent" {
    make_complete
    put_dockerd "$BIN"
    echo builder >"$MACHINE/context"
    rm "$MACHINE/engine"
    run -5 bootstrap true
    [[ $output == *'docker context builder'* ]]
    [ "$(count_calls '^dockerd')" -eq 0 ]
}

# --- packages ---

@test "on a bare Debian, root gets Python, engine and tools installed and the engine started" {
    fill_shelf
    : >"$MACHINE/refusal"
    run -0 bootstrap sh -c 'echo "$OFFLINE_DOCKER"'
    [ "${lines[-1]}" = "$BIN/docker" ]
    [ "$(count_calls '^apt-get install.* python3 python3-venv docker.io iptables mmdebstrap ')" -eq 1 ]
    [ "$(count_calls '^dockerd')" -eq 1 ]
}

@test "nothing is ever removed to make room for a package" {
    fill_shelf
    : >"$MACHINE/refusal"
    bootstrap true
    [ "$(count_calls '^apt-get install -y --no-remove ')" -eq 1 ]
}

@test "where client and buildx are packages of their own, they are installed too" {
    fill_shelf
    : >"$MACHINE/refusal"
    rm "$SHELF/docker.io/docker"
    put_docker "$SHELF/docker-cli" 'Docker version 26.1.5, build 1' buildx
    shelve docker-buildx
    run -0 bootstrap true
    [ "$(count_calls '^apt-get install.* docker-cli docker-buildx ')" -eq 1 ]
}

@test "docker-ce is taken where its repository is configured" {
    fill_shelf
    : >"$MACHINE/refusal"
    put_docker "$SHELF/docker-ce-cli" 'Docker version 28.5.2, build 1' buildx
    put_dockerd "$SHELF/docker-ce"
    shelve containerd.io
    shelve docker-buildx-plugin
    run -0 bootstrap true
    [ "$(count_calls '^apt-get install.* docker-ce docker-ce-cli containerd.io docker-buildx-plugin ')" -eq 1 ]
    [ "$(count_calls '^apt-get install.* docker\.io ')" -eq 0 ]
}

@test "nox gets the tools of the tests as well" {
    make_complete
    fill_shelf
    stub "$BIN" nox </dev/null
    run -0 bootstrap nox
    [ "$(count_calls '^apt-get install.* iproute2 iptables docker-compose openssh-client ')" -eq 1 ]
}

@test "a tool that no list has stops nobody" {
    make_complete
    rm "$BIN/mmdebstrap"
    run -0 bootstrap true
    [ "$(count_calls '^apt-get install')" -eq 0 ]
}

@test "an installation that fails ends with 6 and what apt said" {
    fill_shelf
    : >"$MACHINE/refusal"
    touch "$MACHINE/apt-fails"
    run -6 bootstrap true
    [[ $output == *'E: no space left'* ]]
    [ ! -e "$KIT/.venv" ]
}

@test "an engine that answers is not joined by another: where no client can build, a person decides" {
    make_complete
    fill_shelf
    put_docker "$BIN" 'Docker version 28.2.2, build e6534b4'
    run -5 bootstrap true
    [[ $output == *buildx* ]]
    [ "$(count_calls '^apt-get install')" -eq 0 ]
}

@test "an engine that answers gets a client package where there is one" {
    make_complete
    fill_shelf
    put_docker "$BIN" 'Docker version 28.2.2, build e6534b4'
    put_docker "$SHELF/docker-buildx" 'Docker version 28.2.2, build e6534b4' buildx
    run -0 bootstrap true
    [ "$(count_calls '^apt-get install.* docker-buildx')" -eq 1 ]
    [ "$(count_calls '^apt-get install.* docker.io')" -eq 0 ]
}

# --- where it cannot do the work itself ---

@test "not root: the exact commands, exit 5, nothing changed" {
    fill_shelf
    : >"$MACHINE/refusal"
    as_user 1000
    run -5 bootstrap true
    [[ $output == *'sudo apt-get update'*'sudo apt-get install -y '*' python3 python3-venv docker.io iptables'* ]]
    [[ $output == *'sudo usermod -aG docker'* ]]
    [ "$(count_calls '^apt-get')" -eq 0 ]
    [ ! -e "$KIT/.venv" ]
}

@test "not root, and the engine is only forbidden: what is missing is the group, not an engine" {
    make_complete
    rm "$MACHINE/engine"
    echo 'permission denied while trying to connect' >"$MACHINE/refusal"
    as_user 1000
    run -5 bootstrap true
    [[ $output == *'sudo usermod -aG docker'* ]]
    [[ $output != *dockerd* ]]
}

@test "not root with everything there: it works" {
    make_complete
    as_user 1000
    run -0 bootstrap true
}

@test "not root and only a tool is missing: named, and the command runs" {
    make_complete
    fill_shelf
    as_user 1000
    rm "$BIN/mmdebstrap"
    run -0 bootstrap true
    [[ $output == *'sudo apt-get install'*mmdebstrap* ]]
}

@test "macOS without Docker Desktop: its commands, exit 5" {
    as_user 501
    on_system Darwin
    put_python "$BIN" python3
    run -5 bootstrap true
    [[ $output == *'brew install --cask docker'* ]]
    [[ $output != *'brew install python'* ]]
}

@test "Windows: the commands of PowerShell, exit 5" {
    make_complete
    on_system MINGW64_NT-10.0
    run -5 bootstrap true
    [[ $output == *'pip install -e .'* ]]
}

@test "a Linux with neither apt nor dnf: what to install, exit 5" {
    rm "$BIN/apt-get"
    run -5 bootstrap true
    [[ $output == *'https://docs.docker.com/engine/install/'* ]]
}

@test "a folder that this user may not write to is named" {
    make_complete
    touch "$KIT/.offline" # a file in the way: root ignores modes
    run -5 bootstrap true
    [[ $output == *'may not write'* ]]
}
