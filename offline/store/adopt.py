"""Layers taken over in the bytes that somebody else has shipped: hosts have those, and a diff_id keeps one digest."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from offline.errors import VerifyError
from offline.store import index, layers
from offline.store.blobs import Store, adding
from offline.store.manifest import image_manifest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from offline.store.blobs import Adding
    from offline.store.model import StoredImage


def adopt(store: Store, wanted: Mapping[str, str], blobs: Iterable[tuple[str, Iterable[bytes]]]) -> int:
    """Let the store's images have these bytes; `wanted` is the diff_id by digest. Gives how many layers that are.

    Call it under the lock. Raises VerifyError for bytes that are not that layer; nothing is taken then.
    """
    before = index.load(store)
    with adding(store) as new:
        taken: dict[str, index.KnownLayer] = {}
        for digest, blocks in blobs:
            with new.blob() as blob:
                known = layers.copy_gzip(blocks, blob)
                if (known.layer.digest, known.layer.diff_id) != (digest, wanted[digest]):
                    raise VerifyError(f"{digest}: these bytes are not the layer {wanted[digest]}")
                new.keep(blob)
            taken[wanted[digest]] = known
        images = {config: _with(image, taken, new) for config, image in before.images.items()}
        own = {before.layers[diff_id].layer.digest: diff_id for diff_id in taken}
        after = replace(before, layers={**before.layers, **taken}, images=images, names={**before.names, **own})
        with new.for_good():
            index.save(store, after)
    return len(taken)


def _with(image: StoredImage, taken: Mapping[str, index.KnownLayer], new: Adding) -> StoredImage:
    """The same image with those bytes; its manifest names them, so it is another one."""
    if not any(layer.diff_id in taken for layer in image.layers):
        return image
    kept = tuple(taken[layer.diff_id].layer if layer.diff_id in taken else layer for layer in image.layers)
    manifest = image_manifest(image.config, image.config_size, kept)
    return replace(image, layers=kept, manifest=new.put(manifest), manifest_size=len(manifest))
