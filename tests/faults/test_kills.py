"""`kill -9` at many moments, on an engine of one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.engine import own_engine
from tests.faults import kills
from tests.faults.kit import Kit, image, noise

if TYPE_CHECKING:
    from collections.abc import Iterator

MOMENTS = 30


@pytest.fixture(scope="module")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kit]:
    """Two images with a layer in common, built and never exported."""
    folder = tmp_path_factory.mktemp("kills")
    with own_engine(folder / "e", "offline-kills") as engine:
        shared = noise(80 << 20, 1)
        image("bulk/a:1", shared, noise(120 << 20, 2), environment=engine.environment)
        image("bulk/b:1", shared, bytes(200 << 20), environment=engine.environment)
        made = Kit(folder / "kit", engine.environment)
        made.describe({"a": '{prebuilt: "bulk/a:1"}', "b": '{prebuilt: "bulk/b:1"}'})
        made.done("build-offline")
        yield made


@pytest.mark.timeout(600)
def test_an_export_that_is_killed_leaves_a_store_that_the_next_run_completes(kit: Kit) -> None:
    kills.exports(kit, MOMENTS)


@pytest.mark.timeout(600)
def test_a_package_that_is_killed_leaves_no_half_bundle_under_its_name(kit: Kit) -> None:
    kit.done("export")
    kills.packages(kit, MOMENTS)
