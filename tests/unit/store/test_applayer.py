from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from offline.errors import FailedError
from offline.store import applayer, gc, index
from offline.store.model import Layer
from tests.unit.store import streams
from tests.unit.store.stores import BASE, SERVER, WEB, take

if TYPE_CHECKING:
    from offline.store.applayer import AppLayer
    from offline.store.blobs import Store
    from offline.store.model import StoredImage

BELOW = streams.Image("base:1", (BASE,))
TAR = streams.layer(b"code", "app.py")


def made(store: Store, tar: bytes = TAR) -> AppLayer:
    return applayer.AppLayer(
        below="base:1",
        built="sha256:engine",
        known=applayer.add(store, [tar]),
        config={"Cmd": ["app"]},
        history=("WORKDIR /app", "COPY app .", "CMD app"),
    )


def below(store: Store) -> StoredImage:
    return take(store, streams.classic([BELOW]), [BELOW])["base:1"]


def test_an_image_is_what_is_below_and_one_layer(store: Store) -> None:
    base, added = below(store), made(store)
    image = applayer.compose(store, base, added)
    assert image.layers == (*base.layers, added.known.layer)
    config = json.loads(store.read(image.config))
    assert config["rootfs"]["diff_ids"] == [streams.digest(BASE), streams.digest(TAR)]
    assert (config["config"], config["os"], config["architecture"]) == ({"Cmd": ["app"]}, "linux", "amd64")
    assert [(entry["created_by"], "empty_layer" in entry) for entry in config["history"]] == [
        *(("WORKDIR /app", True), ("COPY app .", False), ("CMD app", True))
    ]
    assert index.load(store).image(image.config, "linux/amd64") == image
    assert index.has_image(store, image)


def test_the_same_input_gives_the_same_image(store: Store) -> None:
    base = below(store)
    one, other = (applayer.compose(store, base, made(store)) for _ in range(2))
    assert one == other


def test_history_and_time_of_what_is_below_stay() -> None:
    raw = {
        "created": "2025-05-05T00:00:00Z",
        "os": "linux",
        "architecture": "arm64",
        "variant": "v8",
        "history": [{"created_by": "base"}],
        "rootfs": {"type": "layers", "diff_ids": ["sha256:a"]},
        "container": "of the engine",
    }
    known = index.KnownLayer(layer=Layer(diff_id="sha256:b", digest="sha256:c", size=1, raw_size=1), head="h")
    added = applayer.AppLayer(below="b", built="e", known=known, config={}, history=("COPY a .",))
    config = json.loads(applayer.image_config(json.dumps(raw).encode(), "sha256:b", added))
    assert config == {
        **{key: raw[key] for key in ("created", "os", "architecture", "variant")},
        "config": {},
        "history": [{"created_by": "base"}, {"created": "2025-05-05T00:00:00Z", "created_by": "COPY a ."}],
        "rootfs": {"type": "layers", "diff_ids": ["sha256:a", "sha256:b"]},
    }


def test_a_layer_that_was_shipped_keeps_its_bytes(store: Store) -> None:
    app = streams.Image("app:1", (BASE, TAR))
    shipped = take(store, streams.oci([app], compressed=True), [app])["app:1"].layers[1]
    base, added = below(store), made(store)
    assert added.known.layer == shipped
    other = replace(added, known=replace(added.known, layer=replace(shipped, digest="sha256:" + "0" * 64)))
    assert applayer.compose(store, base, other).layers[1] == shipped


def test_a_layer_that_is_gone_is_a_failure_with_a_cure(store: Store) -> None:
    base, added = below(store), made(store)
    gc.collect(store, {base.config})
    with pytest.raises(FailedError, match=r"no longer in the layer store\n  next: build again"):
        applayer.compose(store, base, added)


def test_other_images_of_the_store_stay(store: Store) -> None:
    before = take(store, streams.classic([SERVER, WEB]))
    applayer.compose(store, below(store), made(store))
    known = index.load(store)
    assert all(known.images[image.config] == image for image in before.values())


def test_a_record_of_it_is_read_as_it_was_written(store: Store) -> None:
    added = made(store)
    assert applayer.AppLayer.of_json(json.loads(json.dumps(added.as_json()))) == added
