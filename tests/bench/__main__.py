"""`nox -s bench`: how others pack the same images, and ours, in one run; writes its tables into the documents."""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import sys
import tempfile
from pathlib import Path

from offline.paths import write_text
from offline.store import index
from offline.store.blobs import Store
from tests.bench import memory, peers, report
from tests.bench.measuring import KIT, Measured, size_of
from tests.bench.ours import Ours, kit_folder, listing

ROLES = ("base", "server", "web", "db", "redis")
PAGE = KIT / "docs" / "benchmark.md"
READMES = {KIT / "README.md": report.EN, KIT / "README.zh-CN.md": report.ZH}


def measure(folder: Path, stack: str) -> report.Figures:
    """Run every way once; the floor at the start and at the end."""
    name = Path(stack).stem.replace("release", "bench")
    references = [f"{name}/{role}:build" for role in ROLES]
    server = f"{name}/server:build"
    ours = Ours(folder / "ours", stack)
    ours.folder.mkdir()
    ours.prepare()
    _say("the floor, then ours")
    before = os.getloadavg()[0]
    floors = [peers.floor(references)]
    ways: dict[str, Measured | None] = {"first": ours.pack(), "again": ours.pack()}
    known = index.load(Store(ours.work / "store"))
    _say("one file changed")
    with peers.registry(folder / "registry") as address:
        ways["push"] = _pushed(references, address, folder)
        earlier = ours.release()
        changed = ours.change()
        delta = ours.release("--since", earlier.id)
        ways |= {
            "save": peers.floor([server]),
            "pushed": peers.push([server], address) if address else None,
        }
        ours.change()
        ways["whole"] = ours.release().beyond
    _say("the others")
    ways |= {
        "zstd": peers.through("zstd -q -T0", references, folder / "all.zst"),
        "gzip": peers.through("gzip", references, folder / "all.gz"),
        "skopeo": peers.skopeo(references, folder / "skopeo"),
        "hand": peers.by_hand(references, folder / "hand"),
    }
    floors.append(peers.floor(references))
    return report.Figures(
        machine=_machine(before),
        images=len(ROLES),
        distinct=sum(known_layer.layer.raw_size for known_layer in known.layers.values()),
        floors=tuple(floors),
        ways=ways,
        delta=delta,
        changed=changed,
        listing=listing(),
    )


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
