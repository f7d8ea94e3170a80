"""What the tests of the store share: a few images, taking them in, and all that a stored image promises."""

from __future__ import annotations

import gzip
import io
import json
from typing import TYPE_CHECKING

from offline.store import index
from offline.store.ingest import ingest
from offline.store.model import Inspected, StoredImage
from tests.unit.store import streams
from tests.unit.store.streams import Entry, Image, layer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from offline.store.blobs import Store

BASE = layer(b"base " * 1000, "base")
APP = layer(b"app", "app.py")
SERVER = Image("mini/server:build", (BASE, APP))
WEB = Image("mini/web:build", (BASE, layer(b"page", "index.html")))
BOTH = (SERVER, WEB)
# Larger than the size up to which a layer is compressed rather than guessed.
BIG = layer(bytes(number % 251 for number in range(3 << 20)), "big")
OLD = Image("mini/big:1", (BIG, APP))
NEW = Image("mini/big:2", (BIG, layer(b"ap2", "app.py")))
# Like BIG in its length and its first 64 KiB.
LIKE_BIG = BIG[:-2000] + bytes([BIG[-2000] ^ 1]) + BIG[-1999:]
ALIKE = Image("mini/big:3", (LIKE_BIG,))


def take(
    store: Store,
    entries: Sequence[Entry],
    images: Sequence[Image] = BOTH,
    *,
    platform: str = "linux/amd64",
    skip_known: bool = True,
    inspected: dict[str, Inspected] | None = None,
) -> dict[str, StoredImage]:
    return ingest(
        io.BytesIO(streams.stream(entries)),
        store,
        [image.name for image in images],
        platform=platform,
        on_bytes=lambda _: None,
        skip_known=skip_known,
        inspected=inspected,
    )


def facts(*images: Image) -> dict[str, Inspected]:
    return {image.name: Inspected(id=image.id, diff_ids=image.diff_ids) for image in images}


def blobs(store: Store) -> set[str]:
    return {f"sha256:{path.name}" for path in store.folder.iterdir()} if store.folder.exists() else set()


def check(store: Store, images: Sequence[Image], stored: dict[str, StoredImage]) -> None:
    """Everything that a stored image promises."""
    assert list(stored) == [image.name for image in images]
    for image in images:
        made = stored[image.name]
        assert made.config == image.id
        assert store.read(made.config) == image.config
        assert tuple(part.diff_id for part in made.layers) == image.diff_ids
        for part, raw in zip(made.layers, image.layers, strict=True):
            data = store.read(part.digest)
            assert (part.size, part.raw_size) == (len(data), len(raw))
            assert gzip.decompress(data) == raw
        manifest = json.loads(store.read(made.manifest))
        assert manifest["config"]["digest"] == made.config
        assert [part["digest"] for part in manifest["layers"]] == [part.digest for part in made.layers]
        assert index.load(store).images[made.config] == made
    assert blobs(store) == {name for made in stored.values() for name in index.blobs_of(made)}


def check_layers(store: Store, image: Image, stored: dict[str, StoredImage]) -> None:
    for part, raw in zip(stored[image.name].layers, image.layers, strict=True):
        assert gzip.decompress(store.read(part.digest)) == raw
