"""Real hosts for tests: own engine, own sshd, own disk, and no network but a cable to this machine, one way.

    with host("20.10") as h:
        h.put(bundle, "/root/bundle.tar.gz")
        h.run("tar -xzf /root/bundle.tar.gz -C /root")

A host is a container of this machine's engine that runs what a small machine runs. Nothing leaves it: it is proved
before each use. Several at once are fine: each has its own network, and they do not reach each other.
"""

from __future__ import annotations

import itertools
import json
import os
import shlex
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from offline.run import run
from tests.airgap import leftovers, proof, sshd
from tests.airgap.disk import mount_small
from tests.airgap.images import HOSTS, image
from tests.airgap.network import isolated
from tests.airgap.outside import NAME, docker, docker_client, in_network_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from offline.run import Result
    from tests.airgap.images import HostImage
    from tests.airgap.network import Network

SPEAK = Path(__file__).parents[1] / "speak.py"
# What an engine needs, and no more: --privileged asks for a capability that a machine may not have.
_RIGHTS = (
    *(word for right in ("SYS_ADMIN", "NET_ADMIN", "SYS_PTRACE", "MKNOD", "SYSLOG") for word in ("--cap-add", right)),
    *(word for kind in ("seccomp", "apparmor", "systempaths") for word in ("--security-opt", f"{kind}=unconfined")),
    *("--device-cgroup-rule", "a *:* rwm", "--cgroupns", "private"),
)
# A resolver that nobody is (RFC 5737), given up at once; overlay2 needs a disk that is not an overlay itself.
_PLACES = (
    *("--dns", "203.0.113.53", "--dns-option", "timeout:1", "--dns-option", "attempts:1"),
    *("--tmpfs", "/run", "--tmpfs", "/run/lock", "--volume", "/var/lib/docker", "--volume", "/var/lib/containerd"),
)
_CGROUPS = "for folder in /sys/fs/cgroup /sys/fs/cgroup/*/; do mount -o remount,bind,rw ${folder%/} 2>/dev/null; done"
_DOCKERD = "(setsid dockerd >>/var/log/dockerd.log 2>&1 </dev/null &)"
_SSHD = "mkdir -p /run/sshd; /usr/sbin/sshd"
_OWN_INIT = f"{_CGROUPS}; {_SSHD}; {_DOCKERD}; exec sleep infinity"
_NO_ENGINE = f"{_SSHD}; exec sleep infinity"
_SYSTEMD = f"{_CGROUPS}; exec /sbin/init"
_ENGINE_SECONDS = 60
_numbers = itertools.count(1)
_sweep_once = cache(leftovers.sweep)


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a host says of itself; empty where it has no engine."""

    engine: str
    compose: str
    store: str
    packages: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Host:
    """A host that stands; its name is also its alias for ssh, as root."""

    name: str
    kind: HostImage
    address: str
    ssh_config: Path
    """For `ssh -F`; knows the aliases `name` (root) and `admin_alias`, and their keys."""

    @property
    def admin_alias(self) -> str:
        """The alias of a user who is not root and may use `sudo -n`."""
        return f"{self.name}-admin"

    def run(self, command: str, *, check: bool = True, stdin: bytes | None = None) -> Result:
        """Run a bash command line as root, not over the network."""
        return docker("exec", "--interactive", self.name, "bash", "-c", command, check=check, stdin=stdin or b"")

    def ssh(self, command: str, *, alias: str = "", check: bool = True, stdin: bytes | None = None) -> Result:
        """Run a command line over this machine's OpenSSH, as root or as another alias."""
        return run(["ssh", "-F", str(self.ssh_config), alias or self.name, command], check=check, stdin=stdin)

    def put(self, source: Path | bytes, path: str) -> None:
        """Put bytes, a file (with its mode) or a folder's content at a path of the host; folders are made."""
        quoted = shlex.quote(path)
        if isinstance(source, bytes):
            self.run(f'mkdir -p "$(dirname {quoted})" && cat >{quoted}', stdin=source)
        elif source.is_dir():
            self._unpack(["tar", "-cf", "-", "-C", str(source), "."], f"mkdir -p {quoted} && tar -xf - -C {quoted}")
        else:
            mode = f"{source.stat().st_mode & 0o777:o}"
            put = f'mkdir -p "$(dirname {quoted})" && cat >{quoted} && chmod {mode} {quoted}'
            self._unpack(["cat", str(source)], put)

    def kill(self, pattern: str, *, signal: str = "KILL") -> None:
        """Kill the host's processes whose command line matches; it is an error when none does."""
        docker("exec", self.name, "pkill", f"-{signal}", "-f", pattern)

    def engine_down(self) -> None:
        """Stop the engine in good order, and with it its containers."""
        if self.kind.systemd:
            self.run("systemctl stop docker")
        else:
            self.run("pid=$(cat /run/docker.pid) && kill $pid && while kill -0 $pid 2>/dev/null; do sleep 0.1; done")

    def engine_up(self) -> None:
        """Start the engine and wait until it answers."""
        self.run("systemctl start docker" if self.kind.systemd else _DOCKERD)
        self.await_engine()

    def await_engine(self) -> None:
        """Wait until the engine answers; its log's end is in the AssertionError when it does not."""
        wait = "until docker info >/dev/null 2>&1; do sleep 0.1; done"
        log = "journalctl --lines 30 --unit docker" if self.kind.systemd else "tail -n 30 /var/log/dockerd.log"
        done = self.run(f"timeout {_ENGINE_SECONDS} bash -c '{wait}' || {log}", check=False)
        assert not done.out, f"{self.name}: no engine after {_ENGINE_SECONDS} s:\n{done.out}"

    def reboot(self) -> None:
        """Stop everything in good order, start again, and wait until the host is up."""
        if self._engine_runs():
            self.engine_down()
        docker("restart", "--time", "30", self.name)
        self.await_up()

    def await_up(self) -> None:
        """Wait until the host has started: sshd answers, the engine, too, and systemd has nothing left to do."""
        sshd.await_answer(self.address)
        if self.kind.systemd:
            done = self.run("systemctl is-system-running --wait; systemctl --failed --no-legend", check=False)
            assert done.out == "running\n", done.out
        if self.kind.engine:
            self.await_engine()

    def disk(self, path: str, *, size: int) -> None:
        """Mount an empty ext4 file system of `size` bytes at a path, until the host goes or reboots.

        At the engine's data root the engine is stopped before and started after it.
        """
        engine = path == "/var/lib/docker" and self._engine_runs()
        if engine:
            self.engine_down()
        mount_small(self.name, path, size=size)
        if engine:
            self.engine_up()

    def speak(self, *words: str) -> dict[str, Any]:
        """Speak to a port from inside the host, with this machine's tests/speak.py: nothing need be installed."""
        answer: dict[str, Any] = json.loads(in_network_of(self.name, sys.executable, str(SPEAK), *words).out)
        return answer

    def facts(self) -> Facts:
        """Versions of engine and Compose, kind of image store, packages; as the host's own programs say."""
        store = "{{.ServerVersion}}|{{.DriverStatus}}"
        engine, _, status = self.run(f"docker info --format '{store}'", check=False).out.strip().partition("|")
        compose = self.run("docker compose version --short || docker-compose version --short", check=False).out.strip()
        kind = "containerd" if "io.containerd.snapshotter" in status else "classic"
        packages = self.run("dpkg-query --show --showformat '${Package}\\n'").out.split()
        return Facts(engine=engine, compose=compose, store=kind if engine else "", packages=tuple(packages))

    def _engine_runs(self) -> bool:
        return self.run("pgrep -x dockerd", check=False).code == 0

    def _unpack(self, source: list[str], command: str) -> None:
        """Let one process's stdout flow into a command on the host, without either in memory."""
        into = [docker_client(), "exec", "--interactive", self.name, "bash", "-c", command]
        with subprocess.Popen(source, stdout=subprocess.PIPE) as reading:
            subprocess.run(into, stdin=reading.stdout, check=True)
        assert reading.returncode == 0, source


@contextmanager
def host(engine: str, *, stopped: bool = False) -> Iterator[Host]:
    """A running host of a kind named in images.HOSTS, proved to reach nothing; nothing of it outlives the block.

    With `stopped` its engine is never started: for what needs an sshd and a disk, and nothing else.
    """
    _sweep_once()
    kind = replace(HOSTS[engine], engine="") if stopped else HOSTS[engine]
    made = image(engine)
    name = f"{NAME}-{os.getpid()}-{next(_numbers)}"
    try:
        network = isolated(name)
        first = _SYSTEMD if kind.systemd else _OWN_INIT if kind.engine else _NO_ENGINE
        create(name, made, network, first, systemd=kind.systemd)
        config = sshd.provide(name, network.address, leftovers.folder(name))
        docker("start", name)
        proof.prove_unreachable(name)
        started = Host(name=name, kind=kind, address=network.address, ssh_config=config)
        started.await_up()
        yield started
    finally:
        leftovers.remove(name)


def create(name: str, made: str, network: Network, first: str, *, systemd: bool) -> None:
    """Create the container that is the host; what is `first` to run becomes systemd, or stays under an init."""
    words = ["--name", name, "--hostname", name, *leftovers.labels(name), *_RIGHTS, *_PLACES]
    words += ["--network", network.name, "--ip", network.address]
    # systemd powers off in good order on this signal only; it wants to know where it runs.
    words += ["--stop-signal", "RTMIN+3", "--env", "container=docker"] if systemd else ["--init"]
    docker("create", *words, made, "bash", "-c", first)
