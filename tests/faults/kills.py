"""`kill -9` at moments that a seed decides, and what must hold after each."""

from __future__ import annotations

import hashlib
import random
import time
from subprocess import TimeoutExpired
from typing import TYPE_CHECKING

from tests.faults.kit import damaged, partials, size

if TYPE_CHECKING:
    from pathlib import Path

    from tests.faults.kit import Kit

ID = "20260102-030405"


def killed(kit: Kit, *words: str, seed: int, seconds: float) -> bool:
    """Start a task and kill it; says whether it still ran then.

    Even seeds give a moment of its whole time, odd ones a moment soon after the first megabyte was on disk.
    """
    chance = random.Random(seed)  # noqa: S311 - reproducible on purpose
    before = _large(kit)
    with kit.started(*words) as task:
        if seed % 2:
            while task.process.poll() is None and _large(kit) <= before:
                time.sleep(0.002)
        try:
            task.process.wait(chance.uniform(0.0, seconds * (0.1 if seed % 2 else 1.0)))
        except TimeoutExpired:
            task.process.kill()
            task.ended()
            return True
    return False


def _large(kit: Kit) -> set[Path]:
    """Files of a megabyte and more in the store and in the output folder."""
    return {path for folder in (kit.blobs, kit.output) for path in folder.glob("*") if size(path) >= 1 << 20}


def exports(kit: Kit, moments: int) -> None:
    """Kill an export again and again, each time further along or not; no bad blob is ever under a name."""
    seconds = _seconds(kit, "export")
    kit.forget()
    hit = 0
    for seed in range(moments):
        caught = killed(kit, "export", seed=seed, seconds=seconds)
        hit += caught
        assert damaged(kit.blobs) == []
        if not caught or seed % 3 == 2:  # what was exported whole leaves the next one nothing to be caught at
            kit.forget()
    assert hit >= moments // 2, "most of the exports had ended before their moment: nothing was tested"
    kit.done("export")
    assert damaged(kit.blobs) == []
    assert partials(kit.work) == []


def packages(kit: Kit, moments: int) -> None:
    """Kill a package again and again: no half bundle is ever under its final name, and the last run's is whole."""
    seconds = _seconds(kit, "package", "--id", ID)
    (bundle,) = kit.output.glob("*.tar.gz")
    whole = _sha256(kit)
    hit = 0
    for seed in range(moments):
        bundle.unlink(missing_ok=True)
        hit += killed(kit, "package", "--id", ID, seed=seed, seconds=seconds)
        assert not bundle.exists() or _sha256(kit) == whole
    assert hit >= moments // 2, "most of the packages had ended before their moment: nothing was tested"
    kit.done("package", "--id", ID)
    assert _sha256(kit) == whole
    assert partials(kit.output) == []
    kit.done("verify", str(bundle))


def _seconds(kit: Kit, *words: str) -> float:
    """How long the task takes undisturbed."""
    started = time.monotonic()
    kit.done(*words)
    return time.monotonic() - started


def _sha256(kit: Kit) -> str:
    (bundle,) = kit.output.glob("*.tar.gz")
    return hashlib.sha256(bundle.read_bytes()).hexdigest()
