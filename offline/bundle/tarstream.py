"""Read a tar out of a gzip stream strictly, entry by entry, in constant memory.

Not `tarfile`: read as a stream it takes a damaged header for the end of the archive, does not check the gzip trailer,
and reads an extension header of any size into memory. What this reader does not know, it refuses.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, Protocol

from isal import isal_zlib

if TYPE_CHECKING:
    from collections.abc import Iterator

BLOCK = 512
CHUNK = 1 << 20
_MOST_EXTENSION = 1 << 16  # bytes of a long name or of pax records: far above any path a file system takes
_ZEROS = bytes(BLOCK)
_PAX_RECORD = re.compile(rb"(\d{1,9}) ([^=]+)=")
_WITHOUT_DATA = (
    b"123456"  # links, devices, folders and fifos carry no data, whatever their size field says (POSIX ustar)
)
# What a gzip reader raises: cut short, bad checksum, bad data. (isal's stub calls its class an instance.)
UNREADABLE: tuple[type[Exception], ...] = (EOFError, OSError, isal_zlib.error)  # type: ignore[assignment]

Kind = Literal["file", "folder", "other"]


class DamagedError(Exception):
    """Not a whole tar; `all_seen` when every entry had been read before the damage showed."""

    def __init__(self, why: str, *, all_seen: bool = False) -> None:
        super().__init__(why)
        self.all_seen = all_seen


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One entry: its name as stored, without a folder's last slash, and the bytes of its content."""

    name: bytes
    kind: Kind
    size: int
    executable: bool = False


class Readable(Protocol):
    """Plain bytes of an archive, front to back."""

    def read(self, size: int, /) -> bytes:
        """So many bytes, fewer at the end."""


@dataclass
class Content:
    """A file's bytes in pieces, each given once; `left` are those that nobody took."""

    stream: Readable
    left: int

    def __iter__(self) -> Content:
        return self

    def __next__(self) -> bytes:
        if not self.left:
            raise StopIteration
        piece = _exactly(self.stream, min(self.left, CHUNK))
        self.left -= len(piece)
        return piece


def entries(stream: Readable) -> Iterator[tuple[Entry, Content]]:
    """Give each entry with its content in pieces; content that is not taken is passed over.

    Raises DamagedError at the first thing that is not as POSIX ustar, pax or GNU tar writes it, and for anything after
    the end mark but zeros.
    """
    extended: dict[bytes, bytes] = {}
    while (header := _exactly(stream, BLOCK)) != _ZEROS:
        _check(header)
        kind = header[156:157]
        if kind in (b"x", b"L", b"K"):
            extended |= _extension(stream, kind, _number(header[124:136]))
            continue
        if kind == b"g":
            raise DamagedError("it has a global pax header, which no bundle has")
        entry = _entry(header, kind, extended)
        extended = {}
        content = Content(stream, entry.size)
        yield entry, content
        for _ in content:
            pass
        _exactly(stream, -entry.size % BLOCK)
    _check_end(stream)


def _entry(header: bytes, kind: bytes, extended: dict[bytes, bytes]) -> Entry:
    name = extended.get(b"path") or _stored_name(header)
    size = _decimal(extended[b"size"]) if b"size" in extended else _number(header[124:136])
    entry = Entry(name=name, kind="other", size=0 if kind in _WITHOUT_DATA else size)
    if kind == b"5":
        return replace(entry, kind="folder", name=name[:-1] if name.endswith(b"/") else name)
    is_sparse = any(key.startswith(b"GNU.sparse") for key in extended)
    if kind in (b"0", b"\0", b"7") and not name.endswith(b"/") and not is_sparse:
        return replace(entry, kind="file", executable=bool(_number(header[100:108]) & 0o100))
    return entry


def _stored_name(header: bytes) -> bytes:
    name = header[:100].split(b"\0", 1)[0]
    prefix = header[345:500].split(b"\0", 1)[0] if header[257:263] == b"ustar\0" else b""
    return prefix + b"/" + name if prefix else name


def _extension(stream: Readable, kind: bytes, size: int) -> dict[bytes, bytes]:
    if size > _MOST_EXTENSION:
        raise DamagedError(f"an extension header claims {size} bytes")
    data = _exactly(stream, size)
    _exactly(stream, -size % BLOCK)
    if kind == b"x":
        return _pax(data)
    return {b"path" if kind == b"L" else b"linkpath": data.split(b"\0", 1)[0]}


def _pax(data: bytes) -> dict[bytes, bytes]:
    """Read pax records: `<length> <key>=<value>` and a line feed, the length counting itself."""
    found = {}
    while data:
        match = _PAX_RECORD.match(data)
        length = int(match.group(1)) if match else 0
        if match is None or not match.end() < length <= len(data) or data[length - 1 : length] != b"\n":
            raise DamagedError("a pax header cannot be read")
        found[match.group(2)] = data[match.end() : length - 1]
        data = data[length:]
    return found


def _check(header: bytes) -> None:
    """The checksum of a header is the sum of its bytes, its own eight counted as spaces."""
    if _number(header[148:156]) != sum(header[:148]) + 8 * 0x20 + sum(header[156:]):
        raise DamagedError("a header is damaged")


def _number(field: bytes) -> int:
    """Read an octal number, or the base-256 form that GNU tar uses for 8 GiB and more."""
    if field[0] == 0x80:  # noqa: PLR2004 - the mark of base 256
        return int.from_bytes(field[1:], "big")
    text = field.strip(b"\0 ")
    if not re.fullmatch(rb"[0-7]*", text):
        raise DamagedError("a header is damaged")
    return int(text or b"0", 8)


def _decimal(text: bytes) -> int:
    if not re.fullmatch(rb"\d{1,18}", text):
        raise DamagedError("a pax header cannot be read")
    return int(text)


def _check_end(stream: Readable) -> None:
    """A second block of zeros, then nothing but zeros: tars pad to their own record size."""
    if _exactly(stream, BLOCK) != _ZEROS:
        raise DamagedError("it goes on after its end mark")
    try:
        while rest := stream.read(CHUNK):
            if rest.count(0) != len(rest):
                raise DamagedError("it goes on after its end mark", all_seen=True)
    except UNREADABLE as error:
        raise DamagedError(str(error), all_seen=True) from error


def _exactly(stream: Readable, size: int) -> bytes:
    try:
        data = stream.read(size) if size else b""
    except UNREADABLE as error:
        raise DamagedError(str(error)) from error
    if len(data) != size:
        raise DamagedError("it ends too early")
    return data
