# install-docker-centos.sh as an operator meets it, on a host made of files; tests/compat runs it on a real one.

bats_require_minimum_version 1.5.0

setup() {
    # shellcheck source=tests/host/preflight_machine.bash
    source "$BATS_TEST_DIRNAME/preflight_machine.bash"
    good_machine
    for name in engine-check engine-files engine-start; do
        # shellcheck disable=SC1090
        source "$BATS_TEST_DIRNAME/../../scripts/host/lib/$name.sh"
    done
    SYSTEM=$BATS_TEST_TMPDIR/system DATA_ROOT='' ENGINE_PACKAGES=() RELEASE=26.1.4-aa
    mkdir -p "$SYSTEM$ENGINE_HOME" "$BUNDLE/engine"
    bare
    engine_of_bundle
}

# bare: neither engine nor Compose, and no daemon.
bare() {
    rm "$MACHINE/bin/docker" "$MACHINE/bin/docker-compose"
    command() {
        [[ $1 == -v && ($2 == docker || $2 == dockerd) && ! -e $MACHINE/bin/$2 ]] && return 1
        builtin command "$@"
    }
}

# engine_of_bundle: files that are as the facts say, and the facts as SHA256SUMS says.
engine_of_bundle() {
    printf tarball >"$BUNDLE/engine/docker.tgz"
    printf compose >"$BUNDLE/engine/docker-compose"
    printf 'engine\t26.1.4\t2.27.1\n' >>"$FACTS"
    for name in docker.tgz docker-compose; do
        sum=$(sha256sum <"$BUNDLE/engine/$name")
        printf 'engine_file\t%s\t%s\n' "$name" "${sum%% *}" >>"$FACTS"
    done
    (cd "$BUNDLE" && sha256sum scripts/facts.tsv >SHA256SUMS)
}

program() {
    printf '#!/bin/sh\necho "%s"\n' "$2" >"$MACHINE/bin/$1"
    chmod +x "$MACHINE/bin/$1"
}

@test "usage: options that are not known, values that cannot be used" {
    script=$BATS_TEST_DIRNAME/../../scripts/host/install-docker-centos.sh
    for words in --unknown '--data-root here' '--lang fr'; do
        # shellcheck disable=SC2086 # words on purpose
        run --separate-stderr bash "$script" --lang en $words
        [[ $status -eq 2 && $stderr == error:*usage:* ]]
    done
    run --separate-stderr bash "$script" --help
    [[ $status -eq 0 && $stderr == *--upgrade*--data-root* ]]
}

@test "a delta that leaves the engine out says which bundle has it" {
    rm -r "$BUNDLE/engine"
    printf 'file\tengine/docker.tgz\t-\t0\t20261101-000000\n' >"$BUNDLE/omitted.tsv"
    run --separate-stderr check_engine_files
    [[ $status -eq 5 && $stderr == *"leaves the engine out"*"invoke package --id $(fact "$FACTS" id)"* ]]
}

@test "a bundle without an engine says so" {
    rm -r "$BUNDLE/engine"
    run --separate-stderr check_engine_files
    [[ $status -eq 5 && $stderr == *"no files of an engine"* ]]
}

@test "the release is named by version and content" {
    check_engine_files
    [[ $RELEASE =~ ^26\.1\.4-[0-9a-f]{12}$ ]]
}

@test "files, and the facts that name them, are held to what was released; every bad one is named" {
    printf x >>"$BUNDLE/engine/docker.tgz"
    rm "$BUNDLE/engine/docker-compose"
    run --separate-stderr check_engine_files
    [[ $status -eq 3 && $stderr == *docker.tgz:*docker-compose:*"Copy the bundle again."* ]]
    engine_of_bundle
    sed -i 's/2\.27\.1/2.27.2/' "$FACTS"
    run --separate-stderr check_engine_files
    [[ $status -eq 3 && $stderr == *scripts/facts.tsv:* ]]
}

@test "a host that can have it" {
    check_engine_host
}

@test "everything against it at once" {
    answer uid 1000
    rm "$MACHINE/bin/iptables"
    command() {
        [[ $1 == -v && $2 == iptables ]] && return 1
        [[ $1 == -v && $2 == docker* && ! -e $MACHINE/bin/$2 ]] && return 1
        builtin command "$@"
    }
    program dockerd 'Docker version 18.09.1'
    run --separate-stderr check_engine_host
    [[ $status -eq 5 && $stderr == *"[root]"*"[iptables]"*"[engine]"*"Nothing was changed"* ]]
}

@test "another engine is named, and podman-docker by its own name" {
    program docker 'Docker version 18.09.1, build x'
    run --separate-stderr check_engine_host
    [[ $status -eq 5 && $stderr == *"Another Docker engine is here: $MACHINE/bin/docker."* ]]
    program docker 'podman version 4.9.4'
    run --separate-stderr check_engine_host
    [[ $status -eq 5 && $stderr == *"podman-docker is installed"* ]]
}

@test "packages by rpm and by dpkg" {
    ENGINE_PACKAGES=(podman-docker moby-engine docker.io)
    printf '#!/bin/sh\n[ "$3" = moby-engine ]\n' >"$MACHINE/bin/rpm"
    printf '#!/bin/sh\n[ "$4" = docker.io ] && echo "install ok installed"\n' >"$MACHINE/bin/dpkg-query"
    chmod +x "$MACHINE/bin/rpm" "$MACHINE/bin/dpkg-query"
    run --separate-stderr check_engine_host
    [[ $status -eq 5 && $stderr == *"is here: docker.io moby-engine."* ]]
}

@test "a daemon that runs from elsewhere" {
    mkdir "$PROC/88"
    echo dockerd >"$PROC/88/comm"
    ln -s /opt/else/dockerd "$PROC/88/exe"
    run --separate-stderr check_engine_host
    [[ $status -eq 5 && $stderr == *"dockerd(pid:88)"* ]]
}

@test "an engine that this script installed is not another one" {
    mkdir -p "$SYSTEM$ENGINE_HOME/26.1.4-aa/bin"
    program dockerd x
    mv "$MACHINE/bin/dockerd" "$SYSTEM$ENGINE_HOME/26.1.4-aa/bin/dockerd"
    ln -s "$SYSTEM$ENGINE_HOME/26.1.4-aa/bin/dockerd" "$MACHINE/bin/dockerd"
    check_engine_host
}

@test "too little room: the missing amount" {
    echo '/ /dev/vda 9 9 0 99% /' >"$MACHINE/answers/df"
    run --separate-stderr check_engine_host
    [[ $status -eq 5 && $stderr == *"0 B free, 35 B needed, 35 B missing"* ]]
}

@test "settings: log rotation, a pool that nobody uses here, a data root that is asked for" {
    write_settings
    settings=$(cat "$SYSTEM/etc/docker/daemon.json")
    [[ $settings == *'"base": "172.29.0.0/16", "size": 24'*'"max-size": "20m"'* && $settings != *data-root* ]]
    rm "$SYSTEM/etc/docker/daemon.json"
    echo 'eth1 00001DAC 00000000 0001 0 0 0 0000FFFF 0 0 0' >>"$PROC/net/route" # 172.29.0.0/16
    DATA_ROOT=/home/docker
    write_settings
    [[ $(cat "$SYSTEM/etc/docker/daemon.json") == *'"data-root": "/home/docker"'*'172.26.0.0/16'* ]]
}

@test "a pool never holds the stack's own network" {
    fact_is subnet 172.29.5.0/24
    [ "$(free_pool)" = 172.26.0.0/16 ]
}

@test "settings of the operator's own stay, and are not taken away again" {
    mkdir -p "$SYSTEM/etc/docker"
    echo '{"mtu": 1400}' >"$SYSTEM/etc/docker/daemon.json"
    run --separate-stderr write_settings
    [[ $stderr == *"stays as it is"* ]]
    remove_everything
    [ "$(cat "$SYSTEM/etc/docker/daemon.json")" = '{"mtu": 1400}' ]
}

@test "a data root that the operator's own settings do not name is refused" {
    mkdir -p "$SYSTEM/etc/docker"
    echo '{"data-root": "/data/docker"}' >"$SYSTEM/etc/docker/daemon.json"
    DATA_ROOT=/home/docker
    run --separate-stderr check_engine_host
    [[ $status -eq 5 && $stderr == *"[data-root]"* ]]
    DATA_ROOT=/data/docker
    check_engine_host
}

@test "a tarball that lacks a binary, or one that does not run, is never put in place" {
    mkdir -p "$BATS_TEST_TMPDIR/docker"
    for name in "${BINARIES[@]}"; do
        printf '#!/bin/sh\n' >"$BATS_TEST_TMPDIR/docker/$name"
        chmod +x "$BATS_TEST_TMPDIR/docker/$name"
    done
    cp "$BATS_TEST_TMPDIR/docker/ctr" "$BUNDLE/engine/docker-compose"
    printf '#!/bin/sh\nexit 127\n' >"$BATS_TEST_TMPDIR/docker/runc"
    tar -czf "$BUNDLE/engine/docker.tgz" -C "$BATS_TEST_TMPDIR" docker
    run --separate-stderr prepare_release
    [[ $status -eq 6 && $(ls -A "$SYSTEM$ENGINE_HOME") == '' ]]
    rm "$BATS_TEST_TMPDIR/docker/runc"
    tar -czf "$BUNDLE/engine/docker.tgz" -C "$BATS_TEST_TMPDIR" docker
    run --separate-stderr prepare_release
    [[ $status -eq 6 && $stderr == *"lacks runc"* && $(ls -A "$SYSTEM$ENGINE_HOME") == '' ]]
}

@test "another's docker-compose stays; ours are links that follow the release in service" {
    mkdir -p "$SYSTEM/usr/bin"
    echo theirs >"$SYSTEM/usr/bin/docker-compose"
    run --separate-stderr link_programs
    [[ $stderr == *"/usr/bin/docker-compose is another program"* && $(cat "$SYSTEM/usr/bin/docker-compose") == theirs ]]
    [ "$(readlink "$SYSTEM/usr/bin/docker")" = "$ENGINE_HOME/current/bin/docker" ]
    [ -L "$SYSTEM/usr/local/lib/docker/cli-plugins/docker-compose" ]
}

@test "releases that are neither in service nor the one before are forgotten" {
    mkdir "$SYSTEM$ENGINE_HOME"/{1,2,3}
    link current 3
    link former 2
    forget_old_releases
    [ "$(cd "$SYSTEM$ENGINE_HOME" && echo *)" = "2 3 current former" ]
}
