"""A bundle's archive, read without touching what lies in it as it is.

What was compressed before stands in stored deflate blocks (offline/bundle/targz.py): it can be passed over by their
lengths, and handed on by the kernel from the file to a pipe. Nobody computes a checksum of it on the way: who takes it
proves it by its sha256.
"""

from __future__ import annotations

import errno
import os
import struct
import sys
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from isal import isal_zlib

from offline.bundle.tarstream import UNREADABLE, DamagedError
from offline.store import gzip

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from offline.bundle.tarstream import Content

_BLOCK = struct.Struct("<BHH")
_TRAILER = 8
_LAST = 1
_CHUNK = 1 << 16
_PLAIN = 1 << 20
_CUT = "it ends too early"


@dataclass(frozen=True, slots=True)
class Extent:
    """So many bytes of the file from there on."""

    offset: int
    size: int

    def __len__(self) -> int:
        return self.size


Run = bytes | Extent


class Archive:
    """Reads as `gzip.open` does, from an unbuffered file; `runs` gives content as it lies there."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._runs = _members(file)
        self._left: Run = b""

    def read(self, size: int) -> bytes:
        """The next `size` bytes, fewer at the end. DamagedError, or one of UNREADABLE."""
        found = []
        while size and (run := self._next(size)):
            size -= len(run)
            found.append(self.bytes_of(run))
        return b"".join(found)

    def runs(self, content: Content, size: int) -> Iterator[Run]:
        """The next `size` bytes of a file that is being read, as they lie in the archive. DamagedError."""
        while size:
            try:
                run = self._next(size)
            except UNREADABLE as error:
                raise DamagedError(str(error)) from error
            if not run:
                raise DamagedError(_CUT)
            size -= len(run)
            content.left -= len(run)
            yield run

    def pass_over(self, content: Content) -> None:
        """Take nothing of what is left of a file."""
        for _ in self.runs(content, content.left):
            pass

    def bytes_of(self, run: Run) -> bytes:
        """Read what has not been read. DamagedError."""
        if isinstance(run, bytes):
            return run
        try:
            return _at(self._file, run.offset, run.size)
        except UNREADABLE as error:
            raise DamagedError(str(error)) from error

    def hand_on(self, extent: Extent, pipe: int) -> Extent:
        """Let the kernel move an extent into a pipe, given by its descriptor; gives what is left of it.

        That is nothing but on a file system whose files cannot be moved (splice(2), EINVAL). DamagedError,
        BrokenPipeError.
        """
        while extent:
            try:
                moved = os.splice(self._file.fileno(), pipe, extent.size, offset_src=extent.offset)
            except BrokenPipeError:
                raise
            except OSError as error:
                if error.errno == errno.EINVAL:
                    return extent
                raise DamagedError(str(error)) from error
            if not moved:
                raise DamagedError(_CUT)
            extent = Extent(extent.offset + moved, extent.size - moved)
        return extent

    def _next(self, most: int) -> Run:
        while not self._left:
            run = next(self._runs, None)
            if run is None:
                return b""
            self._left = run
        run, self._left = _split(self._left, most)
        return run


def can_hand_on() -> bool:
    """Whether this system moves bytes from a file to a pipe by itself (splice(2))."""
    return sys.platform == "linux"


def _split(run: Run, most: int) -> tuple[Run, Run]:
    if isinstance(run, bytes):
        return run[:most], run[most:]
    first = min(most, run.size)
    return Extent(run.offset, first), Extent(run.offset + first, run.size - first)


def _members(file: IO[bytes]) -> Iterator[Run]:
    start = 0
    while file.seek(start) == start and (header := file.read(len(gzip.HEADER))):
        start = yield from _stored(file, start) if header == gzip.HEADER else _inflated(file, start)


def _stored(file: IO[bytes], start: int) -> Generator[Run, None, int]:
    """A member's stored blocks, without reading them; from the first block of another kind on it is inflated.

    Gives where the next member begins.
    """
    at, given, kind = start + len(gzip.HEADER), 0, 0
    while kind != _LAST:
        kind, size, complement = _BLOCK.unpack(_at(file, at, _BLOCK.size))
        if kind not in {0, _LAST} or size ^ complement != 0xFFFF:  # noqa: PLR2004 - RFC 1951, 3.2.4
            return (yield from _inflated(file, start, given))
        at += _BLOCK.size
        if size:
            yield Extent(at, size)
        at += size
        given += size
    return at + _TRAILER


def _inflated(file: IO[bytes], at: int, given: int = 0) -> Generator[Run, None, int]:
    """A member's plain bytes but for the first `given`; gives where the next member begins."""
    inflater, packed = isal_zlib.decompressobj(gzip.GZIP), b""
    while not inflater.eof:
        if not packed:
            file.seek(at)
            packed = file.read(_CHUNK)
            at += len(packed)
            if not packed:
                raise EOFError(_CUT)
        plain = inflater.decompress(packed, _PLAIN)
        packed = inflater.unconsumed_tail
        skipped = min(given, len(plain))
        given -= skipped
        if len(plain) > skipped:
            yield plain[skipped:]
    return at - len(inflater.unused_data)


def _at(file: IO[bytes], offset: int, size: int) -> bytes:
    file.seek(offset)
    data = file.read(size)
    if len(data) != size:
        raise EOFError(_CUT)
    return data
