"""Guards of the unit tests: no engine, no network, no programs, nothing of the user's own home or environment."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import docker
import pytest

from offline.paths import KIT

if TYPE_CHECKING:
    from collections.abc import Callable

# This Python as a child, and what reads archives on any host: none of them reaches anything.
ALLOWED = {"python", "python3", Path(sys.executable).name, "tar", "gzip"}
NO_ENGINE = "unix:///there/is/no/engine.sock"


@pytest.fixture(autouse=True)
def _nothing_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    start: Callable[..., None] = subprocess.Popen.__init__

    def guarded(self: subprocess.Popen[Any], args: Any, *rest: Any, **options: Any) -> None:
        words = [args] if isinstance(args, (str, bytes, Path)) else list(args)
        if options.get("shell") or Path(os.fsdecode(words[0])).name not in ALLOWED:
            # Without these its own clean-up would trip over what was never started.
            self._child_created, self.returncode = False, 0  # type: ignore[attr-defined]
            refuse(f"started {words}", "tests/cli or tests/host")
        start(self, args, *rest, **options)

    monkeypatch.setattr(subprocess.Popen, "__init__", guarded)


@pytest.fixture(autouse=True)
def _nothing_is_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(self: socket.socket, address: object) -> NoReturn:
        self.close()
        refuse(f"connected to {address}", "tests/smoke")

    def client(*_: object, **__: object) -> NoReturn:
        refuse("connected to a Docker engine", "tests/smoke")

    monkeypatch.setattr(socket.socket, "connect", connect)
    monkeypatch.setattr(socket.socket, "connect_ex", connect)
    monkeypatch.setattr(docker.DockerClient, "__init__", client)
    monkeypatch.setattr(docker.APIClient, "__init__", client)


@pytest.fixture(autouse=True)
def _nothing_waits_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda _: None)


@pytest.fixture(autouse=True)
def _nothing_of_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    home = tmp_path_factory.mktemp("home")
    monkeypatch.chdir(home)
    for name in [name for name in os.environ if name.startswith(("OFFLINE_", "DOCKER_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("PYTHONPATH", str(KIT))  # a child would look for the kit in its own working folder
    monkeypatch.setenv("DOCKER_HOST", NO_ENGINE)


def refuse(what: str, where: str) -> NoReturn:
    """End the test; what code under test catches cannot hide it."""
    pytest.fail(f"a unit test {what}; such a test belongs in {where}", pytrace=True)
