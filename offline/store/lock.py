"""One run at a time in a checkout: a lock that the operating system releases when its holder ends, however it ends."""

from __future__ import annotations

import json
import os
import sys
from contextlib import contextmanager
from datetime import datetime, timezone
from typing import IO, TYPE_CHECKING

from offline.errors import LockedError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Windows locks bytes, and nobody can read those: lock one far behind the text that names the holder.
_LOCKED_BYTE = 1 << 30


@contextmanager
def holding(path: Path, command: str) -> Iterator[None]:
    """Hold the lock file at `path` for the block; `command` tells others what runs.

    Raises LockedError, naming the holder's pid, start and command, when another run holds it. The file stays: removing
    it would let two runs hold two files of one name.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b") as file:
        if not _lock(file):
            raise LockedError(
                f"{path}: another run is at work: {_holder(file)}", hint="wait until it has ended, then run this again"
            )
        _write(file, {"pid": os.getpid(), "since": _now(), "command": command})
        try:
            yield
        finally:
            file.truncate(0)
            _unlock(file)


def _now() -> str:
    return datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M:%S UTC")


def _write(file: IO[bytes], holder: dict[str, object]) -> None:
    file.truncate(0)
    file.write(json.dumps(holder).encode())
    file.flush()


def _holder(file: IO[bytes]) -> str:
    file.seek(0)
    try:
        holder = json.loads(file.read(4096))
        return f"process {holder['pid']}, since {holder['since']}: {holder['command']}"
    except (ValueError, KeyError, TypeError):
        return "it has not yet written who it is"


if sys.platform == "win32":  # pragma: no cover
    import msvcrt

    def _lock(file: IO[bytes]) -> bool:
        file.seek(_LOCKED_BYTE)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _unlock(file: IO[bytes]) -> None:
        file.seek(_LOCKED_BYTE)
        msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _lock(file: IO[bytes]) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _unlock(file: IO[bytes]) -> None:
        fcntl.flock(file, fcntl.LOCK_UN)
