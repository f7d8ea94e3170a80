from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from offline.store.blobs import Store
    from offline.store.model import Inspected, StoredImage


def export(
    client_argv: Sequence[str],
    store: Store,
    wanted: Mapping[str, Inspected],
    *,
    platform: str,
    on_bytes: Callable[[int], None],
    env: Mapping[str, str] | None = None,
) -> dict[str, StoredImage]:
    """Bring what the engine has into the store."""
    raise NotImplementedError
