"""`kill -9` at a hundred points of exporting, packaging and splitting that a seed decides, and what must hold after."""

from __future__ import annotations

import hashlib
import io
import os
import random
import subprocess
from typing import TYPE_CHECKING

import pytest

from offline.bundle import layout, released
from offline.bundle.verify import inspect
from offline.config.load import load
from offline.console import Console
from offline.release import stages
from offline.release.packaging import package
from offline.release.run import running
from tests.engine import own_engine
from tests.faults import points
from tests.faults.kit import Kit, damaged, image, noise, partials

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

ID = "20260102-030405"
POINTS = {"exporting": 34, "packaging": 33, "splitting": 33}
PART = 1 << 20


@pytest.fixture(scope="module")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kit]:
    """Two small images with a layer in common, built and never exported."""
    folder = tmp_path_factory.mktemp("points")
    with own_engine(folder / "e", "offline-points") as engine:
        shared = noise(4 << 20, 1)
        image("bulk/a:1", shared, noise(3 << 20, 2), environment=engine.environment)
        image("bulk/b:1", shared, bytes(20 << 20), environment=engine.environment)
        made = Kit(folder / "kit", engine.environment)
        made.describe({"a": '{prebuilt: "bulk/a:1"}', "b": '{prebuilt: "bulk/b:1"}'})
        made.done("build-offline")
        yield made


def task(kit: Kit, *, export: bool = False, part_size: int | None = None) -> Callable[[], object]:
    """A stage as its task does it, without what Invoke reads first."""

    def work() -> None:
        os.environ.update(kit._environment({}))
        config = load(environ=os.environ, flags={})
        with running(config, Console(io.StringIO(), io.StringIO()), "a test") as run:
            if export:
                stages.export_images(run)
            else:
                package(run, identity=ID, part_size=part_size)

    return work


def killed_everywhere(work: Callable[[], object], name: str, holds: Callable[[], None]) -> None:
    """Kill the work at the points of its name's seed, and hold after each what must hold; then a run that completes."""
    total = points.count(work)
    chance = random.Random(name)  # noqa: S311 - reproducible on purpose
    hit = 0
    for number in range(POINTS[name]):
        hit += points.killed_at(work, chance.randrange(total))
        holds()
        if number % 4 == 3:
            points.done(work)
            holds()
    assert hit > POINTS[name] // 2, "most of the runs had ended before their point: nothing was tested"
    points.done(work)
    holds()


@pytest.mark.timeout(300)
def test_exporting(kit: Kit) -> None:
    calls = 0

    def holds() -> None:
        nonlocal calls
        calls += 1
        assert damaged(kit.blobs) == []
        if calls % 3 == 0:
            kit.forget()

    killed_everywhere(task(kit, export=True), "exporting", holds)
    points.done(task(kit, export=True))
    assert damaged(kit.blobs) == []
    assert partials(kit.work) == []


@pytest.mark.timeout(300)
def test_packaging(kit: Kit) -> None:
    points.done(task(kit, export=True))
    points.done(task(kit))
    (bundle,) = kit.output.glob("*.tar.gz")
    whole = sha256(bundle)

    def holds() -> None:
        assert not bundle.exists() or sha256(bundle) == whole
        bundle.unlink(missing_ok=True)

    killed_everywhere(task(kit), "packaging", holds)
    points.done(task(kit))
    assert sha256(bundle) == whole
    assert partials(kit.output) == []


@pytest.mark.timeout(300)
def test_splitting(kit: Kit) -> None:
    points.done(task(kit, export=True))
    for path in kit.output.glob("*"):
        path.unlink()
    points.done(task(kit, part_size=PART))
    files = {path.name: sha256(path) for path in kit.output.glob(f"*{layout.ARCHIVE_SUFFIX}*")}
    assert len(files) > 3

    def holds() -> None:
        listed = list(kit.output.glob(f"*{layout.PARTS_SUFFIX}"))
        left = {path.name: sha256(path) for path in kit.output.glob(f"*{layout.ARCHIVE_SUFFIX}*")}
        assert left.items() <= files.items()
        if listed:
            assert left == files
        for path in (*listed, *(kit.output / name for name in left)):
            path.unlink()

    killed_everywhere(task(kit, part_size=PART), "splitting", holds)
    points.done(task(kit, part_size=PART))
    assert partials(kit.output) == []
    (listed,) = kit.output.glob(f"*{layout.PARTS_SUFFIX}")
    joined = subprocess.run(["bash", "join.sh", "--check"], cwd=kit.output, capture_output=True, text=True, check=False)
    assert (joined.returncode, joined.stdout.startswith("ok\t")) == (0, True), joined.stderr
    assert released.of_bundle(listed, Console(io.StringIO(), io.StringIO())).id == ID


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_whole_bundle_is_what_verify_calls_one(kit: Kit) -> None:
    points.done(task(kit, export=True))
    points.done(task(kit))
    (bundle,) = kit.output.glob("*.tar.gz")
    with bundle.open("rb") as file:
        assert inspect(file, bundle.name).bad == ()
