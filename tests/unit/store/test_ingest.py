from __future__ import annotations

import hashlib
import io
import json
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offline.errors import VerifyError
from offline.store import gzip as store_gzip
from offline.store import index
from offline.store.blobs import Store
from offline.store.ingest import ingest
from offline.store.model import Inspected
from offline.store.tarstream import TruncatedError
from tests.unit.store import streams
from tests.unit.store.stores import (
    APP,
    BASE,
    BOTH,
    SERVER,
    WEB,
    blobs,
    check,
    take,
)
from tests.unit.store.streams import BLOBS, Entry, Image, digest, layer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

LAYOUTS = {
    "classic": streams.classic,
    "oci": streams.oci,
    "oci, gzip": lambda images: streams.oci(images, compressed=True),
    "oci, no manifest.json": lambda images: streams.oci(images, plain_manifest=False),
}
every_layout = pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)


@every_layout
def test_both_layouts_give_the_same_images(layout: Callable[[Sequence[Image]], list[Entry]], store: Store) -> None:
    check(store, BOTH, take(store, layout(BOTH)))


LAYER = st.builds(layer, st.binary(max_size=2000), st.sampled_from(["a", "b"]))


@st.composite
def generated(draw: st.DrawFn) -> tuple[list[Image], list[Entry], int]:
    """Images that share and repeat layers, their stream in any order, and a number of threads."""
    pool = draw(st.lists(LAYER, min_size=1, max_size=4))
    chains = draw(st.lists(st.lists(st.sampled_from(pool), max_size=5), min_size=1, max_size=3))
    images = [Image(f"some/image{number}:1", tuple(chain)) for number, chain in enumerate(chains)]
    entries = draw(st.sampled_from(list(LAYOUTS.values())))(images)
    return images, draw(st.permutations(entries)), draw(st.integers(1, 4))


@given(case=generated())
@settings(max_examples=60, deadline=None)
def test_every_image_comes_out_whatever_the_order_and_the_threads(case: tuple[list[Image], list[Entry], int]) -> None:
    images, entries, threads = case
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(store_gzip, "threads", lambda: threads)
        store = Store(Path(folder))
        check(store, images, take(store, entries, images))


@every_layout
def test_every_truncation_is_refused_and_changes_nothing(
    layout: Callable[[Sequence[Image]], list[Entry]], store: Store
) -> None:
    take(store, streams.classic([WEB]), [WEB])
    before, had = store.index_path.read_bytes(), blobs(store)
    whole = streams.stream(layout([SERVER]))
    lengths = {*range(0, len(whole), 97), *range(0, len(whole), 512), len(whole) - 1}
    for length in sorted(lengths):
        with pytest.raises(TruncatedError):
            ingest(io.BytesIO(whole[:length]), store, [SERVER.name], platform="linux/amd64", on_bytes=lambda _: None)
    assert (store.index_path.read_bytes(), blobs(store)) == (before, had)


GZIPPED_APP = digest(streams.blob_of(APP, compressed=True))[7:]


def flipped(entries: Sequence[Entry], at: str) -> list[Entry]:
    return [replace(e, data=e.data[:-1] + bytes([e.data[-1] ^ 1])) if at in e.name else e for e in entries]


def renamed(entries: Sequence[Entry], old: str, new: str) -> list[Entry]:
    return [replace(entry, name=entry.name.replace(old, new)) for entry in entries]


def without(entries: Sequence[Entry], at: str) -> list[Entry]:
    return [entry for entry in entries if at not in entry.name]


@pytest.mark.parametrize(
    ("entries", "told"),
    [
        (flipped(streams.oci([SERVER]), digest(APP)[7:]), digest(APP)[7:]),
        (flipped(streams.oci([SERVER], compressed=True), GZIPPED_APP), "damaged gzip"),
        (renamed(streams.oci([SERVER], compressed=True), GZIPPED_APP, "0" * 64), "0{64}: its bytes hash to"),
        (flipped(streams.oci([SERVER]), SERVER.id[7:]), SERVER.id[7:]),
        (flipped(streams.classic([SERVER]), SERVER.id[7:]), SERVER.id[7:]),
        (flipped(streams.classic([SERVER]), "layer.tar"), "names other layers"),
        (without(streams.oci([SERVER]), digest(APP)[7:]), "missing from the save stream"),
        (without(streams.classic([SERVER]), "layer.tar"), "missing from the save stream"),
        (without(streams.classic([SERVER]), SERVER.id[7:]), "its config"),
        (without(streams.oci([SERVER]), SERVER.id[7:]), "its config"),
        (streams.classic([WEB]), "which holds mini/web:build"),
        (streams.oci([WEB], plain_manifest=False), "which holds docker.io/mini/web:build"),
        ([Entry("readme", b"hello")], "neither manifest.json nor index.json"),
        ([Entry("manifest.json", b"[{")], "manifest.json of the save stream is damaged"),
        ([Entry("manifest.json", b'[{"Config": 1}]')], "manifest.json of the save stream is damaged"),
        ([Entry("index.json", b'{"manifests": [1]}')], "lists no manifests"),
        ([Entry("manifest.json", b"[]"), Entry("manifest.json", b"[]")], "twice"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_bad_stream_is_refused_by_name_and_changes_nothing(entries: list[Entry], told: str, store: Store) -> None:
    with pytest.raises(VerifyError, match=told):
        take(store, entries, [SERVER])
    assert not store.index_path.exists()
    assert blobs(store) == set()


def test_a_link_that_leads_round_in_a_circle_is_a_missing_layer(store: Store) -> None:
    entries = without(streams.classic([SERVER]), "layer.tar")
    at = json.loads(next(e.data for e in entries if e.name == "manifest.json"))[0]["Layers"]
    entries += [Entry(at[0], link=f"../{at[1]}"), Entry(at[1], link=f"../{at[0]}")]
    with pytest.raises(VerifyError, match="missing"):
        take(store, entries, [SERVER])


def test_a_zstd_layer_names_its_image_and_the_cure(store: Store) -> None:
    entries: dict[str, Entry] = {}
    zstd = b"\x28\xb5\x2f\xfd" + bytes(50)
    config = streams.descriptor(entries, SERVER.config, "config")
    part = streams.descriptor(entries, zstd, "application/vnd.oci.image.layer.v1.tar+zstd")
    manifest = streams.compact({"schemaVersion": 2, "config": config, "layers": [part]})
    listed = [streams.descriptor(entries, manifest, streams.MANIFEST_TYPE, name=SERVER.name)]
    top = Entry("index.json", streams.compact({"manifests": listed}))
    with pytest.raises(VerifyError, match=r"mini/server:build.*zstd") as caught:
        take(store, [*entries.values(), top], [SERVER])
    assert "gzip" in caught.value.hint


ARM = Image("mini/server:build", (layer(b"arm"),), platform="linux/arm64/v8")


def test_of_several_platforms_the_wanted_one_is_kept(store: Store) -> None:
    entries, engine_id = streams.oci_platforms(SERVER.name, [ARM, SERVER])
    stored = take(store, entries, [SERVER])
    check(store, [SERVER], stored)
    assert index.load(store).image(engine_id, "linux/amd64") == stored[SERVER.name]
    assert index.load(store).image(engine_id, "linux/arm64") is None


def test_a_variant_counts_only_where_both_name_one(store: Store) -> None:
    entries, _ = streams.oci_platforms(SERVER.name, [ARM, SERVER])
    assert take(store, entries, [ARM], platform="linux/arm64")[ARM.name].config == ARM.id


def test_platforms_that_an_index_names_and_the_engine_has_not_are_no_matter(store: Store) -> None:
    entries, _ = streams.oci_platforms(SERVER.name, [ARM, SERVER])
    only: dict[str, Entry] = {}
    gone = digest(streams.oci_manifest(only, ARM, compressed=True))[7:]
    left = [entry for entry in entries if entry.name not in only and gone not in entry.name]
    check(store, [SERVER], take(store, left, [SERVER]))
    with pytest.raises(VerifyError, match="holds it for linux/amd64, not for linux/arm64"):
        take(store, left, [SERVER], platform="linux/arm64")


@pytest.mark.parametrize(
    "entries", [streams.classic([ARM]), streams.oci([ARM]), streams.oci_platforms("mini/server:build", [ARM])[0]]
)
def test_an_image_for_another_platform_is_refused(entries: list[Entry], store: Store) -> None:
    with pytest.raises(VerifyError, match="linux/arm64/v8, not for linux/amd64"):
        take(store, entries, [SERVER])


@pytest.mark.parametrize("asked", [SERVER.id, SERVER.id[7:19], "docker.io/mini/server:build"])
@pytest.mark.parametrize("layout", [streams.classic, streams.oci], ids=["classic", "oci"])
def test_an_image_may_be_asked_for_by_its_id_or_its_full_name(
    asked: str, layout: Callable[[Sequence[Image]], list[Entry]], store: Store
) -> None:
    assert take(store, layout([SERVER]), [replace(SERVER, name=asked)])[asked].config == SERVER.id


def test_a_reference_without_a_tag_means_latest(store: Store) -> None:
    image = replace(SERVER, name="redis:latest")
    assert take(store, streams.classic([image]), [replace(image, name="redis")])["redis"].config == image.id


def test_an_image_that_is_not_the_inspected_one_is_refused(store: Store) -> None:
    inspected = {SERVER.name: Inspected(id=SERVER.id, diff_ids=WEB.diff_ids)}
    with pytest.raises(VerifyError, match="changed while it was exported"):
        take(store, streams.classic([SERVER]), [SERVER], inspected=inspected)


def test_the_index_is_written_after_every_blob_is_durable(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    save = index.save

    def checked(at: Store, new: index.Index) -> None:
        assert all(index.has_image(at, image) for image in new.images.values())
        save(at, new)

    monkeypatch.setattr(index, "save", checked)
    take(store, streams.oci(BOTH))
    assert index.load(store).images


def test_json_without_end_is_refused(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("offline.store.contents._MAX_DOCUMENTS", 1000)
    many = [Entry(f"{number}/json", b"{" + b" " * 400 + b"}") for number in range(3)]
    with pytest.raises(VerifyError, match="more JSON"):
        take(store, many)


def test_fabricated_ids_are_real_digests() -> None:
    assert BLOBS + hashlib.sha256(BASE).hexdigest() in {entry.name for entry in streams.oci([SERVER])}
