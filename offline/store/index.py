"""`index.json`: what the blobs of a store belong to. Written last, so a blob it names is on disk.

One diff_id keeps one digest for ever: hosts and earlier bundles hold those bytes, whatever compressor comes later.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from offline.errors import UsageError, VerifyError
from offline.paths import write_text
from offline.store.blobs import Store, is_digest
from offline.store.model import Layer, StoredImage

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEMA = 1


@dataclass(frozen=True, kw_only=True)
class KnownLayer:
    """A layer of the store; `head` is the sha256 of the first 64 KiB of its tar, to recognise it in a stream."""

    layer: Layer
    head: str


@dataclass(frozen=True, kw_only=True)
class Index:
    """Layers by diff_id, images by config digest.

    `names` gives the diff_id behind the digest of other gzip bytes that an engine holds for a known layer; `engine`
    the config digest behind an id that is no config digest (a containerd store names an image by its manifest).
    """

    layers: Mapping[str, KnownLayer] = field(default_factory=dict)
    images: Mapping[str, StoredImage] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    engine: Mapping[str, str] = field(default_factory=dict)

    def image(self, engine_id: str, platform: str) -> StoredImage | None:
        """The stored image of that platform that the engine calls by this id."""
        image = self.images.get(engine_id) or self.images.get(self.engine.get(engine_id, ""))
        return image if image is not None and image.platform == platform else None


def load(store: Store) -> Index:
    """Read the index; a store that has none is empty.

    VerifyError when it is damaged, UsageError when a newer kit wrote it.
    """
    try:
        text = store.index_path.read_bytes()
    except FileNotFoundError:
        return Index()
    try:
        data = json.loads(text)
        schema = data["schema"]
        if isinstance(schema, int) and schema > SCHEMA:
            raise UsageError(
                f"{store.index_path}: written by a newer kit (schema {schema}; this one knows {SCHEMA})",
                hint="use the newer kit, or give this one another folder",
            )
        return _parsed(data)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise VerifyError(
            f"{store.index_path}: this index is damaged ({type(error).__name__}: {error})",
            hint="move it away and run the export again: it is made anew, at the price of one full export",
        ) from None


def save(store: Store, index: Index) -> None:
    """Write the index, whole or not at all. Every blob it names must be on disk before."""
    layers = {
        diff_id: _without(asdict(known.layer), "diff_id") | {"head": known.head}
        for diff_id, known in index.layers.items()
    }
    images = {
        config: _without(asdict(image), "config") | {"layers": [layer.diff_id for layer in image.layers]}
        for config, image in index.images.items()
    }
    data = {
        "schema": SCHEMA,
        "layers": layers,
        "images": images,
        "names": dict(index.names),
        "engine": dict(index.engine),
    }
    write_text(store.index_path, json.dumps(data, indent=1, sort_keys=True) + "\n")


def blobs_of(image: StoredImage) -> dict[str, int]:
    """Every blob of an image, with its size."""
    blobs = {image.config: image.config_size, image.manifest: image.manifest_size}
    return blobs | {layer.digest: layer.size for layer in image.layers}


def has_image(store: Store, image: StoredImage) -> bool:
    """Whether every blob of the image is there with its size."""
    return all(store.has(digest, size) for digest, size in blobs_of(image).items())


def _without(record: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name != key}


def _parsed(data: dict[str, Any]) -> Index:
    layers = {diff_id: _layer(diff_id, entry) for diff_id, entry in data["layers"].items()}
    images = {config: _image(config, entry, layers) for config, entry in data["images"].items()}
    return Index(layers=layers, images=images, names=_digests(data["names"]), engine=_digests(data["engine"]))


def _layer(diff_id: str, entry: dict[str, Any]) -> KnownLayer:
    layer = Layer(
        diff_id=_digest(diff_id),
        digest=_digest(entry["digest"]),
        size=_count(entry["size"]),
        raw_size=_count(entry["raw_size"]),
    )
    return KnownLayer(layer=layer, head=_digest(entry["head"]))


def _image(config: str, entry: dict[str, Any], layers: Mapping[str, KnownLayer]) -> StoredImage:
    return StoredImage(
        config=_digest(config),
        config_size=_count(entry["config_size"]),
        manifest=_digest(entry["manifest"]),
        manifest_size=_count(entry["manifest_size"]),
        platform=str(entry["platform"]),
        layers=tuple(layers[diff_id].layer for diff_id in entry["layers"]),
    )


def _digests(pairs: dict[str, Any]) -> dict[str, str]:
    return {_digest(name): _digest(value) for name, value in pairs.items()}


def _digest(value: object) -> str:
    if not isinstance(value, str) or not is_digest(value):
        raise ValueError(f"{value!r} is not a digest")
    return value


def _count(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"{value!r} is not a size")
    return value
