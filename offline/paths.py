"""Where the kit keeps its own files, and how a file is written so that a crash leaves no half of it."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

KIT = Path(__file__).resolve().parent.parent
DOCKER = KIT / "docker"
TEMPLATES = KIT / "templates"
HOST_SCRIPTS = KIT / "scripts" / "host"
REMOTE_SCRIPTS = KIT / "scripts" / "remote"
MINI = KIT / "examples" / "mini"

_PARTIAL_PREFIX = ".partial-"


@dataclass(frozen=True)
class Partial:
    """A file under a temporary name, for content whose name is known only at its end."""

    file: IO[bytes]
    path: Path

    def keep(self, path: Path, *, mode: int = 0o644) -> None:
        """Flush it to disk and give it its name, in the same folder; nothing can be written after."""
        self.file.flush()
        os.fsync(self.file.fileno())
        self.file.close()
        self.path.chmod(mode)
        self.path.replace(path)
        sync_folder(path.parent)


@contextmanager
def partial(folder: Path) -> Iterator[Partial]:
    """Give a temporary file in `folder`; unless it was kept, it is gone at the end of the block, however that ends."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{_PARTIAL_PREFIX}{os.urandom(8).hex()}"
    try:
        # Named before it is made: an interruption finds no moment at which it is there and nobody knows it.
        with open(path, "x+b", opener=_for_the_owner) as file:
            yield Partial(file, path)
    finally:
        path.unlink(missing_ok=True)


def _for_the_owner(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


@contextmanager
def writing(path: Path, *, mode: int = 0o644) -> Iterator[IO[bytes]]:
    """Give a file that appears under `path` whole and on disk, or not at all.

    Written under a temporary name in the same folder, flushed, renamed, and the folder flushed too. On any
    exception, Ctrl-C included, the temporary file is removed.
    """
    with partial(path.parent) as new:
        yield new.file
        new.keep(path, mode=mode)


def write_text(path: Path, text: str, *, mode: int = 0o644) -> None:
    """Write UTF-8 text with LF line ends, whole or not at all."""
    with writing(path, mode=mode) as file:
        file.write(text.encode())


def sync_folder(folder: Path) -> None:
    """Flush a folder's entries, where the platform can (Windows cannot open a folder)."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_partials(folder: Path) -> int:
    """Remove what a killed run left half-written in `folder`; says how many files. Call it under the lock."""
    leftovers = list(folder.glob(f"{_PARTIAL_PREFIX}*")) if folder.is_dir() else []
    for leftover in leftovers:
        leftover.unlink(missing_ok=True)
    return len(leftovers)
