"""This machine, on which the hosts stand: its engine, and commands inside the network of a container."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from offline.run import run
from tests.engine import client

if TYPE_CHECKING:
    from offline.run import Result

NAME = "offline-airgap"


@cache
def docker_client() -> str:
    """The client that the kit uses; looking for it takes longer than asking it something."""
    return client()


def docker(*words: str, check: bool = True, stdin: bytes | None = None) -> Result:
    """Run the docker client against this machine's engine."""
    return run([docker_client(), *words], check=check, stdin=stdin)


def process_id(container: str) -> int:
    """The first process of a container, as this machine numbers it; 0 where it does not run."""
    return int(docker("inspect", "--format", "{{.State.Pid}}", container).out)


def in_network_of(container: str, *argv: str, check: bool = True) -> Result:
    """Run a program of this machine with the network of a container and nothing else of it."""
    return run(["nsenter", f"--net=/proc/{process_id(container)}/ns/net", "--", *argv], check=check)
