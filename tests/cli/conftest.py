"""Real `invoke` processes on real files. No engine: the address they are given is one where nobody answers."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from offline.paths import KIT
from tests import builders

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

INVOKE = Path(sys.executable).with_name("invoke")
STUB = "#!/bin/sh\necho 'Docker version 20.10.24, build 297e128'\n[ \"$1\" = --version ]\n"


@dataclass(frozen=True)
class Ended:
    """What an ended process left."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Kit:
    """The kit's command line in a folder of the test's own."""

    folder: Path
    environ: Mapping[str, str]

    @property
    def source(self) -> Path:
        return self.folder / "source"

    @property
    def dist(self) -> Path:
        return self.folder / "dist"

    @property
    def work(self) -> Path:
        return self.folder / "work"

    def start(self, *words: str, **environ: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [INVOKE, *words],
            cwd=KIT,
            env={**self.environ, **environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __call__(self, *words: str, **environ: str) -> Ended:
        with self.start(*words, **environ) as process:
            return ended(process)


def ended(process: subprocess.Popen[str]) -> Ended:
    out, err = process.communicate(timeout=60)
    return Ended(process.returncode, out, err)


def shell(kit: Kit, words: str) -> Ended:
    """Run a line of shell that finds `invoke` on its PATH."""
    with shell_started(kit, words) as process:
        return ended(process)


def shell_started(kit: Kit, words: str) -> subprocess.Popen[str]:
    environ = {**kit.environ, "PATH": f"{INVOKE.parent}:{kit.environ['PATH']}"}
    return subprocess.Popen(
        ["sh", "-c", words], cwd=KIT, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def awaited(condition: Callable[[], bool]) -> None:
    """Wait for something that another process does."""
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end, "it did not happen within 30 s"
        time.sleep(0.005)


@pytest.fixture
def kit(tmp_path: Path) -> Kit:
    """The small stack, a docker client that is only a name, and an engine that does not answer."""
    source = builders.tree(tmp_path / "source")
    (source / "release.yml").write_text(builders.STACK)
    builders.tree(tmp_path, {"bin/docker": STUB})
    (tmp_path / "bin" / "docker").chmod(0o755)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OFFLINE_", "DOCKER_"))}
    return Kit(
        tmp_path,
        {
            **kept,
            "HOME": str(tmp_path),
            "PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin",
            "DOCKER_HOST": f"unix://{tmp_path}/dead.sock",
            "OFFLINE_SOURCE": str(source),
            "OFFLINE_WORK": str(tmp_path / "work"),
            "OFFLINE_OUTPUT": str(tmp_path / "dist"),
        },
    )
