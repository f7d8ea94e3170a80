"""An application's own layer, and the image that it makes on top of one that the store has: no engine saves it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from offline.errors import FailedError
from offline.store import gzip, index, layers
from offline.store.blobs import Store, adding
from offline.store.manifest import image_manifest
from offline.store.model import Layer, StoredImage

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_CREATED = "2024-01-01T00:00:00Z"
_KEPT = ("architecture", "variant", "os", "os.version", "os.features")


@dataclass(frozen=True, kw_only=True)
class AppLayer:
    """What a build added to the image `below`, a tag; `built` is the engine's id of what it built itself."""

    below: str
    built: str
    known: index.KnownLayer
    config: Mapping[str, Any]
    """How to run it: the `config` of an image config, as the engine made it of the Dockerfile."""
    history: tuple[str, ...]
    """The instructions that made it."""

    def as_json(self) -> dict[str, Any]:
        """For a record on disk."""
        return asdict(self)

    @staticmethod
    def of_json(record: Mapping[str, Any]) -> AppLayer:
        """From a record. TypeError or KeyError when it is damaged."""
        known = record["known"]
        return AppLayer(
            below=record["below"],
            built=record["built"],
            known=index.KnownLayer(layer=Layer(**known["layer"]), head=known["head"]),
            config=record["config"],
            history=tuple(record["history"]),
        )


def add(store: Store, tar: Iterable[bytes]) -> index.KnownLayer:
    """Compress a layer into the store; no index names it before `compose` does."""
    with adding(store) as new, gzip.executor() as pool, new.blob() as blob:
        known = layers.compress(tar, blob, pool)
        before = _of_index(store, known)
        if before is None:
            new.keep(blob)
    return before or known


def compose(store: Store, below: StoredImage, added: AppLayer) -> StoredImage:
    """The image of everything below and the added layer, in the store with its config and manifest.

    The same input gives the same bytes. FailedError when the layer is no longer in the store.
    """
    known = _of_index(store, added.known) or added.known
    if not store.has(known.layer.digest, known.layer.size):
        raise FailedError(
            f"{store.root}: the layer {known.layer.digest} is no longer in the layer store",
            hint="build again: invoke build-app or invoke build-offline",
        )
    config = image_config(store.read(below.config), known.layer.diff_id, added)
    kept = (*below.layers, known.layer)
    with adding(store) as new:
        digest = new.put(config)
        manifest = image_manifest(digest, len(config), kept)
        image = StoredImage(
            config=digest,
            config_size=len(config),
            manifest=new.put(manifest),
            manifest_size=len(manifest),
            platform=below.platform,
            layers=kept,
        )
        before = index.load(store)
        after = replace(
            before,
            layers={**before.layers, known.layer.diff_id: known},
            images={**before.images, digest: image},
        )
        with new.for_good():
            index.save(store, after)
    return image


def image_config(below: bytes, diff_id: str, added: AppLayer) -> bytes:
    """The image config: that of the image below, what the build set, and one layer more. Pure."""
    base = json.loads(below)
    created = base.get("created") or _CREATED
    config = {
        **{key: base[key] for key in _KEPT if key in base},
        "config": added.config,
        "created": created,
        "history": [*(base.get("history") or ()), *_history(added, created)],
        "rootfs": {"type": "layers", "diff_ids": [*base["rootfs"]["diff_ids"], diff_id]},
    }
    return json.dumps(config, sort_keys=True, separators=(",", ":")).encode()


def _history(added: AppLayer, created: str) -> list[dict[str, Any]]:
    """One entry for each instruction; the last that copies stands for the layer, the others have none."""
    last = max(number for number, text in enumerate(added.history) if text.upper().startswith("COPY"))
    return [
        {"created": created, "created_by": text, **({} if number == last else {"empty_layer": True})}
        for number, text in enumerate(added.history)
    ]


def _of_index(store: Store, known: index.KnownLayer) -> index.KnownLayer | None:
    """The layer as it was shipped before, if its bytes are still there: one diff_id keeps one digest."""
    before = index.load(store).layers.get(known.layer.diff_id)
    return before if before and store.has(before.layer.digest, before.layer.size) else None
