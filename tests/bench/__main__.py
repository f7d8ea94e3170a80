"""`nox -s bench`: how others pack the same images, and ours, in one run; writes its tables into the documents."""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from offline.paths import write_text
from offline.store import index
from offline.store.blobs import Store
from tests.bench import memory, peers, report
from tests.bench.measuring import KIT, Measured, size_of
from tests.bench.ours import Ours, Released, kit_folder, listing

if TYPE_CHECKING:
    from collections.abc import Callable

ROLES = ("base", "server", "web", "db", "redis")
_TURNS = 3
PAGE = KIT / "docs" / "benchmark.md"
READMES = {KIT / "README.md": report.EN, KIT / "README.zh-CN.md": report.ZH}


def measure(folder: Path, stack: str) -> report.Figures:
    """Run every way once; the one that is held against the floor three times, with the floor around each."""
    name = Path(stack).stem.replace("release", "bench")
    references = [f"{name}/{role}:build" for role in ROLES]
    ours = Ours(folder / "ours", stack)
    ours.folder.mkdir()
    ours.prepare()
    load = os.getloadavg()[0]
    _say("once unmeasured: whoever reads first would pay for what is not in memory")
    peers.floor(references)
    _say("the floor and ours, by turns")
    floors, first = _by_turns(ours, references)
    again = min((ours.pack() for _ in range(2)), key=lambda took: took.seconds)
    ways: dict[str, Measured | None] = {"first": first, "again": again}
    known = index.load(Store(ours.work / "store"))
    _say("one file changed")
    with peers.registry(folder / "registry") as address:
        ways["push"] = _tried("docker push", lambda: _pushed(references, address, folder))
        changed, delta = min((_delta(ours) for _ in range(2)), key=lambda made: made[1].beyond.seconds)
        ways |= _of_the_changed(f"{name}/server:build", address if ways["push"] else None)
        ours.change()
        ways["whole"] = ours.release().beyond
    return report.Figures(
        machine=_machine(load),
        images=len(ROLES),
        distinct=sum(known_layer.layer.raw_size for known_layer in known.layers.values()),
        floors=floors,
        ways=ways | _of_others(references, folder),
        delta=delta,
        changed=changed,
        listing=listing(),
    )


def _by_turns(ours: Ours, references: list[str]) -> tuple[tuple[Measured, ...], Measured]:
    """The floors and, of the first packs between them, the middle one: what else the machine does comes and goes."""
    floors, firsts = [peers.floor(references)], []
    ours.remember()
    for _ in range(_TURNS):
        ours.forget()
        firsts.append(ours.pack())
        floors.append(peers.floor(references))
        _say(f"floor {floors[-1].seconds:.1f} s, ours {firsts[-1].seconds:.1f} s")
    return tuple(floors), sorted(firsts, key=lambda took: took.seconds)[_TURNS // 2]


def _delta(ours: Ours) -> tuple[int, Released]:
    """Change one file since a release; gives its size and the delta bundle on that release."""
    earlier = ours.release()
    changed = ours.change()
    return changed, ours.release("--since", earlier.id)


def _of_the_changed(server: str, address: str | None) -> dict[str, Measured | None]:
    """What others do with the one image that changed."""
    pushed = _tried("docker push", lambda: peers.push([server], address) if address else None)
    return {"save": peers.floor([server]), "pushed": pushed}


def _of_others(references: list[str], folder: Path) -> dict[str, Measured | None]:
    """The same images, packed by others."""
    _say("the others")
    return {
        "zstd": _tried("zstd", lambda: peers.through("zstd -q -T0", references, folder / "all.zst")),
        "gzip": peers.through("gzip", references, folder / "all.gz"),
        "skopeo": _tried("skopeo", lambda: peers.skopeo(references, folder / "skopeo")),
        "hand": peers.by_hand(references, folder / "hand"),
    }


def _tried(name: str, way: Callable[[], Measured | None]) -> Measured | None:
    """A peer that this machine may lack, or that fails on it: then its line says so, and the others are compared."""
    try:
        measured = way()
    except SystemExit as failure:
        _say(f"{name} failed: {failure}")
        return None
    if measured is None:
        _say(f"{name} is not installed here")
    return measured


def main() -> int:
    """Measure, show, write; 1 where a reach was missed."""
    parser = argparse.ArgumentParser(prog="nox -s bench --", description=__doc__)
    parser.add_argument("--small", action="store_true", help="small images, nothing written: to work on the benchmark")
    parser.add_argument("--memory", action="store_true", help="peak memory at 1 GB and 8 GB of images instead")
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=kit_folder()))
    try:
        promised = _memory(folder) if given.memory else _ways(folder, small=given.small)
    finally:
        shutil.rmtree(folder)
    missed = report.failed(promised)
    for reach in missed:
        sys.stderr.write(f"missed: {reach.what}: {reach.measured:.2f} {reach.unit}, wanted {reach.wanted}\n")
    return 1 if missed and not given.small else 0


def _ways(folder: Path, *, small: bool) -> tuple[report.Reach, ...]:
    figures = measure(folder, "small.yml" if small else "release.yml")
    promises = report.promises(figures)
    sys.stdout.write(f"{report.ways(figures, report.EN)}\n{promises}")
    if not small:
        _write(PAGE, "bench", f"{report.ways(figures, report.EN)}\n{promises}")
        for page, language in READMES.items():
            _write(page, "bench", report.ways(figures, language))
    return report.reaches(figures)


def _memory(folder: Path) -> tuple[report.Reach, ...]:
    peaks = {size: memory.peak(folder / f"{size}", size) for size in (1, 8)}
    table = memory.render(peaks)
    sys.stdout.write(table)
    _write(PAGE, "memory", table)
    return memory.reaches(peaks)


def _pushed(references: list[str], address: str | None, folder: Path) -> Measured | None:
    if address is None:
        return None
    took = peers.push(references, address)
    return Measured(seconds=took.seconds, size=size_of(folder / "registry"))


def _write(page: Path, name: str, table: str) -> None:
    write_text(page, report.placed(page.read_text(encoding="utf-8"), name, table))


def _machine(load: float) -> str:
    memory_ = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    engine = peers.version()
    cores = os.cpu_count()
    return f"{cores} cores, {memory_:.0f} GB, Linux {platform.release()}, Docker {engine}, load {load:.1f} at the start"


def _say(what: str) -> None:
    sys.stderr.write(f"bench: {what}\n")


if __name__ == "__main__":
    sys.exit(main())
