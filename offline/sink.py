"""Many bytes on their way to a file: written in one thread, hashed in another, and on disk soon after they came."""

from __future__ import annotations

import ctypes
import errno
import functools
import hashlib
import os
import queue
import sys
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_QUEUED = 4
_FLUSH_EVERY = 64 << 20
# Of malloc.h; blocks from `_FROM_SYSTEM` bytes on come from the system each for itself, `_KEPT` bytes stay when freed.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_FROM_SYSTEM, _KEPT = 32 << 20, 128 << 20


class Target(Protocol):
    """What a sink writes to: a file, or one part after the other."""

    def write(self, data: bytes, /) -> int:
        """Take all of the bytes; OSError when the disk does not."""

    def fileno(self) -> int:
        """The descriptor of the file that is written now."""


class Sink:
    """Takes bytes and gives their sha256 at the end; whoever brings them waits for neither the hash nor the disk."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._behind = WriteBehind(target.fileno)
        self._digest = hashlib.sha256()
        self._lanes = (_Lane(self._write), _Lane(self._digest.update))
        self.size = 0

    def write(self, data: bytes) -> None:
        """Queue bytes; raises what writing earlier ones met, an OSError as a rule."""
        self._raise_failure()
        self.size += len(data)
        for lane in self._lanes:
            lane.put(data)

    def close(self) -> str:
        """Wait until all is written; gives the sha256 of everything as hex. Raises as `write` does."""
        self.abandon()
        self._raise_failure()
        self._behind.end()
        return self._digest.hexdigest()

    def abandon(self) -> None:
        """End the threads without looking at what became of the bytes; after `close` there are none."""
        for lane in self._lanes:
            lane.end()
        self._behind.wait()

    def _write(self, data: bytes) -> None:
        self._target.write(data)
        self._behind.wrote(len(data))

    def _raise_failure(self) -> None:
        for lane in self._lanes:
            if lane.failure:
                raise lane.failure


@contextmanager
def sinking(target: Target) -> Iterator[Sink]:
    """Give a sink; its threads are gone at the end of the block, however that ends."""
    _keep_freed_memory()
    opened = Sink(target)
    try:
        yield opened
    finally:
        opened.abandon()


class _Lane:
    """Does one thing with each piece, in order, in a thread of its own."""

    def __init__(self, act: Callable[[bytes], object]) -> None:
        self._act = act
        self._pieces: queue.Queue[bytes | None] = queue.Queue(_QUEUED)
        self.failure: Exception | None = None
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def put(self, data: bytes) -> None:
        self._pieces.put(data)

    def end(self) -> None:
        """Wait for what was put; nothing can be put after."""
        # Not asked of the thread: up to Python 3.12, one whose join was interrupted says that it has ended (bpo-45274).
        if not self._done.is_set():
            self._pieces.put(None)
            self._done.wait()
        self._thread.join()

    def _work(self) -> None:
        try:
            self._act_on_all()
        finally:
            self._done.set()

    def _act_on_all(self) -> None:
        while (data := self._pieces.get()) is not None:
            # After a failure, whatever it is, the rest is only taken out of the queue: were this thread to end, whoever
            # fills the queue would wait for ever.
            if not self.failure:
                try:
                    self._act(data)
                except Exception as error:  # noqa: BLE001 - raised again where the bytes come from
                    self.failure = error


class WriteBehind:
    """Brings a file to disk while it is being written, so that the last flush, which everything waits for, is short."""

    def __init__(self, fileno: Callable[[], int]) -> None:
        self._fileno = fileno
        self._unflushed = 0
        self._thread: threading.Thread | None = None
        self._done: threading.Event | None = None
        self._error: OSError | None = None

    def wrote(self, count: int) -> None:
        """Say that `count` bytes more were written."""
        self._unflushed += count
        if self._unflushed >= _FLUSH_EVERY and (self._done is None or self._done.is_set()):
            self._unflushed = 0
            done = threading.Event()
            self._thread = threading.Thread(target=self._flush, args=(done,), daemon=True)
            self._thread.start()
            self._done = done

    def wait(self) -> None:
        """Wait until no flush is under way."""
        if self._done and self._thread:
            self._done.wait()
            self._thread.join()

    def end(self) -> None:
        """Wait, and raise the OSError of a flush that failed. What came after the last of them is not on disk yet."""
        self.wait()
        if self._error:
            raise self._error

    def _flush(self, done: threading.Event) -> None:
        # Linux tells a failed write-back to one fsync of a descriptor, the next one succeeds (fsync(2)): so it is kept.
        try:
            os.fsync(self._fileno())
        except ValueError:
            pass  # a file that was full, flushed and closed meanwhile, as a part of a bundle is
        except OSError as error:
            if error.errno != errno.EBADF:  # the same, a moment later
                self._error = error
        finally:
            done.set()


@functools.cache
def _keep_freed_memory() -> None:
    """Let the process use freed blocks again for the next ones.

    glibc gives so large ones back to the system, and each page of the next is then asked for anew: a fifth of what the
    kit had the system do in an export (mallopt(3), M_TRIM_THRESHOLD). Other C libraries have no such switch.
    """
    if sys.platform == "linux":
        with suppress(AttributeError):
            mallopt = ctypes.CDLL(None).mallopt
            mallopt(_M_MMAP_THRESHOLD, _FROM_SYSTEM)
            mallopt(_M_TRIM_THRESHOLD, _KEPT)
