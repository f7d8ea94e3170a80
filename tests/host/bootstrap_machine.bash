# A machine made of stubs: PATH holds nothing but them and the plain tools, so no engine, network or root is touched.
# shellcheck shell=bash disable=SC2034  # the tests read the variables

make_machine() {
    unset OFFLINE_DOCKER DOCKER_HOST DOCKER_CONTEXT VIRTUAL_ENV
    export MACHINE="$BATS_TEST_TMPDIR"
    export PYTHON
    PYTHON="$(python3 -c 'import sys; print(sys._base_executable)')"
    KIT="$MACHINE/the kit"
    BIN="$MACHINE/sbin" # a name with sbin: the script then adds no real one
    SHELF="$MACHINE/shelf"
    mkdir -p "$KIT/scripts" "$BIN" "$SHELF"
    cp -R "$BATS_TEST_DIRNAME/../../scripts/bootstrap.sh" "$BATS_TEST_DIRNAME/../../scripts/bootstrap" "$KIT/scripts/"
    echo '# nothing' >"$KIT/requirements.lock"
    : >"$MACHINE/calls"
    local tool
    for tool in sh bash cat sed awk grep tr head tail mkdir mv rm rmdir sleep dirname timeout flock env true echo cp; do
        ln -s "$(type -P "$tool")" "$BIN/$tool"
    done
    as_user 0
    on_system Linux
    put_package_manager
}

# stub FOLDER NAME: the script comes on stdin; each call is noted
stub() {
    mkdir -p "$1"
    {
        echo '#!/bin/sh'
        echo "echo \"$2 \$*\" >>\"\$MACHINE/calls\""
        cat
    } >"$1/$2"
    chmod +x "$1/$2"
}

as_user() { stub "$BIN" id <<<"[ \"\$1\" = -un ] && echo someone || echo $1"; }
on_system() { stub "$BIN" uname <<<"echo $1"; }

# put_python FOLDER NAME [too-old]: a real venv without pip, and a pip that notes its call and obeys $MACHINE/pip
put_python() {
    stub "$1" "$2" <<EOS
case "\$*" in
    *ensurepip*) [ -z "${3-}" ] && echo "\$0" ; exit ;;
    '-m venv '*) "$PYTHON" -m venv --without-pip "\$3" || exit
        for site in "\$3"/lib/python*/site-packages; do
            mkdir "\$site/pip"; : >"\$site/pip/__init__.py"; cp "\$MACHINE/pip.py" "\$site/pip/__main__.py"
        done ;;
    *) exec "$PYTHON" "\$@" ;;
esac
EOS
    cat >"$MACHINE/pip.py" <<'EOS'
import os, pathlib, sys
machine = pathlib.Path(os.environ["MACHINE"])
with (machine / "calls").open("a") as calls:
    print("pip", *sys.argv[1:], file=calls)
(machine / "pip-started").touch()
if (machine / "pip-hangs").exists():
    import time
    time.sleep(600)
if (machine / "pip-fails").exists():
    sys.exit("no route to the index")
EOS
}

# put_docker FOLDER VERSION [buildx]: a client; whether an engine answers stands in $MACHINE/engine (its API version)
put_docker() {
    stub "$1" docker <<EOS
case "\$*" in
    --version) echo '$2' ;;
    'buildx version') [ -n "${3-}" ] ;;
    'context inspect'*) cat "\$MACHINE/context" 2>/dev/null || echo default ;;
    version*) if [ -f "\$MACHINE/engine" ]; then cat "\$MACHINE/engine"; else cat "\$MACHINE/refusal" >&2; exit 1; fi ;;
esac
EOS
}

put_dockerd() {
    stub "$1" dockerd <<'EOS'
echo 'level=info msg="a line of its log"'
[ -f "$MACHINE/dockerd-fails" ] || echo 1.41 >"$MACHINE/engine"
EOS
}

put_systemd() {
    stub "$BIN" systemctl <<'EOS'
case $1 in
    is-system-running) cat "$MACHINE/systemd" ;;
    start) echo 1.41 >"$MACHINE/engine" ;;
esac
EOS
    echo running >"$MACHINE/systemd"
}

# What can be installed is a folder on the shelf; installing copies it to PATH.
put_package_manager() {
    stub "$BIN" dpkg </dev/null
    stub "$BIN" dpkg-query <<<'exit 1'
    stub "$BIN" apt-cache <<EOS
shift
for name in "\$@"; do
    [ ! -d "$SHELF/\$name" ] || printf '%s:\n  Installed: (none)\n  Candidate: 1.0\n' "\$name"
done
EOS
    stub "$BIN" apt-get <<EOS
[ "\$1" = install ] || exit 0
[ ! -f "\$MACHINE/apt-fails" ] || { echo 'E: no space left'; exit 100; }
for name in "\$@"; do
    [ ! -d "$SHELF/\$name" ] || cp "$SHELF/\$name/." "$BIN" -R
done
EOS
}

# shelve NAME [COMMAND...]: a package that brings commands which do nothing
shelve() {
    local package="$1" command
    shift
    mkdir -p "$SHELF/$package"
    for command in "$@"; do
        stub "$SHELF/$package" "$command" </dev/null
    done
}

fill_shelf() {
    put_python "$SHELF/python3" python3
    shelve python3-venv
    put_docker "$SHELF/docker.io" 'Docker version 20.10.24+dfsg1, build 297e128'
    put_dockerd "$SHELF/docker.io"
    shelve iptables iptables
    shelve mmdebstrap mmdebstrap
    shelve iproute2 ip
    shelve openssh-client ssh
    shelve docker-compose docker-compose
}

make_complete() {
    put_python "$BIN" python3
    put_docker "$BIN" 'Docker version 20.10.24, build 1'
    echo 1.41 >"$MACHINE/engine"
    : >"$MACHINE/refusal"
    stub "$BIN" mmdebstrap </dev/null
}

# await COMMAND...: until it succeeds, 10 s at most
await() {
    local tries=0
    until "$@"; do
        [ "$((tries += 1))" -lt 200 ] || return 1
        sleep 0.05
    done
}

bootstrap() {
    env "PATH=$BIN" sh "$KIT/scripts/bootstrap.sh" "$@"
}

count_calls() { grep -c -- "$1" "$MACHINE/calls" || [ $? -eq 1 ]; }
