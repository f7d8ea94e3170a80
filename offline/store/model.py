"""What the layer store holds, and what it needs to know of an image before it asks the engine for it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One layer as it travels: `diff_id` names the uncompressed tar, `digest` the gzip bytes that were shipped."""

    diff_id: str
    digest: str
    size: int
    raw_size: int


@dataclass(frozen=True, kw_only=True)
class StoredImage:
    """One image of which every blob is in the store; `manifest` is the digest of the OCI manifest the kit made."""

    config: str
    config_size: int
    manifest: str
    manifest_size: int
    platform: str
    layers: tuple[Layer, ...]


@dataclass(frozen=True, kw_only=True)
class Inspected:
    """What the engine says of an image (`docker image inspect`): id, diff_ids of its layers, lowest first, and bytes.

    The id is the config digest on a classic store, the digest of a manifest or an index on a containerd store.
    """

    id: str
    diff_ids: tuple[str, ...]
    size: int = 0
