"""A tar.gz written front to back, the same bytes for the same input, as fast as the disk takes it.

Content that is compressed already goes in as stored deflate blocks, each such entry a gzip member of its own (RFC 1952,
2.2); what lies between two of them is deflated as one member, as names and texts are much alike. Every tar reads them
as one stream.
"""

from __future__ import annotations

import hashlib
import queue
import struct
import tarfile
import threading
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from isal import isal_zlib

from offline.errors import VerifyError
from offline.paths import WriteBehind
from offline.store import gzip

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_LEVEL = 6
_PIECE = 1 << 20
_QUEUED = 8


class Target(Protocol):
    """What a sink writes to: a file, or one part after the other."""

    def write(self, data: bytes, /) -> int:
        """Take all of the bytes; OSError when the disk does not."""

    def fileno(self) -> int:
        """The descriptor of the file that is written now."""


class Sink:
    """Writes and hashes in a thread of its own, and keeps the disk busy so that the last flush is short."""

    def __init__(self, file: Target) -> None:
        self._file = file
        self._behind = WriteBehind(file.fileno)
        self._digest = hashlib.sha256()
        self._pieces: queue.Queue[bytes | None] = queue.Queue(_QUEUED)
        self._error: OSError | None = None
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()
        self.size = 0

    def write(self, data: bytes) -> None:
        """Queue bytes; raises the OSError that writing earlier ones met."""
        if self._error:
            raise self._error
        self.size += len(data)
        self._pieces.put(data)

    def close(self) -> str:
        """Wait until all is written; gives the sha256 of everything as hex."""
        self._pieces.put(None)
        self._thread.join()
        if self._error:
            raise self._error
        return self._digest.hexdigest()

    def abandon(self) -> None:
        """End the thread without looking at what became of the bytes."""
        self._pieces.put(None)
        self._thread.join()

    def _work(self) -> None:
        while (data := self._pieces.get()) is not None:
            self._unless_failed(self._take, data)
        self._behind.wait()
        self._unless_failed(self._behind.end)

    def _take(self, data: bytes) -> None:
        self._file.write(data)
        self._digest.update(data)
        self._behind.wrote(len(data))

    def _unless_failed(self, act: Callable[..., None], *given: bytes) -> None:
        """After the first error, the rest is only taken out of the queue: whoever fills it must not wait for ever."""
        if not self._error:
            try:
                act(*given)
            except OSError as error:
                self._error = error


@contextmanager
def sink(file: Target) -> Iterator[Sink]:
    """Give a sink; its thread is gone at the end of the block, also when the block raises."""
    gzip.keep_freed_memory()
    opened = Sink(file)
    try:
        yield opened
    except BaseException:
        opened.abandon()
        raise


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
