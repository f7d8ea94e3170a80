"""Removing what no release needs any more."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from offline.store import index

if TYPE_CHECKING:
    from pathlib import Path

    from offline.store.blobs import Store

_BLOB_NAME = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, kw_only=True)
class Collected:
    """What was removed: config digests of images, number of blobs, bytes given back to the disk."""

    images: tuple[str, ...]
    blobs: int
    freed: int


def collect(store: Store, keep: Collection[str]) -> Collected:
    """Remove the images whose config digest is not in `keep`, then every blob that nothing refers to.

    Call it under the lock (`offline.store.lock`): a running export has blobs that no index names yet.
    """
    before = index.load(store)
    after = kept(before, keep)
    # The index first: killed between the two, the store holds blobs too many, never too few.
    if after != before:
        index.save(store, after)
    needed = {store.path(digest) for image in after.images.values() for digest in index.blobs_of(image)}
    freed = [
        _remove(path)
        for path in (sorted(store.folder.iterdir()) if store.folder.is_dir() else ())
        if path not in needed and _BLOB_NAME.fullmatch(path.name)
    ]
    return Collected(images=tuple(sorted(set(before.images) - set(after.images))), blobs=len(freed), freed=sum(freed))


def kept(before: index.Index, keep: Collection[str]) -> index.Index:
    """The index with the images in `keep` only, and the layers they have."""
    images = {config: image for config, image in before.images.items() if config in keep}
    diff_ids = {layer.diff_id for image in images.values() for layer in image.layers}
    return replace(
        before,
        layers={diff_id: known for diff_id, known in before.layers.items() if diff_id in diff_ids},
        images=images,
        names={name: diff_id for name, diff_id in before.names.items() if diff_id in diff_ids},
        engine={engine_id: config for engine_id, config in before.engine.items() if config in images},
    )


def _remove(path: Path) -> int:
    size = path.stat().st_size
    path.unlink()
    return size
