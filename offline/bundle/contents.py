"""What a bundle's archive holds: every name with its digest, read once from end to end, little kept in memory."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING

from isal import igzip

from offline.bundle import layout
from offline.bundle.names import parents
from offline.bundle.tarstream import DamagedError, entries

if TYPE_CHECKING:
    from collections.abc import Iterable

    from offline.bundle.tarstream import Entry

KEPT = frozenset(
    name.encode() for name in (layout.SUMS, layout.FACTS, layout.OMITTED, layout.INDEX, layout.IMAGE_MANIFEST)
)
_MOST_KEPT = 16 << 20  # bytes of one file that is looked into; a SHA256SUMS of 100,000 lines is 13 MB
_MOST_ENTRIES = 200_000


@dataclass(frozen=True, kw_only=True)
class File:
    """One regular file's digest in hex, and its bytes."""

    sha256: str
    size: int


@dataclass(kw_only=True)
class Contents:
    """Everything in an archive by its whole name. `damage`: why reading stopped; `all_seen`: no name lacks."""

    files: dict[bytes, File] = field(default_factory=dict)
    folders: set[bytes] = field(default_factory=set)
    others: set[bytes] = field(default_factory=set)
    duplicates: set[bytes] = field(default_factory=set)
    kept: dict[bytes, bytes] = field(default_factory=dict)
    damage: str = ""
    all_seen: bool = True

    def under(self, top: bytes) -> tuple[Contents, set[bytes]]:
        """Split into what is under the folder `top`, named from there, and the names of what is not."""
        inside = Contents(damage=self.damage, all_seen=self.all_seen)
        prefix = top + b"/"
        outside = {name for name in self._names() if name != top and not name.startswith(prefix)}
        inside.files = {name.removeprefix(prefix): file for name, file in self.files.items() if name not in outside}
        inside.kept = {name.removeprefix(prefix): data for name, data in self.kept.items() if name not in outside}
        for mine, theirs in (
            (inside.folders, self.folders),
            (inside.others, self.others),
            (inside.duplicates, self.duplicates),
        ):
            mine.update(name.removeprefix(prefix) for name in theirs if name not in outside and name != top)
        return inside, outside

    def _names(self) -> set[bytes]:
        return self.files.keys() | self.folders | self.others


def read(archive: IO[bytes]) -> Contents:
    """Read a `.tar.gz` to its end, gzip's own checksum included, hashing every file."""
    contents = Contents()
    try:
        with igzip.open(archive, "rb") as stream:  # type: ignore[no-untyped-call]
            _read_entries(stream, contents)
    except DamagedError as error:
        contents.damage, contents.all_seen = str(error), error.all_seen
    _add_implied_folders(contents)
    return contents


def _read_entries(stream: IO[bytes], contents: Contents) -> None:
    seen: set[bytes] = set()
    for entry, content in entries(stream):
        if len(seen) == _MOST_ENTRIES:
            raise DamagedError(f"it has more than {_MOST_ENTRIES} entries")
        if entry.name in seen:
            contents.duplicates.add(entry.name)
        elif entry.kind == "folder":
            contents.folders.add(entry.name)
        elif entry.kind == "file":
            contents.files[entry.name] = _read_file(entry, content, contents)
        else:
            contents.others.add(entry.name)
        seen.add(entry.name)


def _read_file(entry: Entry, content: Iterable[bytes], contents: Contents) -> File:
    keep = entry.name.partition(b"/")[2] in KEPT
    if keep and entry.size > _MOST_KEPT:
        raise DamagedError(f"{entry.name.decode(errors='replace')} claims {entry.size} bytes")
    sha256 = hashlib.sha256()
    pieces = []
    for piece in content:
        sha256.update(piece)
        if keep:
            pieces.append(piece)
    if keep:
        contents.kept[entry.name] = b"".join(pieces)
    return File(sha256=sha256.hexdigest(), size=entry.size)


def _add_implied_folders(contents: Contents) -> None:
    """Add the folders that `tar` makes for a path; where one of them is a file, two entries want one name."""
    for name in (*contents.files, *contents.folders, *contents.others):
        contents.folders.update(parents(name))
    contents.duplicates |= contents.folders & contents.files.keys()
    contents.folders -= contents.files.keys() | contents.others
