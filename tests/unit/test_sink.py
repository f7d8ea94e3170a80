from __future__ import annotations

import errno
import hashlib
import io
import os
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from offline.sink import Sink, WriteBehind, sinking

if TYPE_CHECKING:
    from pathlib import Path


class Full(io.BytesIO):
    """A disk without room."""

    def write(self, data: object, /) -> int:
        del data
        raise OSError(errno.ENOSPC, "No space left on device")

    def fileno(self) -> int:
        raise OSError(errno.EBADF, "none")


def test_what_comes_is_in_the_file_in_order_and_its_digest_is_known(tmp_path: Path) -> None:
    pieces = [bytes([number]) * 100_000 for number in range(100)]
    with (tmp_path / "a").open("wb") as file, sinking(file) as sink:
        for piece in pieces:
            sink.write(piece)
        digest = sink.close()
    data = b"".join(pieces)
    assert ((tmp_path / "a").read_bytes(), sink.size) == (data, len(data))
    assert digest == hashlib.sha256(data).hexdigest()


def fill(sink: Sink) -> None:
    while True:
        sink.write(b"a piece")


def test_a_full_disk_is_an_error_here_and_leaves_no_thread_behind() -> None:
    before = threading.active_count()
    with pytest.raises(OSError, match="No space left"), sinking(Full()) as sink:
        fill(sink)
    assert threading.active_count() == before


def test_a_full_disk_is_an_error_at_the_last_piece_too() -> None:
    with sinking(Full()) as sink:
        sink.write(b"a piece")
        with pytest.raises(OSError, match="No space left"):
            sink.close()


class Slow(io.BytesIO):
    """A disk that takes a piece when it may."""

    def __init__(self) -> None:
        super().__init__()
        self.may = threading.Event()

    def write(self, data: Any, /) -> int:
        assert self.may.wait(20)
        return super().write(data)


def test_an_interruption_while_the_last_bytes_are_awaited_leaves_no_thread_behind() -> None:
    """Up to Python 3.12 a thread whose join was interrupted says that it has ended."""
    slow, before = Slow(), threading.active_count()

    def interrupted(sink: Sink) -> None:
        threading.Timer(0.1, os.kill, [os.getpid(), signal.SIGINT]).start()
        threading.Timer(0.3, slow.may.set).start()
        sink.write(b"a piece")
        sink.close()

    with pytest.raises(KeyboardInterrupt), sinking(slow) as sink:
        interrupted(sink)
    assert slow.getvalue() == b"a piece"
    assert threading.active_count() == before


def test_whatever_writing_meets_is_raised_here_and_nobody_waits_for_ever() -> None:
    closed = io.BytesIO()
    closed.close()
    with pytest.raises(ValueError, match="closed file"), sinking(closed) as sink:
        fill(sink)


@pytest.mark.parametrize("error", [None, KeyboardInterrupt])
def test_a_sink_that_nobody_closed_leaves_no_thread_behind(tmp_path: Path, error: type[BaseException] | None) -> None:
    def leave() -> None:
        with (tmp_path / "a").open("wb") as file, sinking(file) as sink:
            sink.write(b"a piece")
            if error:
                raise error

    before = threading.active_count()
    if error:
        with pytest.raises(error):
            leave()
    else:
        leave()
    assert threading.active_count() == before


def test_an_error_that_one_flush_is_told_is_kept_to_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Linux tells it once: the fsync after it would succeed, over bytes that are not on the disk."""
    told = iter([OSError(errno.EIO, "Input/output error")])

    def fsync(_descriptor: int) -> None:
        for error in told:
            raise error

    monkeypatch.setattr(os, "fsync", fsync)
    with (tmp_path / "a").open("wb") as file:
        behind = WriteBehind(file.fileno)
        for _ in range(3):
            behind.wrote(64 << 20)
            behind.wait()
        with pytest.raises(OSError, match="Input/output error"):
            behind.end()


def test_a_file_is_brought_to_disk_while_more_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flushed: list[int] = []
    monkeypatch.setattr(os, "fsync", flushed.append)
    with (tmp_path / "a").open("wb") as file:
        behind = WriteBehind(file.fileno)
        for count in (60 << 20, 3 << 20, 1 << 20, 63 << 20):
            behind.wrote(count)
            behind.wait()
        assert flushed == [file.fileno()]


def test_the_flush_in_the_background_survives_a_part_that_is_closed_under_it() -> None:
    class Closed(io.BytesIO):
        def fileno(self) -> NoReturn:
            raise ValueError("I/O operation on closed file")

    behind = WriteBehind(Closed().fileno)
    behind.wrote(64 << 20)
    behind.end()  # an exception in its thread would be a warning, and a warning fails a test


# In a process of its own: what is kept is for the whole process.
_FAULTS = """
import resource
import tempfile
from offline.sink import sinking
from offline.store import gzip

def blocks():
    half = bytes(range(256)) * 2048
    for number in range(200):
        yield half + half[::-1]
        if number == 100:
            at.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt)

at = []
with tempfile.TemporaryFile() as file, sinking(file) as sink, gzip.executor() as pool:
    for member in gzip.members(blocks(), pool):
        sink.write(member)
print((resource.getrusage(resource.RUSAGE_SELF).ru_minflt - at[0]) / 100)
"""


def test_memory_that_was_freed_is_used_again() -> None:
    done = subprocess.run([sys.executable, "-c", _FAULTS], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 20, "pages that a block of 256 asks the system for"
