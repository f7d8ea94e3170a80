"""Commands with a clock: how long, how much memory, how large what they left."""

from __future__ import annotations

import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

KIT = Path(__file__).parents[2]


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One way, measured: `size` is what must be carried, `peak` the memory of its largest process; both in bytes."""

    seconds: float
    size: int = 0
    peak: int = 0


def timed(
    *commands: Sequence[str | Path], environment: Mapping[str, str] | None = None, output: str | Path = os.devnull
) -> Measured:
    """Run commands one after another, their stdout to a file; a failure ends the benchmark.

    What was written before is flushed first, so that no way pays for the one before it.
    """
    os.sync()
    started, peak = time.monotonic(), 0
    with open(output, "wb") as stdout:  # noqa: PTH123
        for command in commands:
            process = subprocess.Popen(command, cwd=KIT, env={**os.environ, **(environment or {})}, stdout=stdout)
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode:
                raise SystemExit(f"{' '.join(map(str, command))}: code {process.returncode}")
            peak = max(peak, usage.ru_maxrss * 1024)
    return Measured(seconds=time.monotonic() - started, peak=peak)


def size_of(folder: Path) -> int:
    """Bytes of all files under a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
