"""Where the kit keeps its own files, and how a file is written so that a crash leaves no half of it."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

KIT = Path(__file__).resolve().parent.parent
DOCKER = KIT / "docker"
TEMPLATES = KIT / "templates"
HOST_SCRIPTS = KIT / "scripts" / "host"
MINI = KIT / "examples" / "mini"

_PARTIAL_PREFIX = ".partial-"


@contextmanager
def writing(path: Path, *, mode: int = 0o644) -> Iterator[IO[bytes]]:
    """Give a file that appears under `path` whole and on disk, or not at all.

    Written under a temporary name in the same folder, flushed, renamed, and the folder flushed too. On any
    exception, Ctrl-C included, the temporary file is removed.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=_PARTIAL_PREFIX, dir=path.parent)
    partial = Path(name)
    try:
        with os.fdopen(descriptor, "w+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        partial.chmod(mode)
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


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
