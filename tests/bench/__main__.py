"""`nox -s bench`: the seed's way, the floor and ours, on the same images in one run; writes docs/benchmark.md."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

from offline.paths import write_text
from offline.store import index
from offline.store.blobs import Store
from tests.bench import report
from tests.bench.ways import KIT, Ours, floor, seeds_way

ROLES = ("base", "server", "web", "db", "redis")
PAGE = KIT / "docs" / "benchmark.md"


def measure(folder: Path) -> report.Figures:
    """Run every way once, the floor before and after."""
    references = [f"bench/{role}:build" for role in ROLES]
    ours = Ours(folder / "ours")
    ours.build()
    before = os.getloadavg()[0]
    floors = [floor(references)]
    first = ours.pack()
    again = ours.pack()
    known = index.load(Store(ours.work / "store"))
    floors.append(floor(references))
    seed = seeds_way(references, folder / "seed")
    after = os.getloadavg()[0]
    return report.Figures(
        machine=f"{os.cpu_count()} cores, load {before:.1f} before and {after:.1f} after",
        images=len(ROLES),
        distinct=sum(known_layer.layer.raw_size for known_layer in known.layers.values()),
        floors=tuple(floors),
        first=first,
        again=again,
        seed=seed,
    )


def main() -> int:
    """Measure, show, write; 1 where a reach was missed."""
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=_scratch()))
    try:
        figures = measure(folder)
    finally:
        shutil.rmtree(folder)
    table = report.render(figures)
    sys.stdout.write(table)
    write_text(PAGE, report.placed(PAGE.read_text(encoding="utf-8"), table))
    return 1 if report.failed(figures) else 0


def _scratch() -> Path:
    """On the disk of the checkout: a temporary folder may be in memory."""
    folder = KIT / ".offline"
    folder.mkdir(exist_ok=True)
    return folder


if __name__ == "__main__":
    sys.exit(main())
