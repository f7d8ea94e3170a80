"""What test hosts leave on this machine while they stand: found by label, removed at their end or at the next start."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from pathlib import Path

from offline.run import run
from tests.airgap.outside import NAME, docker

OWNER, HOST = f"{NAME}.owner", f"{NAME}.host"
_LISTS = {"container": ("container", "ls", "--all"), "network": ("network", "ls")}


def labels(host: str) -> tuple[str, ...]:
    """Options that mark what is made for a host as its own, and as this process's."""
    return ("--label", f"{OWNER}={_process(os.getpid())}", "--label", f"{HOST}={host}")


def folder(host: str) -> Path:
    """Where a host's keys are, from the making of its network, of the same name, until that is removed."""
    return Path(tempfile.gettempdir()) / host


def remove(host: str) -> None:
    """Remove everything of a host, however far its making came: container, volumes, keys, firewall, network."""
    _remove(f"{HOST}={host}")


def sweep() -> None:
    """Remove what killed runs left; a run that still lives keeps its own. One sweep at a time on this machine."""
    with (Path(tempfile.gettempdir()) / f"{NAME}-sweep.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for owner in {label for kind in _LISTS for label in _owners(kind)}:
            if owner != _process(int(owner.partition("-")[0])):
                _remove(f"{OWNER}={owner}")


def rule(bridge: str) -> tuple[str, ...]:
    """The firewall's words for: nothing from this bridge to this machine but answers."""
    return ("INPUT", "-i", bridge, "-m", "conntrack", "!", "--ctstate", "ESTABLISHED,RELATED", "-j", "DROP")


def _owners(kind: str) -> list[str]:
    where = ".Config.Labels" if kind == "container" else ".Labels"
    show = f'{{{{index {where} "{OWNER}"}}}}'
    # What a living run removes meanwhile has no owner any more.
    found = [docker(kind, "inspect", "--format", show, one, check=False).out.strip() for one in _listed(kind, OWNER)]
    return [owner for owner in found if owner]


def _remove(label: str) -> None:
    for container in _listed("container", label):
        docker("rm", "--force", "--volumes", container)
    show = '{{.Name}} {{index .Options "com.docker.network.bridge.name"}}'
    for network in _listed("network", label):
        name, _, bridge = docker("network", "inspect", "--format", show, network).out.strip().partition(" ")
        shutil.rmtree(folder(name), ignore_errors=True)
        while bridge and run(["iptables", "--wait", "-C", *rule(bridge)], check=False).code == 0:
            run(["iptables", "--wait", "-D", *rule(bridge)])
        docker("network", "rm", network)


def _listed(kind: str, label: str) -> list[str]:
    return docker(*_LISTS[kind], "--quiet", "--filter", f"label={label}").out.split()


def _process(number: int) -> str:
    """A process's number and the time it started, which no later process of that number shares."""
    try:
        fields = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return ""
    return f"{number}-{fields[19]}"
