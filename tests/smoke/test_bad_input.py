"""What goes wrong on a real engine ends in a message, its exit code, and nothing half done."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.engine import daemon, own_engine, wait_until
from tests.faults import kills
from tests.faults.kit import Kit, damaged, image, noise, partials, size, small_disk, used
from tests.faults.silent import over_tcp, silent_after

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.engine import Engine
    from tests.faults.kit import Started

TWO = {"a": '{prebuilt: "bulk/a:1"}', "b": '{prebuilt: "bulk/b:1"}'}
PAUSE = "31557"
DOCKERFILE = "FROM debian:bookworm-slim\nRUN echo well begun\nRUN {command}\n"


def load_images(environment: Mapping[str, str]) -> None:
    """Two images with a layer in common, 110 MB that cannot be made smaller."""
    shared = noise(30 << 20, 1)
    image("bulk/a:1", shared, noise(70 << 20, 2), environment=environment)
    image("bulk/b:1", shared, noise(10 << 20, 3), environment=environment)


@pytest.fixture(scope="module")
def loaded(engine: Engine) -> Iterator[Engine]:
    load_images(engine.environment)
    yield engine
    engine.docker("rmi", "--force", "bulk/a:1", "bulk/b:1", "bulk/a:build", "bulk/b:build")


@pytest.fixture
def kit(loaded: Engine, tmp_path: Path) -> Kit:
    """The stack of two images, ready to export."""
    made = Kit(tmp_path, loaded.environment)
    made.describe(TWO)
    made.done("build-offline")
    return made


@pytest.fixture
def builder(mini: dict[str, Any], tmp_path: Path) -> Kit:
    """A stack whose image is built on the engine that has the bases (mini's)."""
    assert mini
    made = Kit(tmp_path, os.environ)
    made.describe({"a": '{build: {offline: ["source:Dockerfile"]}}'})
    return made


def half_written(kit: Kit, task: Started) -> None:
    """Await the moment at which a task has a good part of a blob or bundle on disk, and still runs."""

    while not any(size(path) > 1 << 20 for path in partials(kit.folder)):
        assert task.process.poll() is None, task.said()
        time.sleep(0.005)


def unnamed(kit: Kit) -> list[str]:
    """Blobs of the store that belong to no image: what a failed export should have taken away."""
    index = kit.blobs.parents[1] / "index.json"
    named = index.read_text() if index.exists() else ""
    return [path.name for path in kit.blobs.iterdir() if path.name not in named]


def test_an_image_that_the_engine_has_not_is_named(kit: Kit) -> None:
    kit.describe({"a": '{prebuilt: "bulk/none:1"}'})
    (kit.work / "images.json").unlink()
    done = kit.run("release")
    assert done.returncode == 6
    assert "images.a.prebuilt: the engine has no image bulk/none:1" in done.stderr
    assert "next: build or load it first" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (kit.work / "images.json").exists()
    assert not kit.output.exists()


def test_an_engine_that_dies_during_the_export_costs_only_a_second_run(tmp_path: Path) -> None:
    with own_engine(tmp_path / "e", "offline-dying") as engine:
        load_images(engine.environment)
        kit = Kit(tmp_path / "kit", engine.environment)
        kit.describe(TWO)
        kit.done("build-offline")
        with kit.started("export") as task:
            half_written(kit, task)
            engine.kill()
            assert task.ended() == 6
            said = "the engine did not save all images; those that had come whole stay in the layer store"
            assert said in task.said()
            assert "next: see whether the engine answers" in task.said()
            assert "Traceback" not in task.said()
        assert partials(kit.work) == []
        assert unnamed(kit) == []
        with daemon(engine):
            kit.done("export")
            kit.done("package")
        assert damaged(kit.blobs) == []


def test_no_engine_at_all_is_said_in_one_message(kit: Kit) -> None:
    done = kit.run("export", DOCKER_HOST=f"unix://{kit.folder}/nobody.sock")
    assert done.returncode == 5
    assert "cannot reach the Docker engine" in done.stderr
    assert "next: start Docker" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_engine_that_is_reached_over_tcp_gives_the_same_blobs(kit: Kit, loaded: Engine) -> None:
    kit.done("export")
    before = {path.name for path in kit.blobs.iterdir()}
    kit.forget()
    with over_tcp(loaded) as host:
        kit.done("export", DOCKER_HOST=host)
    assert {path.name for path in kit.blobs.iterdir()} == before
    assert damaged(kit.blobs) == []


def test_a_disk_that_fills_up_during_the_export_is_given_back(loaded: Engine, tmp_path: Path) -> None:
    kit = Kit(tmp_path, loaded.environment)
    kit.describe(TWO)
    with small_disk(kit.work, "80m") as disk:
        kit.done("build-offline")
        before = used(disk)
        done = kit.run("export")
        assert done.returncode == 6
        said = "the disk is full; what was half done is removed again, images that had come whole stay"
        assert f"{kit.work}/store: {said}" in done.stderr
        assert "next: free some space, `invoke store-gc`" in done.stderr
        assert "Traceback" not in done.stderr
        assert unnamed(kit) == []
        assert used(disk) - before < (1 << 20) + sum(size(path) for path in kit.blobs.iterdir())


def test_a_disk_that_fills_up_while_packaging_keeps_no_half_bundle(kit: Kit) -> None:
    kit.done("export")
    with small_disk(kit.output, "80m") as disk:
        before = used(disk)
        done = kit.run("package")
        assert done.returncode == 6
        assert "No space left on device; nothing was left under that name" in done.stderr
        assert "next: free space there, or name another folder with OFFLINE_OUTPUT" in done.stderr
        assert "Traceback" not in done.stderr
        assert list(disk.iterdir()) == []
        assert used(disk) == before
    assert damaged(kit.blobs) == []
    kit.done("package")


@pytest.mark.parametrize("how", ["Ctrl-C", "SIGTERM"])
def test_an_interrupted_export_leaves_nothing(kit: Kit, loaded: Engine, how: str) -> None:
    with (
        silent_after(loaded, 40 << 20, kit.folder / "silent.sock") as host,
        kit.started("export", DOCKER_HOST=host) as task,
    ):
        half_written(kit, task)
        if how == "Ctrl-C":
            task.signal(signal.SIGINT)
        else:
            task.process.terminate()
        assert task.ended() == 130
        assert "interrupted; nothing half-written was left" in task.said()
        assert "Traceback" not in task.said()
    assert partials(kit.folder) == []
    assert list(kit.blobs.iterdir()) == []
    kit.done("export")


def test_an_interrupted_build_stops_what_it_started(builder: Kit) -> None:
    (builder.source / "Dockerfile").write_text(DOCKERFILE.format(command=f"echo now pausing && sleep {PAUSE}"))
    log = builder.work / "logs" / "build-a.log"
    with builder.started("build-offline") as task:
        wait_until(lambda: log.exists() and b"now pausing\n" in log.read_bytes(), seconds=60, what="the pause")
        assert pausing()
        task.signal(signal.SIGINT)
        assert task.ended() == 130
        assert "Traceback" not in task.said()
    wait_until(lambda: not pausing(), seconds=20, what="the step in the engine to end")
    assert partials(builder.folder) == []
    assert not (builder.work / "images.json").exists()


def pausing() -> bool:
    """Whether the step of that build runs, wherever the engine put it."""
    return any(line.startswith(b"sleep\0" + PAUSE.encode()) for line in command_lines())


def command_lines() -> Iterator[bytes]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                yield (entry / "cmdline").read_bytes()
            except OSError:
                continue


def test_a_build_that_fails_shows_the_step_its_last_words_the_log_and_how_to_go_on(builder: Kit) -> None:
    (builder.source / "Dockerfile").write_text(DOCKERFILE.format(command="echo famous last words && exit 7"))
    done = builder.run("build-offline")
    assert done.returncode == 6
    assert "building a failed at [3/3]" in done.stderr
    assert "famous last words" in done.stderr
    assert "exit code: 7" in done.stderr
    assert "next: mend it, then: invoke build-offline" in done.stderr
    assert f"kept: {builder.work}/logs/build-a.log" in done.stderr
    assert "famous last words" in (builder.work / "logs" / "build-a.log").read_text()
    assert "Traceback" not in done.stderr


def test_an_export_that_is_killed_leaves_a_store_that_the_next_run_completes(kit: Kit) -> None:
    kills.exports(kit, 3)


def test_a_package_that_is_killed_leaves_no_half_bundle_under_its_name(kit: Kit) -> None:
    kit.done("export")
    kills.packages(kit, 3)
