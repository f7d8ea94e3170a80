"""A tar that is read once, front to back, and must be whole: an end without its two empty blocks is a truncation.

The standard library's streaming reader takes a stream that ends between two members for a complete one.
"""

from __future__ import annotations

import posixpath
import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

from offline.errors import VerifyError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from offline.engine.save import Stream

BLOCK = 512
PIECE = 1 << 20
# Extended headers hold names; nothing an engine writes comes near this.
_MAX_HEADER = 1 << 20
_LINKS = (tarfile.SYMTYPE, tarfile.LNKTYPE)
_FILES = (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE)
_LONG_NAMES = {tarfile.GNUTYPE_LONGNAME: "path", tarfile.GNUTYPE_LONGLINK: "linkpath"}


class TruncatedError(VerifyError):
    """The stream ended before the archive did."""


@dataclass
class Source:
    """Bytes as they flow, counted, read exactly."""

    stream: Stream
    on_bytes: Callable[[int], None]
    offset: int = 0

    def exactly(self, count: int) -> bytes:
        """The next `count` bytes. TruncatedError when the stream ends before."""
        data = self.stream.read(count)
        if len(data) < count:
            data = self._all_of(data, count)
        self._count(count)
        return data

    def _all_of(self, data: bytes, count: int) -> bytes:
        parts = [data]
        missing = count - len(data)
        while missing:
            part = self.stream.read(missing)
            if not part:
                at = self.offset + count - missing
                raise TruncatedError(f"the save stream ends after {at} bytes, in the middle of the archive")
            parts.append(part)
            missing -= len(part)
        return b"".join(parts)

    def _count(self, count: int) -> None:
        self.offset += count
        self.on_bytes(count)


@dataclass
class Member:
    """One entry: a file with `blocks` to read, or a link with its `target` as a path of the archive."""

    name: str
    size: int
    target: str | None
    source: Source
    unread: int

    def read(self, count: int) -> bytes:
        """Up to `count` of the bytes that are left."""
        data = self.source.exactly(min(count, self.unread))
        self.unread -= len(data)
        return data

    def blocks(self) -> Iterator[bytes]:
        """What is left, in pieces of 1 MiB."""
        while self.unread:
            yield self.read(PIECE)


def members(source: Source) -> Iterator[Member]:
    """Give files and links as they come; what the caller leaves unread is passed over. Folders are left out.

    Reads ustar, pax and GNU long names (POSIX.1-2017 pax; GNU tar manual, "Standard"), to the end of the archive.
    Raises TruncatedError, and VerifyError for anything that is no tar.
    """
    extended: dict[str, str] = {}
    while header := _header(source):
        if header.type in (tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE, *_LONG_NAMES):
            extended |= _extended(source, header)
            continue
        member = _member(source, header, extended)
        extended = {}
        if header.type in _FILES or header.type in _LINKS:
            yield member
        for _ in member.blocks():
            pass
        source.exactly(-member.size % BLOCK)


def _header(source: Source) -> tarfile.TarInfo | None:
    """The next header, or nothing at the two empty blocks that end an archive."""
    block = source.exactly(BLOCK)
    if not any(block):
        if any(source.exactly(BLOCK)):
            raise VerifyError("the save stream holds an empty block between two members: it is damaged")
        return None
    try:
        header = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except tarfile.HeaderError as error:
        raise VerifyError(f"the save stream is no tar archive, or is damaged: {error} at {source.offset}") from None
    if header.size < 0 or header.type == tarfile.GNUTYPE_SPARSE:
        raise VerifyError(f"{header.name}: a kind of tar member that no engine writes")
    return header


def _extended(source: Source, header: tarfile.TarInfo) -> dict[str, str]:
    if header.size > _MAX_HEADER:
        raise VerifyError(f"the save stream holds an extended header of {header.size} bytes: it is damaged")
    data = source.exactly(header.size)
    source.exactly(-header.size % BLOCK)
    if header.type in _LONG_NAMES:
        return {_LONG_NAMES[header.type]: data.rstrip(b"\0").decode("utf-8", "surrogateescape")}
    return _records(data) if header.type != tarfile.XGLTYPE else {}


def _records(data: bytes) -> dict[str, str]:
    """The `length key=value` records of a pax header."""
    records = {}
    while data:
        digits, _, _ = data.partition(b" ")
        length = int(digits) if digits.isdigit() else 0
        key, equals, value = data[len(digits) + 1 : length - 1].partition(b"=")
        if not equals or data[length - 1 : length] != b"\n":
            raise VerifyError("the save stream holds a damaged pax header")
        records[key.decode("utf-8", "surrogateescape")] = value.decode("utf-8", "surrogateescape")
        data = data[length:]
    return records


def _member(source: Source, header: tarfile.TarInfo, extended: dict[str, str]) -> Member:
    name = posixpath.normpath(extended.get("path", header.name))
    size_text = extended.get("size", str(header.size))
    if not (size_text.isascii() and size_text.isdigit()):
        raise VerifyError(f"{name}: its size in the save stream is {size_text!r}")
    size = int(size_text) if header.type in _FILES else 0
    link = extended.get("linkpath", header.linkname)
    target = None
    if header.type == tarfile.SYMTYPE:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(name), link))
    elif header.type == tarfile.LNKTYPE:
        target = posixpath.normpath(link)
    return Member(name=name, size=size, target=target, source=source, unread=size)
