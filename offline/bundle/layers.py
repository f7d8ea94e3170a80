"""Layers read out of a bundle, as they were shipped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isal import igzip

from offline.bundle import layout, opened, released
from offline.bundle.tarstream import DamagedError, entries

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from offline.console import Console


def of_bundle(path: Path, digests: Collection[str], console: Console) -> Iterator[tuple[str, Iterator[bytes]]]:
    """Each of the layers that the bundle has, with its bytes, to be read before the next; reads no further than needed.

    Raises VerifyError where the bundle is damaged, UsageError where there is none.
    """
    source = opened.find(path)
    left = {layout.blob(digest): digest for digest in digests}
    try:
        with (
            console.progress(path.name, source.bytes) as progress,
            source.reading(progress.add) as stream,
            igzip.open(stream, "rb") as tar,  # type: ignore[no-untyped-call]
        ):
            for entry, content in entries(tar):
                digest = left.pop(entry.name.partition(b"/")[2].decode(errors="replace"), None)
                if digest and entry.kind == "file":
                    yield digest, content
                if not left:
                    return
    except (DamagedError, OSError) as error:
        raise released.bad(path, str(error)) from None
