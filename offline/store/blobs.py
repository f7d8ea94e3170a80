"""The content-addressed folder: a blob is named by the sha256 of its bytes, appears whole and never changes."""

from __future__ import annotations

import hashlib
import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from offline.errors import VerifyError
from offline.paths import Partial, partial
from offline.sink import Sink, sinking

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_READ = 1 << 20


def digest_of(data: bytes) -> str:
    """The digest of bytes in memory, as OCI writes it."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def is_digest(text: object) -> bool:
    """Whether this is a sha256 digest as OCI writes it: the only kind the kit takes."""
    return isinstance(text, str) and _DIGEST.fullmatch(text) is not None


@dataclass(frozen=True)
class Store:
    """A layer store: `blobs/sha256/<hex>` and `index.json` under one root."""

    root: Path

    @property
    def folder(self) -> Path:
        """Where the blobs are."""
        return self.root / "blobs" / "sha256"

    @property
    def index_path(self) -> Path:
        """What the blobs belong to."""
        return self.root / "index.json"

    def path(self, digest: str) -> Path:
        """Where the blob of that digest is, or would be. VerifyError for anything but a sha256 digest."""
        if not is_digest(digest):
            raise VerifyError(f"{digest!r} is not a sha256 digest")
        return self.folder / digest.removeprefix("sha256:")

    def has(self, digest: str, size: int) -> bool:
        """Whether the blob is there with that size; its bytes are checked whenever they are read (`reading`)."""
        path = self.path(digest)
        return path.is_file() and path.stat().st_size == size

    def reading(self, digest: str) -> Iterator[bytes]:
        """Give the blob in pieces of 1 MiB. VerifyError after the last one when they were not what the name says."""
        path = self.path(digest)
        seen = hashlib.sha256()
        try:
            with path.open("rb") as file:
                while piece := file.read(_READ):
                    seen.update(piece)
                    yield piece
        except FileNotFoundError:
            raise VerifyError(f"{path}: this blob is missing from the layer store", hint=_REPAIR) from None
        if seen.hexdigest() != path.name:
            raise VerifyError(f"{path}: its bytes hash to {seen.hexdigest()}", hint=_REPAIR)

    def read(self, digest: str) -> bytes:
        """A small blob (a config, a manifest) as a whole, verified."""
        return b"".join(self.reading(digest))


_REPAIR = "remove that file if it exists, then run the export again: it makes the blob anew"


@dataclass
class NewBlob:
    """A blob that is being written: hashed and counted on the way."""

    partial: Partial
    sink: Sink
    digest: str = ""
    """Of all of it, once it has ended."""

    @property
    def size(self) -> int:
        """How many bytes came."""
        return self.sink.size

    def write(self, data: bytes) -> None:
        """Append. Raises the OSError that writing earlier bytes met."""
        self.sink.write(data)

    def end(self) -> str:
        """Wait until all is written; gives the digest. Nothing can be written after."""
        self.digest = f"sha256:{self.sink.close()}"
        return self.digest


@dataclass(frozen=True)
class Adding:
    """The blobs that one run has added; see `adding`."""

    store: Store
    added: set[str] = field(default_factory=set)

    @contextmanager
    def blob(self) -> Iterator[NewBlob]:
        """Give a blob to write; call `keep` with it, or it is gone at the end of the block."""
        with partial(self.store.folder) as new, sinking(new.file) as opened:
            yield NewBlob(new, opened)

    def keep(self, blob: NewBlob) -> None:
        """Flush a blob that has ended to disk and give it its name."""
        path = self.store.path(blob.digest)
        if not path.exists():
            self.added.add(blob.digest)
        blob.partial.keep(path)

    def put(self, data: bytes) -> str:
        """Add a small blob as a whole; gives its digest."""
        with self.blob() as blob:
            blob.write(data)
            digest = blob.end()
            self.keep(blob)
        return digest

    def drop(self, digests: set[str]) -> None:
        """Remove what this run added and nobody needs."""
        for digest in digests & self.added:
            self.store.path(digest).unlink(missing_ok=True)
            self.added.discard(digest)

    @contextmanager
    def for_good(self) -> Iterator[None]:
        """Write the index in this block. Interrupted in it, the blobs stay: the index may name them by then."""
        added = set(self.added)
        self.added.clear()
        try:
            yield
        except OSError:
            self.added.update(added)
            raise


@contextmanager
def adding(store: Store) -> Iterator[Adding]:
    """Add blobs. When the block raises, those that were not there before are removed: a failure gives the disk back."""
    new = Adding(store)
    try:
        yield new
    except BaseException:
        new.drop(set(new.added))
        raise
