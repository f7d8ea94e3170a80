from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from offline.errors import UsageError, VerifyError
from offline.store import index
from offline.store.blobs import Store
from offline.store.model import Layer, StoredImage

if TYPE_CHECKING:
    from pathlib import Path


def named(number: int) -> str:
    return f"sha256:{number:064x}"


LAYER = Layer(diff_id=named(1), digest=named(2), size=3, raw_size=4)
IMAGE = StoredImage(
    config=named(5), config_size=6, manifest=named(7), manifest_size=8, platform="linux/amd64", layers=(LAYER, LAYER)
)
INDEX = index.Index(
    layers={LAYER.diff_id: index.KnownLayer(layer=LAYER, head=named(9))},
    images={IMAGE.config: IMAGE},
    names={named(10): LAYER.diff_id},
    engine={named(11): IMAGE.config},
)


def test_an_index_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    index.save(Store(tmp_path), INDEX)
    assert index.load(Store(tmp_path)) == INDEX


def test_a_store_without_an_index_is_empty(tmp_path: Path) -> None:
    assert index.load(Store(tmp_path)) == index.Index()


def test_an_image_is_found_by_its_config_and_by_what_the_engine_calls_it() -> None:
    assert INDEX.image(IMAGE.config, "linux/amd64") == IMAGE
    assert INDEX.image(named(11), "linux/amd64") == IMAGE
    assert INDEX.image(named(12), "linux/amd64") is None


def test_an_image_of_another_platform_is_not_found() -> None:
    assert INDEX.image(named(11), "linux/arm64") is None


def test_a_newer_index_is_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "index.json").write_text('{"schema": 2}')
    with pytest.raises(UsageError, match="newer kit") as caught:
        index.load(Store(tmp_path))
    assert caught.value.hint


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data.pop("layers"),
        lambda data: data.pop("schema"),
        lambda data: data["layers"][LAYER.diff_id].update(size="3"),
        lambda data: data["layers"][LAYER.diff_id].update(size=-3),
        lambda data: data["layers"][LAYER.diff_id].update(digest="sha256:../../etc/passwd"),
        lambda data: data["images"][IMAGE.config].update(layers=[named(99)]),
        lambda data: data["engine"].update({named(3): 7}),
        lambda data: data.update(images=[]),
    ],
)
def test_a_damaged_index_is_refused_with_what_to_do(change: object, tmp_path: Path) -> None:
    store = Store(tmp_path)
    index.save(store, INDEX)
    data = json.loads(store.index_path.read_text())
    change(data)  # type: ignore[operator]
    store.index_path.write_text(json.dumps(data))
    with pytest.raises(VerifyError, match="damaged") as caught:
        index.load(store)
    assert caught.value.hint


def test_half_an_index_is_refused(tmp_path: Path) -> None:
    store = Store(tmp_path)
    index.save(store, INDEX)
    whole = store.index_path.read_bytes()
    for length in range(0, len(whole) - 2, 7):
        store.index_path.write_bytes(whole[:length])
        with pytest.raises(VerifyError, match="damaged"):
            index.load(store)
