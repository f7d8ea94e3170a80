from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from offline.paths import HOST_SCRIPTS
from tests.host.old_hosts import COMMANDS, findings

# What must be refused, and beside it the nearest thing that must not.
CASES = [
    ("local -n ref=name", "local ref=name"),
    ("declare -n ref=name", "declare -r ref=name"),
    ("f() { local -; }", "f() { local x='-'; }"),
    ("local -I x", "local -i x"),
    ("declare -gA m=([a]=1)", "declare -gA m; m=([a]=1)"),
    ("declare -gA m=()", "declare -A m=()"),
    ('echo "${v@Q}"', 'echo "${v}@Q"'),
    ("echo ${a[0]@A}", "echo ${a[0]}"),
    ("mapfile -d '' -t a < f", "mapfile -t a < f"),
    ("readarray -td , a < f", "readarray -t -n 3 a < f"),
    ("wait -n", 'wait "$pid"'),
    ("wait -fp id", "wait"),
    ("echo $EPOCHSECONDS", "echo $SECONDS"),
    ("x=$((EPOCHREALTIME + 1))", "x=$((SECONDS + 1))"),
    ("echo ${SRANDOM}", "echo ${RANDOM}"),
    ("a[-1]=x", "x=${a[-1]}"),
    ("a[ -2 ]+=x", "m[a-1]=x"),
    ("unset 'a[-1]'", "unset 'a[1]'"),
    ("shopt -s inherit_errexit", "shopt -s nullglob dotglob"),
    ('f "${a[@]}"', 'f ${a[@]+"${a[@]}"}'),
    ("for x in ${a[*]}; do :; done", "for x in ${!a[@]}; do :; done"),
    ('f "${a[@]:1}"', 'f "${a[@]:-none}"'),
    ('a=(); f "${a[@]}"', 'a=(one two); f "${a[@]}"'),
    ('f ${b[@]+"${a[@]}"}', 'f "${#a[@]}" "${PIPESTATUS[@]}" "$@"'),
    ("[[ -v m[k] ]]", "[[ -v m ]]"),
    ("[[ -v 'm[$k]' ]]", "[[ -n ${m[k]+x} ]]"),
    ("printf '%(%F)T'", "printf '%(%F)T' -1"),
    ("printf -v now -- '%(%s)T\\n'", "printf -v now '%(%s)T' -1"),
    ("sync file", "sync"),
    ("sha256sum -c --ignore-missing SUMS", "sha256sum -c --quiet SUMS"),
    ("sha512sum --ignore-missing -c SUMS", "sha512sum -c SUMS"),
    ("b2sum file", "cksum file"),
    ("dd if=a of=b status=progress", "dd if=a of=b status=none conv=notrunc,fsync"),
    ("env -S 'a b'", "env -i PATH=/bin a b"),
    ("env -C / pwd", "env -u C pwd"),
    ("a | tee -p f", "a | tee -a f"),
    ("head -z -n 1 f", "head -n 1 z"),
    ("tail --zero-terminated f", "tail -c 1 f"),
    ("cut -z -f 1 f", "cut -d z -f 1 f"),
    ("tar --zstd -xf a", "tar -xzf a"),
    ("tar -cf a --sort=name .", "tar -cf a -T sorted"),
    ("tar --one-top-level -xf a", "tar -xf a -C folder"),
    ("tar --xattrs -cf a .", "tar --no-recursion -cf a ."),
    ("tar --acls --selinux -cf a .", "tar -cf a acls selinux"),
    ("tar -I 'gzip -1' -cf a .", "tar -I gzip -cf a ."),
    ("tar --use-compress-program='pigz -p 2' -cf a .", "tar --use-compress-program=gzip -cf a ."),
    ("systemctl enable --now docker", "systemctl enable docker; systemctl start docker"),
    ("systemctl --now disable docker", "systemctl disable docker"),
    ("systemd-run --wait --unit=x y", "systemd-run --unit=x y wait"),
    ("systemd-run --pipe y", "systemd-run --unit=pipe y"),
    ("a | jq .", "grep jq f"),
    ("python3 -c pass", "command -v python3"),
    ("/usr/bin/python x.py", "echo python"),
    ("perl -e 1", "perl=1"),
    ("curl http://x", "# curl http://x"),
    ("x=$(wget -O- http://x)", "x='$(wget -O- http://x)'"),
    ("if ! rsync a b; then :; fi", "cp -a a rsync"),
    ("zstd -d f", "gzip -d f.zstd"),
    ("nc -z host 80", "exec 3<>/dev/tcp/host/80"),
    ("ncat host 80", "cat <<'END'\nncat host 80\nEND"),
    ("pigz f", "gzip pigz"),
    ("base32 f", "base64 f"),
    ("basenc f", "base64 f"),
    ("sudo -n python3 x", "sudo -n bash x"),
    ("timeout -k 5 30 curl x", "timeout 30 docker ps"),
    ("env A=1 python2 x", "env A=1 bash x"),
    ("exec setsid nohup perl x", "exec setsid nohup bash x"),
    ("grep -oP 'a' f", "grep -o P f"),
    ("grep --perl-regexp a f", "grep -E -- -P f"),
    ("flock --verbose 9", "flock -n 9"),
    ("x=$((16#))", "x=$((16#$1 + 2#101)); y=${1#$x} z=${x#1}"),
    ("if then", "if true; then :; fi"),
]


@pytest.mark.parametrize(("refused", "allowed"), CASES, ids=[refused for refused, _ in CASES])
def test_what_an_old_host_lacks_is_refused_and_its_neighbour_is_not(refused: str, allowed: str) -> None:
    assert findings(refused), "not refused"
    assert findings(allowed) == []


def test_every_command_of_the_table_has_a_case() -> None:
    named = " ".join(refused for refused, _ in CASES)
    untried = {name for name in COMMANDS if name not in named} - {"md5sum", "sha1sum", "sha224sum", "sha384sum"}
    assert untried == set()


def test_a_finding_says_the_line_what_and_what_instead() -> None:
    (finding,) = findings("#!/bin/bash\n\ntrue && wait -n\n")
    assert finding == (3, "wait -n is of bash 4.3", 'wait "$pid" for each')


def test_the_host_scripts_have_nothing_that_an_old_host_lacks() -> None:
    found = {str(path): findings(path.read_text(encoding="utf-8")) for path in HOST_SCRIPTS.rglob("*.sh")}
    assert found
    assert not any(found.values()), found


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    script = Path(__file__).with_name("old_hosts.py")
    return subprocess.run([sys.executable, str(script), *arguments], capture_output=True, text=True, check=False)


def test_the_command_names_file_and_line_and_fails(tmp_path: Path) -> None:
    script = tmp_path / "lib" / "bad.sh"
    script.parent.mkdir()
    script.write_text("#!/bin/bash\njq . f\n")
    done = run(str(tmp_path))
    assert (done.returncode, done.stdout.startswith(f"{script}:2: jq is not on every host")) == (1, True)


def test_the_command_passes_the_host_scripts_and_refuses_to_look_at_nothing(tmp_path: Path) -> None:
    assert run(str(HOST_SCRIPTS)).returncode == 0
    assert run(str(tmp_path)).returncode == 2
