from __future__ import annotations

from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from offline.store.blobs import Store
    from offline.store.model import StoredImage


def ingest(
    stream: IO[bytes],
    store: Store,
    wanted: Sequence[str],
    *,
    platform: str,
    on_bytes: Callable[[int], None],
    skip_known: bool = True,
    expected: Collection[str] | None = None,
) -> dict[str, StoredImage]:
    """Read one save stream into the store."""
    raise NotImplementedError
