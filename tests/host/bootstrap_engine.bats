#!/usr/bin/env bats
# How bootstrap.sh brings an engine and packages, and what it says where it cannot. No engine, no network.
# shellcheck disable=SC2016,SC2030,SC2031  # text for other shells; each test is a subshell on purpose

bats_require_minimum_version 1.5.0
load bootstrap_machine

setup() {
    make_machine
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
