"""An image whose application was built apart is the image that the engine builds: the same files, run the same way."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests import layered
from tests.faults.kit import Kit, noise
from tests.layered import BUILT, COPYING, DOCKERFILES, docker, exported

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def kit(tmp_path: Path) -> Iterator[Kit]:
    made = Kit(tmp_path)
    layered.describe(made)
    yield made
    layered.remove(made)


@pytest.mark.parametrize("dockerfile", DOCKERFILES.values(), ids=DOCKERFILES)
def test_files_and_configuration_are_those_of_the_engines_own_build(kit: Kit, dockerfile: str) -> None:
    layered.check(kit, dockerfile)


def test_a_changed_file_is_exported_without_a_save_however_large_the_base(kit: Kit) -> None:
    (kit.source / "Dockerfile").write_text(f"FROM debian:bookworm-slim\n{COPYING}")
    first = released(kit)
    (kit.source / "app" / "new.bin").write_bytes(noise(50_000, seed=1))
    second = released(kit)
    stages = {stage["name"]: stage for stage in second["stages"]}
    assert stages["export"]["bytes"] == 0
    assert first["images"][0]["id"] != second["images"][0]["id"]
    assert 50_000 < second["images"][0]["new_bytes"] < 60_000
    (kit.source / "app" / "new.bin").unlink()
    assert released(kit)["images"][0]["id"] == first["images"][0]["id"]


def test_an_image_that_cannot_be_had_apart_is_saved_by_the_engine_and_says_so(kit: Kit) -> None:
    (kit.source / "Dockerfile").write_text(f"FROM debian:bookworm-slim\n{COPYING}USER 0\nRUN touch /last\n")
    said = kit.run("build-offline").stderr
    assert "server: a change is exported by reading all of it out of the engine" in said
    assert "copies nothing after its last RUN" in said
    kit.done("export")
    assert exported(kit) == docker(kit, "inspect", "--format", "{{.Id}}", BUILT).strip()


def test_a_folder_that_is_a_link_below_stays_a_link(kit: Kit) -> None:
    (kit.source / "Dockerfile").write_text("FROM debian:bookworm-slim\nCOPY app/run.py /bin/\n")
    said = kit.run("build-offline").stderr
    assert "/bin is a link in the image" in said
    kit.done("export")
    assert exported(kit) == docker(kit, "inspect", "--format", "{{.Id}}", BUILT).strip()


def released(kit: Kit) -> dict[str, Any]:
    result: dict[str, Any] = json.loads(kit.done("release", "--json", "--no-audit"))
    return result
