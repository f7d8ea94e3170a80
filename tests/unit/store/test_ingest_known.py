from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Any

import pytest

from offline.store import gzip as store_gzip
from offline.store import index, layers
from offline.store.contents import AgainError
from tests.unit.store import streams
from tests.unit.store.stores import (
    ALIKE,
    BASE,
    BOTH,
    NEW,
    OLD,
    SERVER,
    WEB,
    blobs,
    check,
    check_layers,
    facts,
    take,
)
from tests.unit.store.streams import Entry, Image

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from offline.store.blobs import Store


class Compressions:
    """Counts the layers that were compressed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sizes: list[int] = []
        compress = layers.compress

        def counted(*arguments: Any) -> index.KnownLayer:
            known = compress(*arguments)
            self.sizes.append(known.layer.raw_size)
            return known

        monkeypatch.setattr(layers, "compress", counted)


@pytest.fixture
def compressions(monkeypatch: pytest.MonkeyPatch) -> Compressions:
    return Compressions(monkeypatch)


@pytest.mark.parametrize("layout", [streams.classic, streams.oci], ids=["classic", "oci"])
def test_a_known_layer_is_not_compressed_again(
    layout: Callable[[Sequence[Image]], list[Entry]], store: Store, compressions: Compressions
) -> None:
    first = take(store, layout([OLD]), [OLD])
    compressions.sizes.clear()
    second = take(store, layout([NEW]), [NEW], inspected=facts(NEW))
    assert compressions.sizes == [len(NEW.layers[1])]
    check_layers(store, NEW, second)
    assert second[NEW.name].layers[0] == first[OLD.name].layers[0]


def test_a_layer_that_only_looks_like_a_known_one_asks_for_the_stream_again(store: Store) -> None:
    take(store, streams.classic([OLD]), [OLD])
    before = store.index_path.read_bytes()
    with pytest.raises(AgainError):
        take(store, streams.classic([ALIKE]), [ALIKE])
    assert store.index_path.read_bytes() == before
    check_layers(store, ALIKE, take(store, streams.classic([ALIKE]), [ALIKE], skip_known=False))


def test_a_layer_that_looks_like_one_that_is_not_expected_is_compressed_at_once(store: Store) -> None:
    take(store, streams.classic([OLD]), [OLD])
    check_layers(store, ALIKE, take(store, streams.classic([ALIKE]), [ALIKE], inspected=facts(ALIKE)))


def test_bytes_that_were_shipped_once_win_over_any_other(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    first = take(store, streams.oci([SERVER], compressed=True), [SERVER])[SERVER.name]
    assert store.read(first.layers[0].digest) == streams.blob_of(BASE, compressed=True)
    monkeypatch.setattr(store_gzip, "_BETTER", 0)
    for entries in (streams.classic([SERVER]), streams.oci([SERVER]), other_gzip(SERVER)):
        for skip_known in (True, False):
            assert take(store, entries, [SERVER], skip_known=skip_known)[SERVER.name] == first
    assert blobs(store) == set(index.blobs_of(first))


def other_gzip(image: Image) -> list[Entry]:
    """As another registry would have compressed it."""
    entries: dict[str, Entry] = {}
    parts = [streams.descriptor(entries, gzip.compress(raw, 1, mtime=1), "layer") for raw in image.layers]
    config = streams.descriptor(entries, image.config, "config")
    manifest = streams.compact({"schemaVersion": 2, "config": config, "layers": parts})
    listed = [streams.descriptor(entries, manifest, streams.MANIFEST_TYPE, name=image.name)]
    return [*entries.values(), Entry("index.json", streams.compact({"manifests": listed}))]


def test_other_gzip_bytes_of_a_known_layer_are_known_by_name_the_next_time(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    take(store, streams.classic([SERVER]), [SERVER])
    take(store, other_gzip(SERVER), [SERVER])
    monkeypatch.setattr(layers, "copy_gzip", None)
    take(store, other_gzip(SERVER), [SERVER])


@pytest.mark.parametrize("layout", [streams.classic, streams.oci], ids=["classic", "oci"])
def test_a_blob_that_was_lost_is_made_anew(layout: Callable[[Sequence[Image]], list[Entry]], store: Store) -> None:
    lost = take(store, layout([OLD]), [OLD])[OLD.name].layers[0]
    store.path(lost.digest).unlink()
    check(store, [OLD], take(store, layout([OLD]), [OLD], inspected=facts(OLD)))


def test_an_image_whose_lost_layer_got_other_bytes_must_be_exported_again(store: Store) -> None:
    both = take(store, streams.oci(BOTH, compressed=True))
    shared = both[SERVER.name].layers[0]
    store.path(shared.digest).unlink()
    take(store, streams.classic([SERVER]), [SERVER])
    assert index.load(store).image(WEB.id, "linux/amd64") is None
