"""A tar.gz written front to back, the same bytes for the same input, as fast as the disk takes it.

Content that is compressed already goes in as stored deflate blocks, each such entry a gzip member of its own (RFC 1952,
2.2); what lies between two of them is deflated as one member, as names and texts are much alike. Every tar reads them
as one stream.
"""

from __future__ import annotations

import struct
import tarfile
import zlib
from typing import TYPE_CHECKING

from isal import isal_zlib

from offline.errors import VerifyError
from offline.store import gzip

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from offline.sink import Sink

_LEVEL = 6


class TarGz:
    """Writes entries with owner 0:0 and one time for all."""

    def __init__(self, target: Sink, *, mtime: int) -> None:
        self._sink = target
        self._mtime = mtime
        self._open: _Member | None = None

    def folder(self, name: str) -> None:
        """Add a folder, 0755."""
        self._deflated(self._header(name, 0, 0o755, tarfile.DIRTYPE))

    def data(self, name: str, data: bytes, *, executable: bool = False) -> None:
        """Add a small file from memory."""
        self._deflated(self._header(name, len(data), _mode(executable=executable)) + data + _padding(len(data)))

    def stream(self, name: str, size: int, pieces: Iterable[bytes], *, packed: bool, executable: bool = False) -> None:
        """Add a file as it flows; `packed` content is stored. VerifyError when it is not `size` bytes."""
        header = self._header(name, size, _mode(executable=executable))
        counted = _counted(name, pieces, size)
        self._write(_framed(header, counted, size), stored=packed)

    def finish(self) -> None:
        """Write the end of the archive: two empty blocks, filled up to a whole record."""
        self._deflated(bytes(tarfile.RECORDSIZE))
        self._end_member()

    def _header(self, name: str, size: int, mode: int, kind: bytes = tarfile.REGTYPE) -> bytes:
        info = tarfile.TarInfo(name)
        info.size, info.mode, info.type, info.mtime = size, mode, kind, self._mtime
        info.uname = info.gname = "root"
        return info.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape")

    def _deflated(self, data: bytes) -> None:
        self._write([data], stored=False)

    def _write(self, pieces: Iterable[bytes], *, stored: bool) -> None:
        if stored or self._open is None:
            self._end_member()
            self._open = _Member(self._sink, stored=stored)
        for piece in pieces:
            self._open.write(piece)
        if stored:
            self._end_member()

    def _end_member(self) -> None:
        if self._open:
            self._open.end()
            self._open = None


class _Member:
    """One gzip member, deflated or stored."""

    def __init__(self, sink: Sink, *, stored: bool) -> None:
        self._sink = sink
        self._compressor = None if stored else zlib.compressobj(_LEVEL, zlib.DEFLATED, gzip.RAW_DEFLATE)
        self._crc, self._size = 0, 0
        sink.write(gzip.HEADER)

    def write(self, piece: bytes) -> None:
        self._crc = isal_zlib.crc32(piece, self._crc)
        self._size += len(piece)
        packed = self._compressor.compress(piece) if self._compressor else gzip.stored(piece)
        if packed:
            self._sink.write(packed)

    def end(self) -> None:
        end = self._compressor.flush() if self._compressor else gzip.LAST_BLOCK
        self._sink.write(end + struct.pack("<LL", self._crc, self._size & 0xFFFFFFFF))


def _framed(header: bytes, pieces: Iterable[bytes], size: int) -> Iterator[bytes]:
    yield header
    yield from pieces
    yield _padding(size)


def _counted(name: str, pieces: Iterable[bytes], size: int) -> Iterator[bytes]:
    done = 0
    for piece in pieces:
        done += len(piece)
        if done > size:
            break
        yield piece
    if done != size:
        raise VerifyError(f"{name}: {done} bytes came, {size} were announced", hint="invoke export makes the blob anew")


def _padding(size: int) -> bytes:
    return bytes(-size % tarfile.BLOCKSIZE)


def _mode(*, executable: bool) -> int:
    return 0o755 if executable else 0o644
