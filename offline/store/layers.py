"""Layers on their way into the store: hashed, compressed or inflated while they flow."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from offline.store import gzip
from offline.store.index import KnownLayer
from offline.store.model import Layer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from concurrent.futures import Executor

    from offline.store.blobs import NewBlob

HEAD = 1 << 16


def head_of(first: bytes) -> str:
    """The fingerprint of a tar, from its first bytes (64 KiB of them, where it has so many)."""
    return f"sha256:{hashlib.sha256(first[:HEAD]).hexdigest()}"


@dataclass
class RawTar:
    """What is learnt of an uncompressed layer while it flows."""

    size: int = 0
    seen: hashlib._Hash = field(default_factory=hashlib.sha256)
    head: hashlib._Hash = field(default_factory=hashlib.sha256)

    @property
    def diff_id(self) -> str:
        """The digest of all that flowed."""
        return f"sha256:{self.seen.hexdigest()}"

    def through(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        """Pass blocks on, looking at each."""
        for block in blocks:
            if self.size < HEAD:
                self.head.update(block[: HEAD - self.size])
            self.size += len(block)
            self.seen.update(block)
            yield block


def raw_hash(blocks: Iterable[bytes]) -> str:
    """The diff_id of a tar of which nothing is kept."""
    raw = RawTar()
    for _ in raw.through(blocks):
        pass
    return raw.diff_id


def compress(blocks: Iterable[bytes], blob: NewBlob, pool: Executor) -> KnownLayer:
    """Compress a tar into `blob` while it flows."""
    raw = RawTar()
    for member in gzip.members(raw.through(blocks), pool):
        blob.write(member)
    return _known(raw, blob)


def copy_gzip(blocks: Iterable[bytes], blob: NewBlob) -> KnownLayer:
    """Copy gzip bytes as they are into `blob`, inflating them to learn what is inside. VerifyError when damaged."""
    raw = RawTar()
    for _ in raw.through(gzip.inflated(_copied(blocks, blob))):
        pass
    return _known(raw, blob)


def _copied(blocks: Iterable[bytes], blob: NewBlob) -> Iterator[bytes]:
    for block in blocks:
        blob.write(block)
        yield block


def _known(raw: RawTar, blob: NewBlob) -> KnownLayer:
    layer = Layer(diff_id=raw.diff_id, digest=blob.end(), size=blob.size, raw_size=raw.size)
    return KnownLayer(layer=layer, head=f"sha256:{raw.head.hexdigest()}")
