"""`--since`: how an earlier release is named, and what a second packager takes over from the first one's bundle."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from offline.bundle import layout
from offline.bundle.verify import inspect
from offline.errors import UsageError, VerifyError
from offline.release import earlier, gc, stages
from offline.release.packaging import package
from offline.store import adopt, index
from tests import builders
from tests.delta_releases import pack_otherwise
from tests.unit.modelengine import ModelEngine
from tests.unit.release.test_pipeline import Checkout, left

if TYPE_CHECKING:
    from offline.release.outcome import Outcome

SECOND = "20261124-000000"


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> ModelEngine:
    return ModelEngine().install(monkeypatch)


@pytest.fixture
def checkout(tmp_path: Path, engine: ModelEngine) -> Checkout:
    """One that has made a release."""
    made = Checkout(tmp_path / "one", engine)
    made.release()
    return made


def since(checkout: Checkout, *given: str, identity: str = SECOND, part_size: int | None = None) -> Outcome:
    """The package of a delta."""
    with checkout.run() as run:
        return package(run, identity=identity, since=earlier.find(run, given), part_size=part_size)


def layers_in(bundle: Path) -> set[str]:
    """Digests of the blobs that are no config and no manifest."""
    with tarfile.open(bundle) as tar:
        found = {member.name.rpartition("/")[2] for member in tar if f"/{layout.BLOBS}/" in member.name}
    config_and_manifest = 2
    assert len(found) >= 4 * config_and_manifest
    return found


def first_bundle(checkout: Checkout) -> Path:
    return checkout.folder / "dist" / f"mini-offline-deployment-{builders.ID}.tar.gz"


@pytest.mark.parametrize("name", ["id", "bundle", "result", "latest"])
def test_an_earlier_release_is_named_by_its_id_its_bundle_or_a_result_file(checkout: Checkout, name: str) -> None:
    bundle = first_bundle(checkout)
    names = {"id": builders.ID, "bundle": bundle, "result": bundle.with_suffix("").with_suffix(".json")}
    made = since(checkout, str(names.get(name, bundle.with_name("latest.json"))))
    assert made.written.path.name == f"mini-offline-deployment-{SECOND}-since-{builders.ID}.tar.gz"
    with made.written.path.open("rb") as file:
        assert inspect(file, "delta").bad == ()
    assert len(layers_in(made.written.path)) == 8
    assert made.as_json()["since"] == [builders.ID]


def test_a_release_of_this_checkout_is_known_when_its_bundle_is_gone(checkout: Checkout) -> None:
    bundle = first_bundle(checkout)
    bundle.unlink()
    by_id = since(checkout, builders.ID)
    by_result = since(checkout, str(bundle.with_suffix("").with_suffix(".json")))
    assert by_id.written.sha256 == by_result.written.sha256


def test_a_bundle_that_was_put_into_the_output_folder_is_found_by_its_id(
    checkout: Checkout, tmp_path: Path, engine: ModelEngine
) -> None:
    second = Checkout(tmp_path / "two", engine)
    second.release(SECOND)
    other = since(
        checkout, builders.ID
    ).written.path  # a delta of it has its id in its name, too, and is another release
    (second.folder / "dist" / f"a-{other.name}").write_bytes(other.read_bytes())
    first_bundle(checkout).rename(second.folder / "dist" / first_bundle(checkout).name)
    assert since(second, builders.ID, identity="20261125-000000").facts.since == (builders.ID,)


def test_an_id_that_nobody_knows_is_answered_with_those_that_are(checkout: Checkout) -> None:
    with pytest.raises(UsageError, match=rf"knows no release of that id\n  next: .*{builders.ID}"):
        since(checkout, "20200101-000000")


def test_a_damaged_record_is_said_so(checkout: Checkout) -> None:
    (checkout.folder / "work" / "releases" / f"{builders.ID}.json").write_text("{}")
    with pytest.raises(UsageError, match="damaged"):
        since(checkout, builders.ID)


def test_a_release_is_refused_before_the_build_when_its_base_is_not_known(
    checkout: Checkout, engine: ModelEngine
) -> None:
    engine.asked.clear()
    with checkout.run() as run, pytest.raises(UsageError, match="knows no release"):
        stages.release(run, identity=SECOND, since=["20200101-000000"])
    assert engine.commands("build") == []


def test_a_delta_in_parts_and_a_delta_of_a_bundle_in_parts(checkout: Checkout) -> None:
    parts = since(checkout, builders.ID, part_size=20_000)
    assert len(parts.written.parts) > 1
    again = since(checkout, str(parts.written.path), identity="20261125-000000")
    assert again.facts.since == (SECOND,)
    assert len(layers_in(again.written.path)) == 8


def test_a_delta_of_a_delta_knows_what_the_first_one_left_out(checkout: Checkout) -> None:
    bundle = since(checkout, builders.ID).written.path
    again = since(checkout, str(bundle), identity="20261125-000000")
    assert len(layers_in(again.written.path)) == 8
    assert again.facts.delta is not None
    assert "models/SenseVoiceSmall/configuration.json" in again.facts.delta.files


def test_a_release_json_alone_leaves_out_layers_and_says_that_files_stay(checkout: Checkout, tmp_path: Path) -> None:
    with tarfile.open(first_bundle(checkout)) as tar:
        file = tar.extractfile(f"mini-offline-deployment-{builders.ID}/release.json")
        assert file is not None
        (tmp_path / "release.json").write_bytes(file.read())
    made = since(checkout, str(tmp_path / "release.json"))
    assert made.facts.delta is not None
    assert (len(layers_in(made.written.path)), made.facts.delta.files) == (8, frozenset())
    assert "only layers stay out" in checkout.said.getvalue()


def test_store_gc_counts_a_release_once_whether_whole_or_delta(checkout: Checkout, engine: ModelEngine) -> None:
    with checkout.run(OFFLINE_MODE="single") as run:
        stages.release(run, identity=SECOND)
    with checkout.run(OFFLINE_MODE="single") as run:
        package(run, identity=SECOND, since=earlier.find(run, [builders.ID]))
    with checkout.run() as run:
        assert gc.collect(run, 2).images == ()
        assert engine.images["mini/web:build"].id in gc.collect(run, 1).images


# --- a second packager


@pytest.fixture
def second(tmp_path: Path, engine: ModelEngine) -> Checkout:
    """Another checkout, on a machine whose compressor makes other bytes."""
    made = Checkout(tmp_path / "two", engine)
    made.release("20261101-000000")
    with made.run() as run:
        pack_otherwise(run.store)
    return made


def digests(outcome: Outcome) -> set[str]:
    return {layer.digest for image in outcome.facts.images for layer in image.stored.layers}


def test_the_second_packager_takes_over_the_bytes_that_were_shipped_first(checkout: Checkout, second: Checkout) -> None:
    with second.run() as run:
        own = package(run, identity="20261101-000000")
    made = since(second, str(first_bundle(checkout)))
    whole = since(checkout, identity=SECOND)
    assert digests(made) == digests(whole) != digests(own)
    assert len(layers_in(made.written.path)) == 8
    assert "taken over" in second.said.getvalue()


def test_the_full_bundle_of_the_second_packager_has_those_bytes_too(checkout: Checkout, second: Checkout) -> None:
    delta = since(second, str(first_bundle(checkout)))
    whole = since(second)
    assert digests(whole) == digests(delta)
    with whole.written.path.open("rb") as file:
        assert inspect(file, "whole").bad == ()


def test_without_the_bundle_the_layers_travel_and_it_is_said_why(
    checkout: Checkout, second: Checkout, tmp_path: Path
) -> None:
    with tarfile.open(first_bundle(checkout)) as tar:
        file = tar.extractfile(f"mini-offline-deployment-{builders.ID}/release.json")
        assert file is not None
        (tmp_path / "release.json").write_bytes(file.read())
    made = since(second, str(tmp_path / "release.json"))
    assert (made.facts.since, len(layers_in(made.written.path)) > 8) == ((), True)
    assert "travels, although the earlier releases have it" in second.said.getvalue()
    assert made.written.path.name == f"mini-offline-deployment-{SECOND}.tar.gz"


def test_bytes_that_are_not_the_layer_are_not_taken_over(checkout: Checkout, second: Checkout) -> None:
    with checkout.run() as run:
        known = index.load(run.store)
    before = left(second.folder / "work" / "store" / "blobs" / "sha256")
    one, other = sorted(known.layers)[:2]
    digest = known.layers[one].layer.digest
    with checkout.run() as there, second.run() as run, pytest.raises(VerifyError, match="are not the layer"):
        adopt.adopt(run.store, {digest: other}, [(digest, there.store.reading(digest))])
    assert left(second.folder / "work" / "store" / "blobs" / "sha256") == before


def test_the_record_of_a_release_is_what_release_json_says(checkout: Checkout) -> None:
    record = json.loads((checkout.folder / "work" / "releases" / f"{builders.ID}.json").read_text())
    assert (record["release"]["id"], record["release"]["since"]) == (builders.ID, [])
    assert "scripts/verify.sh" in record["files"]


def test_another_release_of_an_id_that_there_was_is_warned_of(checkout: Checkout) -> None:
    since(checkout, identity=builders.ID)
    assert "made before with other content" not in checkout.said.getvalue()
    with checkout.run(OFFLINE_MODE="single") as run:
        package(run, identity=builders.ID)
    assert "made before with other content" in checkout.said.getvalue()
