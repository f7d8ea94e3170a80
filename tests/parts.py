"""Bundles in parts for tests: an archive cut by the kit's own writer, and what can become of the files on a stick."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from offline.bundle.split import splitting

if TYPE_CHECKING:
    from pathlib import Path

NAME = "mini-offline-deployment-20261123-210000"


def cut(data: bytes, folder: Path, part_size: int, *, name: str = NAME) -> Path:
    """Write data as parts of `<name>.tar.gz`, with all that lies beside them; gives the parts file."""
    folder.mkdir(exist_ok=True)
    with splitting(folder / f"{name}.tar.gz", part_size) as target:
        target.write(data)
        file, _ = target.publish(hashlib.sha256(data).hexdigest())
    return file


def part(folder: Path, number: int, *, name: str = NAME) -> Path:
    """A part's file."""
    return folder / f"{name}.tar.gz.{number:03d}"
