"""What the test hosts can do, held on the oldest: files, disks, engines that die, several at once, and no leftovers."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from offline.run import CommandError, run
from tests.airgap import images, leftovers, proof
from tests.airgap.conftest import OLDEST
from tests.airgap.hosts import host
from tests.airgap.outside import docker
from tests.engine import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.airgap.hosts import Host

KIT = Path(__file__).parents[2]
STAND = """
import sys, threading
from tests.airgap.hosts import host
with host(sys.argv[1]) as standing:
    print(standing.name, flush=True)
    threading.Event().wait()
"""


@pytest.fixture(scope="module")
def standing() -> Iterator[Host]:
    """A host with the oldest engine."""
    with host(OLDEST) as started:
        yield started


def test_files_folders_and_bytes_arrive_as_they_are(standing: Host, tmp_path: Path) -> None:
    script = tmp_path / "a folder" / "script.sh"
    script.parent.mkdir()
    script.write_bytes(b"#!/bin/sh\necho ran\n")
    script.chmod(0o755)
    standing.put(script, "/root/put/one file.sh")
    standing.put(script.parent, "/root/put/folder")
    standing.put(b"\x00\xff", "/root/put/bytes")
    assert standing.run("'/root/put/one file.sh' && /root/put/folder/script.sh").out == "ran\nran\n"
    assert standing.run("od -An -tx1 /root/put/bytes").out == " 00 ff\n"


def test_a_command_that_fails_says_so(standing: Host) -> None:
    assert standing.run("exit 7", check=False).code == 7
    with pytest.raises(CommandError, match="no such thing"):
        standing.run("echo no such thing >&2; false")


def test_a_killed_engine_is_gone_until_it_is_started(standing: Host) -> None:
    standing.kill("dockerd")
    assert standing.run("docker info", check=False).code != 0
    standing.engine_up()
    with pytest.raises(CommandError):
        standing.kill("a process that is not there")


def test_a_small_disk_fills_up(standing: Host) -> None:
    standing.disk("/mnt/small", size=20 << 20)
    done = standing.run("head -c 30M /dev/zero >/mnt/small/file", check=False)
    assert (done.code, "No space left on device" in done.err) == (1, True)


def test_the_engine_can_be_on_a_small_disk() -> None:
    with host(OLDEST) as small:
        small.disk("/var/lib/docker", size=50 << 20)
        done = small.run("tar -c -C / usr/lib | docker import -", check=False)
        assert (done.code, "no space left on device" in done.err) == (1, True), done


def test_two_hosts_at_once_do_not_reach_each_other(standing: Host) -> None:
    with host(OLDEST) as other:
        assert other.name != standing.name
        assert proof.attempt("tcp", other.address, 22)
        assert standing.speak("reach", other.address, "22") == {"reached": False}


def test_the_image_is_made_again_only_when_its_inputs_change(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    first = images.image(OLDEST)
    monkeypatch.setattr(images, "_make", lambda _kind, tag: made.append(tag))
    monkeypatch.setattr(images, "_forget_others", lambda _tag: None)
    assert images.image(OLDEST) == first
    assert made == []
    monkeypatch.setattr(images, "_TOOLS", ("another",))
    changed = images.image(OLDEST)
    assert changed != first
    assert made == [changed]


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL])
def test_a_run_that_ends_early_leaves_nothing(end: signal.Signals) -> None:
    with subprocess.Popen([sys.executable, "-c", STAND, OLDEST], cwd=KIT, stdout=subprocess.PIPE, text=True) as run_:
        assert run_.stdout is not None
        name = run_.stdout.readline().strip()
        left = traces(name)
        leftovers.sweep()
        assert traces(name) == left, "a sweep must leave alone what a living run uses"
        run_.send_signal(end)
    if end == signal.SIGKILL:
        assert traces(name) == left
        leftovers.sweep()
    assert len(left) == 6
    wait_until(lambda: not traces(name) & left, seconds=10, what="nothing to be left")


def traces(name: str) -> set[str]:
    """Container, its two volumes, network, keys and firewall rule of a host, as this machine knows them."""
    volumes = "{{range .Mounts}}{{if .Name}}{{.Name}} {{end}}{{end}}"
    found = docker("inspect", "--format", volumes, name, check=False).out.split()
    found += docker("container", "ls", "--all", "--quiet", "--filter", f"name={name}$").out.split()
    found += docker("network", "ls", "--quiet", "--filter", f"name={name}$").out.split()
    rules = run(["iptables", "--wait", "-S", "INPUT"]).out.splitlines()
    option = '{{index .Options "com.docker.network.bridge.name"}}'
    bridge = docker("network", "inspect", "--format", option, name, check=False).out.strip()
    found += [str(folder) for folder in [leftovers.folder(name)] if folder.exists()]
    return {*found, *(rule for rule in rules if bridge and f" {bridge} " in rule)}
