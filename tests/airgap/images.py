"""Images of test hosts: a Debian system with its own engine and sshd, made by mmdebstrap, kept by what went into it."""

from __future__ import annotations

import fcntl
import hashlib
import json
import platform
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from offline.config.schema import Bootstrap, Mirrors
from offline.images import bootstrap
from offline.run import follow, writing_to
from tests.airgap.outside import NAME, docker, docker_client

if TYPE_CHECKING:
    from collections.abc import Iterator

ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()]
PYTHON_OF_COMPOSE = "/usr/libexec/docker-compose/python"
# What scripts may count on (design.md, the operator's host), an sshd, and sudo for operators who are not root.
_TOOLS = ("iptables", "iproute2", "procps", "openssh-server", "sudo")
# The engine that B.4 installs is put together from the distribution's binaries: these are what they are linked with.
_LIBRARIES = ("libdevmapper1.02.1", "libseccomp2")
_SSHD = r"PasswordAuthentication no\nUsePAM no\nUseDNS no\nHostKey /etc/ssh/ssh_host_ed25519_key\nMaxStartups 100\n"
_SYSTEM = (
    f"rm /etc/ssh/ssh_host_*; printf '{_SSHD}' >/etc/ssh/sshd_config.d/test.conf",
    "useradd --create-home --shell /bin/bash --password '*' admin",
    "echo 'admin ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/admin",
    "rm -rf /usr/share/locale /usr/share/bash-completion /usr/share/zsh",
)
# An operator's host has no Python, and Compose 1.29 cannot be without: here nobody else finds it.
_HIDE_PYTHON = (
    f"install -D /usr/bin/python3.11 {PYTHON_OF_COMPOSE}",
    f"sed -i '1s|.*|#!{PYTHON_OF_COMPOSE}|' /usr/bin/docker-compose",
    "rm -f /usr/bin/python* /usr/bin/py3* /usr/bin/pydoc* /usr/bin/pygettext* /usr/bin/pdb*",
)
_CONTAINERD_STORE = (
    """mkdir -p /etc/docker; echo '{"features": {"containerd-snapshotter": true}}' >/etc/docker/daemon.json""",
)
# It would write kernel variables that are this machine's, too.
_NO_SYSCTL = ("systemctl mask systemd-sysctl",)


@dataclass(frozen=True, kw_only=True)
class HostImage:
    """A kind of host: how its system is made, and what must be found on it."""

    suite: str
    packages: tuple[str, ...]
    commands: tuple[str, ...] = ()
    engine: str = ""
    compose: str = ""
    store: str = ""

    @property
    def systemd(self) -> bool:
        """Whether systemd is its first process, and so starts and stops what runs on it."""
        return "systemd-sysv" in self.packages


HOSTS = {
    "20.10": HostImage(
        suite="bookworm",
        packages=("docker.io", "docker-compose", "cron"),
        commands=_HIDE_PYTHON,
        engine="20.10.24",
        compose="1.29.2",
        store="classic",
    ),
    "26.1": HostImage(
        suite="trixie",
        packages=("docker.io", "docker-cli", "docker-compose"),
        engine="26.1.5",
        compose="2.26.1",
        store="classic",
    ),
    "28.5-containerd": HostImage(
        suite="sid",
        packages=("docker.io", "docker-cli", "docker-compose", "systemd-standalone-sysusers"),
        commands=_CONTAINERD_STORE,
        engine="28.5.2",
        compose="2.40.3",
        store="containerd",
    ),
    "none-systemd": HostImage(
        suite="bookworm", packages=("systemd", "systemd-sysv", "dbus", *_LIBRARIES), commands=_NO_SYSCTL
    ),
}


def image(kind: str) -> str:
    """The tag of a host's image; made first where the engine does not have it from exactly these inputs."""
    argv = _argv(HOSTS[kind], Path("root.tar"))
    tag = f"{NAME}/{kind}:{hashlib.sha256(json.dumps(argv).encode()).hexdigest()[:12]}"
    with _one_at_a_time():
        if not _known(tag):
            _make(kind, tag)
            _forget_others(tag)
    return tag


def _argv(host: HostImage, target: Path) -> tuple[str, ...]:
    spec = Bootstrap(suite=host.suite, packages=(*_TOOLS, *host.packages), commands=(*_SYSTEM, *host.commands))
    program, *words = bootstrap.argv(spec, Mirrors(), target, architecture=ARCHITECTURE)
    # A mirror that stands still is as good as one that moves: what it gave is compared with HOSTS.
    return (program, '--aptopt=Acquire::Check-Valid-Until "false"', "--dpkgopt=force-unsafe-io", *words)


def _make(kind: str, tag: str) -> None:
    with tempfile.TemporaryDirectory(prefix=f"{NAME}-") as folder:
        root = Path(folder) / "root.tar"
        environment = {"LC_ALL": "C.UTF-8", "TMPDIR": folder}
        follow(_argv(HOSTS[kind], root), lambda _line: None, env=environment, timeout=900)
        with writing_to([docker_client(), "load", "--quiet"]) as sink:
            bootstrap.write_archive(root, sink, tag=tag, platform=f"linux/{ARCHITECTURE}", history=kind)


def _known(tag: str) -> bool:
    return docker("image", "inspect", tag, check=False).code == 0


def _forget_others(tag: str) -> None:
    """Remove what former inputs made; a host of another run that still stands on it keeps it."""
    name = tag.rpartition(":")[0]
    found = docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}", name).out.split()
    for other in found:
        if other != tag:
            docker("image", "rm", other, check=False)


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    with (Path(tempfile.gettempdir()) / f"{NAME}-images.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
