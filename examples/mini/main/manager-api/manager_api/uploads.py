# Files in /uploadfile, under names that cannot lead out of it.
from __future__ import annotations

import os
import re
import tempfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

LIMIT = 16 * 1024 * 1024
NAME = re.compile(r"[\w][\w. -]*")
LONGEST = 200  # bytes; file systems end at 255


def is_safe(name: str) -> bool:
    """Letters of any language, digits, dot, dash, space, underscore; no leading dot, so no `..` and nothing hidden."""
    return bool(NAME.fullmatch(name)) and len(name.encode()) <= LONGEST


def store(folder: Path, name: str, content: bytes) -> None:
    """Whole or not at all: written beside its place, then renamed."""
    handle, temporary = tempfile.mkstemp(dir=folder, prefix=".upload-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.replace(temporary, folder / name)  # noqa: PTH105 - the pair of mkstemp
    except BaseException:
        os.unlink(temporary)  # noqa: PTH108
        raise


def writable(folder: Path) -> bool:
    return os.access(folder, os.W_OK | os.X_OK)
