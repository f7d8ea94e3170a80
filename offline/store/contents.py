"""What one save stream holds, read as it flows: documents whole, layers into the store.

Nothing is staged and nothing is sought; a member is told by its first bytes, so the order does not matter.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING

from offline.errors import VerifyError
from offline.store import index, layers, layouts
from offline.store.blobs import Adding, Store, digest_of
from offline.store.tarstream import PIECE, Member

if TYPE_CHECKING:
    from concurrent.futures import Executor

_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
# Registries refuse larger manifests; an image config is far smaller. All of them together stay in memory.
_MAX_DOCUMENT = 4 << 20
_MAX_DOCUMENTS = 64 << 20
# A layer up to this size is compressed sooner than it is guessed.
_SURE = 1 << 20


class AgainError(Exception):
    """A layer looked like a known one and was another: read a new stream with `skip_known=False`."""


@dataclass(kw_only=True)
class Contents:
    """What one stream holds: documents whole, layers by path as their diff_id."""

    store: Store
    new: Adding
    pool: Executor
    layers: dict[str, index.KnownLayer]
    names: dict[str, str]
    skip: Mapping[str, index.KnownLayer] = field(default_factory=dict)
    skip_names: Mapping[str, str] = field(default_factory=dict)
    documents: dict[str, bytes] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    diff_ids: dict[str, str] = field(default_factory=dict)
    zstd: set[str] = field(default_factory=set)
    seen: set[str] = field(default_factory=set)
    document_bytes: int = 0

    def skip_known(self, known: Mapping[str, index.KnownLayer], names: Mapping[str, str]) -> None:
        """Do not compress these layers again, whatever an engine calls their blobs."""
        self.skip = known
        own = {name: diff_id for diff_id, layer in known.items() for name in (diff_id, layer.layer.digest)}
        self.skip_names = own | {name: diff_id for name, diff_id in names.items() if diff_id in known}

    def take(self, member: Member) -> None:
        """Read one member to its end."""
        if member.name in self.seen:
            raise VerifyError(f"the save stream holds {member.name} twice")
        self.seen.add(member.name)
        if member.target is not None:
            self.links[member.name] = member.target
            return
        first = member.read(PIECE)
        if first.lstrip()[:1] in {b"{", b"["} and first[257:262] != b"ustar":
            self._document(member, first)
        elif member.name.endswith(".tar") or member.name.startswith(layouts.BLOBS):
            self._layer(member, first)

    def layer_at(self, reference: str, path: str) -> str:
        """The diff_id of the layer at a path of the stream, through links. VerifyError when there is none."""
        at = path
        for _ in range(len(self.links) + 1):
            if at in self.diff_ids:
                return self.diff_ids[at]
            if at in self.zstd:
                raise VerifyError(
                    f"{reference}: its layer {at} is zstd, which Docker 20.10 cannot load",
                    hint="build that image again with gzip layers (BuildKit: compression=gzip,force-compression=true)",
                )
            at = self.links.get(at, "")
        raise VerifyError(f"{reference}: its layer {path} is missing from the save stream")

    def _document(self, member: Member, first: bytes) -> None:
        if member.size > _MAX_DOCUMENT:
            return
        data = first + b"".join(member.blocks())
        promised = layouts.blob_digest(member.name)
        if promised not in {None, digest_of(data)}:
            raise VerifyError(f"{member.name}: its bytes hash to {digest_of(data)}")
        self.documents[member.name] = data
        self.document_bytes += len(data)
        if self.document_bytes > _MAX_DOCUMENTS:
            raise VerifyError("the save stream holds more JSON than any image has")

    def _layer(self, member: Member, first: bytes) -> None:
        promised = layouts.blob_digest(member.name)
        if first.startswith(_ZSTD):
            self.zstd.add(member.name)
        elif promised is not None and promised in self.skip_names:
            self.diff_ids[member.name] = self.skip_names[promised]
        elif first.startswith(_GZIP):
            self.diff_ids[member.name] = self._gzip(member, first, promised)
        else:
            self.diff_ids[member.name] = self._tar(member, first, promised)

    def _gzip(self, member: Member, first: bytes, promised: str | None) -> str:
        """Keep the engine's bytes, unless other bytes of the same layer were shipped before."""
        with self.new.blob() as blob:
            try:
                known = layers.copy_gzip(chain([first], member.blocks()), blob)
            except VerifyError as error:
                raise VerifyError(f"{member.name}: {error.message}") from None
            _check(member, promised, known.layer.digest)
            if not self._settled(known):
                self.new.keep(blob)
            elif known.layer.digest != self.layers[known.layer.diff_id].layer.digest:
                self.names[known.layer.digest] = known.layer.diff_id
        return known.layer.diff_id

    def _tar(self, member: Member, first: bytes, promised: str | None) -> str:
        blocks = chain([first], member.blocks())
        alike = self._alike(member.size, first) if promised is None else set()
        if alike:
            diff_id = layers.raw_hash(blocks)
            if diff_id not in alike:
                raise AgainError(member.name)
            return diff_id
        with self.new.blob() as blob:
            known = layers.compress(blocks, blob, self.pool)
            _check(member, promised, known.layer.diff_id)
            if not self._settled(known):
                self.new.keep(blob)
        return known.layer.diff_id

    def _alike(self, size: int, first: bytes) -> set[str]:
        """Layers of the store that begin like this one and are as long: most likely it is one of them."""
        if size <= _SURE:
            return set()
        head = layers.head_of(first)
        return {d for d, known in self.skip.items() if known.layer.raw_size == size and known.head == head}

    def _settled(self, known: index.KnownLayer) -> bool:
        """Whether the store has this layer already; else it is known from now on."""
        diff_id = known.layer.diff_id
        before = self.layers.get(diff_id)
        if before is not None and self.store.has(before.layer.digest, before.layer.size):
            return True
        self.layers[diff_id] = known
        return False


def _check(member: Member, promised: str | None, digest: str) -> None:
    if promised not in {None, digest}:
        raise VerifyError(f"{member.name}: its bytes hash to {digest}")
