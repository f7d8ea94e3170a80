"""The ways that are compared: each packs the same images, and is timed from its first command to its last."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.engine import client

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

KIT = Path(__file__).parents[2]
INVOKE = Path(sys.executable).with_name("invoke")


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One way, measured: `size` is what must be carried, `peak` the memory of its largest process; both in bytes."""

    seconds: float
    size: int = 0
    peak: int = 0


def timed(*commands: Sequence[str | Path], environment: Mapping[str, str] | None = None) -> Measured:
    """Run commands one after another; output is thrown away, a failure ends the benchmark.

    What was written before is flushed first, so that no way pays for the one before it.
    """
    os.sync()
    started, peak = time.monotonic(), 0
    for command in commands:
        process = subprocess.Popen(
            command, cwd=KIT, env={**os.environ, **(environment or {})}, stdout=subprocess.DEVNULL
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"{' '.join(map(str, command))}: code {process.returncode}")
        peak = max(peak, usage.ru_maxrss * 1024)
    return Measured(seconds=time.monotonic() - started, peak=peak)


def floor(references: Sequence[str]) -> Measured:
    """What nothing that reads images out of an engine can undercut: one save of all, thrown away."""
    return timed((client(), "save", *references))


def seeds_way(references: Sequence[str], folder: Path) -> Measured:
    """A file for each image, their checksums, and one archive of all, compressed: with no shared layer left out."""
    images = folder / "images"
    images.mkdir(parents=True)
    files = [images / f"{reference.replace('/', '-').replace(':', '-')}.tar" for reference in references]
    archive = folder / "bundle.tar.gz"
    took = timed(
        *((client(), "save", reference, "-o", file) for reference, file in zip(references, files, strict=True)),
        ("md5sum", *files),
        ("tar", "-czf", archive, "-C", folder, "images"),
    )
    size = archive.stat().st_size
    shutil.rmtree(folder)
    return Measured(seconds=took.seconds, size=size, peak=took.peak)


@dataclass(frozen=True)
class Ours:
    """The kit as a user runs it, with folders of its own."""

    folder: Path

    @property
    def work(self) -> Path:
        return self.folder / "work"

    def build(self) -> None:
        """Build the images, or find them built: neither is part of what is measured."""
        self._run("build-offline")

    def pack(self) -> Measured:
        """Export and package once."""
        took = self._run("export", "package")
        (bundle,) = self.output.glob("*.tar.gz")
        size = bundle.stat().st_size
        shutil.rmtree(self.output)
        return Measured(seconds=took.seconds, size=size, peak=took.peak)

    @property
    def output(self) -> Path:
        return self.folder / "dist"

    def _run(self, *tasks: str) -> Measured:
        variables = {
            "OFFLINE_WORK": str(self.work),
            "OFFLINE_OUTPUT": str(self.output),
            "OFFLINE_CONFIG": str(KIT / "tests/bench/release.yml"),
        }
        return timed(*((INVOKE, task) for task in tasks), environment=variables)
