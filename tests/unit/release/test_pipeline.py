from __future__ import annotations

import io
import json
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from offline.bundle.verify import inspect
from offline.config.load import load
from offline.console import Console
from offline.errors import FailedError, UsageError
from offline.paths import MINI
from offline.release import gc, stages
from offline.release.packaging import package
from offline.release.run import Run, running
from tests import builders
from tests.unit.modelengine import ModelEngine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from offline.release.outcome import Outcome
    from offline.store.gc import Collected


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> ModelEngine:
    return ModelEngine().install(monkeypatch)


class Checkout:
    """Runs of the kit on the example, with a work folder of the test's own."""

    def __init__(self, folder: Path, engine: ModelEngine) -> None:
        self.folder, self.engine = folder, engine
        self.environ = {"OFFLINE_WORK": str(folder / "work"), "OFFLINE_OUTPUT": str(folder / "dist")}
        self.said = io.StringIO()

    @contextmanager
    def run(self, **environ: str) -> Iterator[Run]:
        config = load(environ={**self.environ, **environ}, config=str(MINI / "release.yml"))
        with running(config, Console(io.StringIO(), self.said), "a test") as run:
            run._engine = self.engine
            yield run

    def release(self, identity: str = builders.ID, **environ: str) -> Outcome:
        with self.run(**environ) as run:
            return stages.release(run, identity=identity)


@pytest.fixture
def checkout(tmp_path: Path, engine: ModelEngine) -> Checkout:
    return Checkout(tmp_path, engine)


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_one_call_makes_a_bundle_that_verifies(checkout: Checkout) -> None:
    outcome = checkout.release()
    with outcome.written.path.open("rb") as file:
        assert inspect(file, "bundle").bad == ()
    assert [stage.name for stage in outcome.stages] == ["audit", "base", "build", "export", "package"]
    assert left(checkout.folder / "dist") == [
        *("latest.json", f"mini-offline-deployment-{builders.ID}.json"),
        f"mini-offline-deployment-{builders.ID}.tar.gz",
    ]


def test_the_result_files_say_what_json_says(checkout: Checkout) -> None:
    outcome = checkout.release()
    said = json.loads((checkout.folder / "dist" / "latest.json").read_text(encoding="utf-8"))
    assert said == outcome.as_json()
    assert said == json.loads(outcome.written.path.with_suffix("").with_suffix(".json").read_text(encoding="utf-8"))
    assert (said["id"], said["bundle"], said["bytes"]) == (
        *(builders.ID, str(outcome.written.path)),
        outcome.written.path.stat().st_size,
    )
    assert [set(image) for image in said["images"]] == [{"role", "names", "id", "bytes", "new_bytes"}] * 4
    assert all({"name", "seconds", "bytes"} <= set(stage) for stage in said["stages"])
    assert said["images"][0]["names"][1] == "xiaozhi-esp32-server:server_custom"


def test_failure_6_images_that_share_layers_come_in_one_save(checkout: Checkout) -> None:
    """Failure 6: every image saved to its own tar, shared layers repeated."""
    checkout.release()
    saves = checkout.engine.commands("save")
    assert len(saves) <= 2
    names = sorted(name for save in saves for name in save if name.startswith("mini/"))
    assert names == ["mini/db:build", "mini/redis:build", "mini/server:below", "mini/web:build"]


def test_a_release_without_a_change_saves_nothing_and_keeps_every_tag(checkout: Checkout) -> None:
    first = checkout.release()
    checkout.engine.asked.clear()
    second = checkout.release("20261124-000000")
    assert checkout.engine.commands("save") == []
    assert checkout.engine.commands("mmdebstrap") == []
    assert [image.tag for image in second.facts.images] == [image.tag for image in first.facts.images]
    assert [image["new_bytes"] for image in second.as_json()["images"]] == [0, 0, 0, 0]
    assert sum(image["new_bytes"] for image in first.as_json()["images"]) > 0


def test_two_releases_with_one_id_are_byte_equal(checkout: Checkout) -> None:
    first = checkout.release()
    data = first.written.path.read_bytes()
    again = checkout.release()
    assert again.written.sha256 == first.written.sha256
    assert again.written.path.read_bytes() == data


def test_a_pruned_engine_makes_no_layer_new(checkout: Checkout) -> None:
    first = checkout.release()
    checkout.engine.images.clear()
    checkout.engine.asked.clear()
    second = checkout.release("20261124-000000")
    assert checkout.engine.commands("mmdebstrap") == []
    assert [image.stored for image in second.facts.images] == [image.stored for image in first.facts.images]


def test_plan_b_rebuilds_the_app_alone_when_only_code_changed(checkout: Checkout, engine: ModelEngine) -> None:
    checkout.release(OFFLINE_STRATEGY="two-stage")
    assert len([tag for tag in built(engine) if tag.startswith("offline-base.invalid")]) == 1
    engine.asked.clear()
    checkout.release("20261124-000000", OFFLINE_STRATEGY="two-stage")
    assert not [tag for tag in built(engine) if tag.startswith("offline-base.invalid")]


def built(engine: ModelEngine) -> list[str]:
    return [argv[argv.index("--tag") + 1] for argv in engine.commands("build") if "--tag" in argv]


@pytest.mark.parametrize("strategy", ["offline", "two-stage"])
def test_a_changed_line_of_code_is_exported_without_reading_the_image_out_of_the_engine(
    checkout: Checkout, tmp_path: Path, strategy: str
) -> None:
    source = tmp_path / "mini"
    shutil.copytree(MINI, source)
    given = {"OFFLINE_SOURCE": str(source), "OFFLINE_STRATEGY": strategy}
    first = checkout.release(**given)
    with (source / "main" / "xiaozhi-server" / "app.py").open("a") as opened:
        opened.write("# changed\n")
    checkout.engine.asked.clear()
    second = checkout.release("20261124-000000", **given)
    saved = [name for argv in checkout.engine.commands("save") for name in argv if name.startswith("mini/server")]
    assert saved == []
    before, after = first.facts.images[0].stored, second.facts.images[0].stored
    assert after.layers[:-1] == before.layers[:-1]
    assert after.layers[-1] != before.layers[-1]
    assert second.as_json()["images"][0]["new_bytes"] == after.layers[-1].size


def test_while_nothing_changed_the_files_are_not_built_apart_again(checkout: Checkout) -> None:
    first = checkout.release()
    checkout.engine.asked.clear()
    second = checkout.release("20261124-000000")
    assert [argv for argv in checkout.engine.commands("build") if "--output" in argv] == []
    assert second.facts.images[0].stored == first.facts.images[0].stored


def test_an_added_layer_that_the_store_lost_is_made_anew(checkout: Checkout) -> None:
    first = checkout.release()
    layer = first.facts.images[0].stored.layers[-1]
    with checkout.run() as run:
        run.store.path(layer.digest).unlink()
    with pytest.raises(FailedError, match=r"no longer in the layer store\n  next: build again"):
        alone(checkout, "export")
    assert checkout.release("20261124-000000").facts.images[0].stored == first.facts.images[0].stored


def test_store_gc_keeps_what_is_below_an_application(checkout: Checkout) -> None:
    checkout.release()
    below = checkout.engine.images["mini/server:below"].id
    assert below not in collected(checkout).images
    checkout.engine.asked.clear()
    checkout.release("20261124-000000")
    assert checkout.engine.commands("save") == []


def test_mode_single_bundles_the_server_alone(checkout: Checkout) -> None:
    outcome = checkout.release(OFFLINE_MODE="single")
    assert [image.role for image in outcome.facts.images] == ["server"]
    assert list(outcome.facts.modes) == ["single"]


def test_optional_payload_that_is_missing_is_one_warning_in_the_summary_and_in_release_json(
    checkout: Checkout, tmp_path: Path
) -> None:
    shutil.copytree(MINI, tmp_path / "mini")
    shutil.rmtree(tmp_path / "mini" / "main" / "xiaozhi-server" / "models")
    outcome = checkout.release(OFFLINE_SOURCE=str(tmp_path / "mini"))
    missing = "main/xiaozhi-server/models"
    assert outcome.as_json()["left_out"] == [missing]
    assert [line for line in outcome.facts.warnings if missing in line] == [
        f"payload: {missing} is not in the source; it is optional and left out"
    ]
    assert not [mount for mount in outcome.facts.mounts if "models" in mount.target]


def test_files_that_may_hold_keys_are_listed_and_warned_about(checkout: Checkout) -> None:
    outcome = checkout.release()
    assert "data/.config.yaml" in outcome.facts.holds_keys
    [warning] = [line for line in outcome.facts.warnings if "keys" in line]
    assert "data/.config.yaml" in warning


@pytest.mark.parametrize("word", ["build", "mmdebstrap", "load"])
def test_a_stage_that_fails_leaves_no_bundle_and_no_half(checkout: Checkout, engine: ModelEngine, word: str) -> None:
    engine.broken.add(word)
    with pytest.raises(FailedError):
        checkout.release()
    assert left(checkout.folder / "dist") == []
    assert [name for name in left(checkout.folder / "work") if name.startswith(("build-", ".partial"))] == []


def test_an_engine_that_dies_while_it_saves_leaves_the_store_as_it_was(checkout: Checkout, engine: ModelEngine) -> None:
    engine.broken.add("save")
    with pytest.raises(FailedError, match="the daemon is gone"):
        checkout.release()
    assert left(checkout.folder / "dist") == []
    added = json.loads((checkout.folder / "work" / "images.json").read_text())["images"][0]["app"]["known"]["layer"]
    assert left(checkout.folder / "work" / "store" / "blobs" / "sha256") == [added["digest"].removeprefix("sha256:")]
    engine.broken.clear()
    checkout.release()


def test_an_image_that_vanished_between_build_and_export_is_named(checkout: Checkout, engine: ModelEngine) -> None:
    checkout.release()
    del engine.images["mini/web:build"]
    with pytest.raises(FailedError, match="the engine no longer has mini/web:build\n  next: build again"):
        alone(checkout, "export")


@pytest.mark.parametrize("folder", ["dist", "work", "work/store", "work/store/blobs/sha256"])
def test_what_a_killed_run_left_half_written_is_removed(checkout: Checkout, folder: str) -> None:
    (checkout.folder / folder).mkdir(parents=True)
    (checkout.folder / folder / ".partial-killed").touch()
    checkout.release()
    assert ".partial-killed" not in left(checkout.folder / folder)


@pytest.mark.parametrize(
    ("stage", "name", "command"),
    [
        ("export", "images.json", "invoke build-app or invoke build-offline"),
        ("package", "export.json", "invoke export"),
    ],
)
def test_a_stage_without_what_comes_before_it_names_the_command(
    checkout: Checkout, stage: str, name: str, command: str
) -> None:
    with pytest.raises(UsageError, match=rf"{name}: there is nothing to go on from\n  next: first: {command}"):
        alone(checkout, stage)


@pytest.mark.parametrize("harm", [b"", b"{", b"[]", b"{}", b'"x"'])
def test_a_damaged_record_names_the_command_that_makes_it_anew(checkout: Checkout, harm: bytes) -> None:
    (checkout.folder / "work").mkdir()
    (checkout.folder / "work" / "export.json").write_bytes(harm)
    with pytest.raises(UsageError, match=r"export\.json: damaged .*\n  next: again: invoke export"):
        alone(checkout, "package")


def test_a_record_of_another_stack_is_refused(checkout: Checkout) -> None:
    (checkout.folder / "work").mkdir()
    (checkout.folder / "work" / "export.json").write_text('{"stack": "other", "images": []}')
    with pytest.raises(UsageError, match="of the stack other, the configuration of mini"):
        alone(checkout, "package")


def test_an_image_that_was_not_exported_is_named(checkout: Checkout) -> None:
    checkout.release(OFFLINE_MODE="single")
    with pytest.raises(UsageError, match=r"images\.web: not exported yet\n  next: first: invoke export"):
        alone(checkout, "package")


def alone(checkout: Checkout, stage: str) -> None:
    with checkout.run() as run:
        if stage == "export":
            stages.export_images(run)
        else:
            package(run, identity=builders.ID)


def test_required_payload_that_is_missing_stops_before_the_first_build(
    checkout: Checkout, engine: ModelEngine, tmp_path: Path
) -> None:
    source = tmp_path / "mini"
    shutil.copytree(MINI, source)
    (source / "main" / "xiaozhi-server" / "plugins_func" / "register.py").unlink()
    config = load(environ=checkout.environ, flags={"source": str(source)})
    with (
        running(config, Console(io.StringIO(), io.StringIO()), "a test") as run,
        pytest.raises(UsageError, match=r"register\.py: nothing of that name"),
    ):
        stages.release(run, identity=builders.ID)
    assert engine.commands("build") == []
    assert left(checkout.folder / "dist") == []


def test_store_gc_keeps_what_the_newest_releases_the_last_export_and_the_bases_need(checkout: Checkout) -> None:
    checkout.release()
    kept = collected(checkout)
    assert (kept.blobs, kept.images) == (0, ())
    checkout.release("20261124-000000")


def test_store_gc_removes_what_only_an_older_release_needs(checkout: Checkout, engine: ModelEngine) -> None:
    checkout.release()
    checkout.release("20261124-000000", OFFLINE_MODE="single")
    assert collected(checkout, keep=2).images == ()
    assert engine.images["mini/web:build"].id in collected(checkout).images
    assert engine.images["mini/server:below"].id not in collected(checkout).images


def collected(checkout: Checkout, keep: int = 1) -> Collected:
    with checkout.run() as run:
        return gc.collect(run, keep)


@pytest.mark.parametrize("harm", [b"{", b"[]", b'{"images": [1]}', b"\xff\xfe{"])
def test_store_gc_touches_nothing_when_a_result_file_cannot_be_read(checkout: Checkout, harm: bytes) -> None:
    checkout.release()
    file = checkout.folder / "dist" / f"mini-offline-deployment-{builders.ID}.json"
    file.write_bytes(harm)
    before = left(checkout.folder / "work" / "store" / "blobs" / "sha256")
    with pytest.raises(UsageError, match="not a result of this kit"):
        collected(checkout)
    assert left(checkout.folder / "work" / "store" / "blobs" / "sha256") == before


def test_in_parts_the_result_names_their_file_and_each_of_them(checkout: Checkout) -> None:
    whole = checkout.release().as_json()
    with checkout.run() as run:
        in_parts = stages.release(run, identity=builders.ID, part_size=100_000).as_json()
    assert in_parts["bundle"] == str(checkout.folder / "dist" / f"mini-offline-deployment-{builders.ID}.parts.json")
    assert len(in_parts["parts"]) > 1
    assert [set(part) for part in in_parts["parts"]] == [{"name", "bytes", "sha256"}] * len(in_parts["parts"])
    assert sum(part["bytes"] for part in in_parts["parts"]) == in_parts["bytes"]
    assert set(in_parts) - set(whole) == {"parts"}
    assert [in_parts[key] for key in ("bytes", "sha256", "sums_sha256")] == [
        whole[key] for key in ("bytes", "sha256", "sums_sha256")
    ]
    said = json.loads((checkout.folder / "dist" / "latest.json").read_text(encoding="utf-8"))
    assert said == in_parts


def test_parts_too_small_are_refused_before_a_byte_is_written(checkout: Checkout) -> None:
    with checkout.run() as run, pytest.raises(UsageError, match="more than 999"):
        stages.release(run, identity=builders.ID, part_size=10)
    assert left(checkout.folder / "dist") == []


def test_store_gc_takes_a_release_in_parts_for_one_release(checkout: Checkout) -> None:
    with checkout.run() as run:
        stages.release(run, identity=builders.ID, part_size=100_000)
    assert collected(checkout).images == ()
