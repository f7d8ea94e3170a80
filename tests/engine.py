"""An engine of one's own for a test: empty, in its own network namespace, with no way out of it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

DOCKERD = shutil.which("dockerd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin") or "dockerd"


def wait_until(condition: Callable[[], bool], *, seconds: float, what: str) -> None:
    """Await a condition; AssertionError naming it when the time is over."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"waited {seconds:g} s for: {what}"
        time.sleep(0.1)


def entering(namespace: str) -> tuple[str, ...]:
    """The words before a command that runs in a network namespace; `ip netns exec` would hide the cgroup mounts."""
    return ("nsenter", f"--net=/run/netns/{namespace}", "--")


@dataclass(frozen=True)
class Engine:
    """How to talk to an engine, and to speak from inside its network."""

    folder: Path
    name: str

    @property
    def host(self) -> str:
        return f"unix://{self.folder}/docker.sock"

    @property
    def environment(self) -> Mapping[str, str]:
        return {**os.environ, "DOCKER_HOST": self.host}

    def docker(self, *words: str, data: bytes | None = None) -> str:
        """Run the docker client against this engine; gives stdout."""
        return self._run([client(), *words], data)

    def compose(self, *words: str, environment: Mapping[str, str] | None = None) -> str:
        """Run Compose 1.29 against this engine."""
        return self._run(["/usr/bin/docker-compose", *words], None, environment or {})

    def inside(self, *words: str, data: bytes | None = None) -> str:
        """Run a command in the engine's network; it has no other."""
        return self._run([*entering(self.name), *words], data)

    def kill(self) -> None:
        """End the daemon at once, as a loss of power does: nothing is tidied up, what is in memory is gone."""
        number = int((self.folder / "docker.pid").read_text())
        os.kill(number, signal.SIGKILL)
        os.waitpid(number, 0)
        shutil.rmtree(self.folder / "exec")
        # It had mounted its data on itself; only an orderly end takes that away.
        subprocess.run(["umount", "--lazy", self.folder / "data"], check=True)

    def _run(self, argv: Sequence[str], data: bytes | None, environment: Mapping[str, str] | None = None) -> str:
        done = subprocess.run(
            argv, input=data, env={**self.environment, **(environment or {})}, capture_output=True, check=False
        )
        assert done.returncode == 0, f"{argv}: code {done.returncode}\n{done.stdout.decode()}\n{done.stderr.decode()}"
        return done.stdout.decode()


@contextmanager
def own_engine(folder: Path, name: str, *options: str) -> Iterator[Engine]:
    """A dockerd with its own data, socket and network; everything of it is gone at the end of the block."""
    name = f"{name}-{os.getpid()}"  # two checkouts may test at a time
    engine = Engine(folder, name)
    folder.mkdir(parents=True)
    subprocess.run(["ip", "netns", "add", name], check=True)
    try:
        engine.inside("ip", "link", "set", "lo", "up")
        with daemon(engine, *options):
            yield engine
    finally:
        subprocess.run(["ip", "netns", "delete", name], check=True)
        shutil.rmtree(folder)


@contextmanager
def daemon(engine: Engine, *options: str) -> Iterator[None]:
    """The dockerd of an engine, on what it had before; a test that killed one starts the next."""
    pairs = {"data-root": "data", "exec-root": "exec", "pidfile": "docker.pid"}
    folders = [word for option, name in pairs.items() for word in (f"--{option}", str(engine.folder / name))]
    log = engine.folder / "dockerd.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*entering(engine.name), DOCKERD, "--host", engine.host, *folders, *options],
            stdout=output,
            stderr=subprocess.STDOUT,
        )

    def answers() -> bool:
        assert process.poll() is None, log.read_text()[-3000:]
        argv = [client(), "version"]
        return subprocess.run(argv, env=engine.environment, capture_output=True, check=False).returncode == 0

    try:
        wait_until(answers, seconds=60, what="dockerd")
        try:
            yield
        finally:
            running = engine.docker("ps", "--quiet").split() if process.poll() is None else []
            if running:
                engine.docker("rm", "--force", *running)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def client() -> str:
    """The docker client that the kit uses on this machine."""
    from offline.engine.client import find_client

    return find_client(os.environ.get("OFFLINE_DOCKER", "auto"))
