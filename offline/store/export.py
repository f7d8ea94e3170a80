"""What the engine has, into the store: saves of the images of which something is missing, or no save at all."""

from __future__ import annotations

import errno
import functools
import os
from typing import TYPE_CHECKING

from offline.engine.save import SaveError
from offline.errors import FailedError
from offline.store import index
from offline.store.contents import AgainError
from offline.store.ingest import ingest
from offline.store.saves import shared_out
from offline.store.tarstream import TruncatedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from offline.engine.save import Saving
    from offline.store.blobs import Store
    from offline.store.model import Inspected, StoredImage

    _Read = Callable[..., dict[str, StoredImage]]

# At once. More would repeat more of what images share, and the kit compresses with two cores what one save gives.
_MOST_SAVES = 2


def export(
    saving: Saving,
    store: Store,
    wanted: Mapping[str, Inspected],
    *,
    platform: str,
    on_bytes: Callable[[int], None],
) -> dict[str, StoredImage]:
    """Bring the images into the store, as the engine has them now; gives the stored image of each reference.

    `saving` begins with a save of some of them and gives the stream, `on_bytes` gets its bytes as they come. Call it
    under the lock. Raises FailedError when the engine or the disk gives up, VerifyError when the stream is not what it
    should be; the index then names what it did and images that had come whole, and nothing else is left.
    """
    images = stored(store, wanted, platform)
    missing = {reference: fact for reference, fact in wanted.items() if reference not in images}
    read = functools.partial(ingest, store=store, platform=platform, on_bytes=on_bytes, inspected=missing)
    try:
        images |= _saved(saving, read, shared_out(missing, min(_MOST_SAVES, os.cpu_count() or 1)))
    except OSError as error:
        raise _disk_error(store, error) from error
    return {reference: images[reference] for reference in wanted}


def stored(store: Store, wanted: Mapping[str, Inspected], platform: str) -> dict[str, StoredImage]:
    """Those of `wanted` that are in the store already, every blob of them on disk."""
    known = index.load(store)
    images = {reference: known.image(fact.id, platform) for reference, fact in wanted.items()}
    return {ref: image for ref, image in images.items() if image is not None and index.has_image(store, image)}


def _saved(saving: Saving, read: _Read, groups: Sequence[Sequence[str]]) -> dict[str, StoredImage]:
    """Let the engine begin with each save, and read one after the other."""
    if not groups:
        return {}
    *before, group = groups
    images: dict[str, StoredImage] = {}
    try:
        with saving(group) as stream:
            images = _saved(saving, read, before)
            try:
                return images | read(stream, wanted=group)
            except TruncatedError as error:
                truncated = error
        # Nobody says that the save failed, unless in the stream itself: that is what is wrong.
        raise truncated
    except AgainError:
        # A layer was mistaken for a known one.
        return images | _saved(saving, functools.partial(read, skip_known=False), [group])
    except SaveError as error:
        raise FailedError(
            f"the engine did not save all images; those that had come whole stay in the layer store\n{error.message}",
            hint="see whether the engine answers (`docker version`) and holds these images, then run the export again",
        ) from None


def _disk_error(store: Store, error: OSError) -> FailedError:
    if error.errno == errno.ENOSPC:
        return FailedError(
            f"{store.root}: the disk is full; what was half done is removed again, images that had come whole stay",
            hint="free some space, `invoke store-gc` or another disk for the store, then run the export again",
        )
    return FailedError(f"{store.root}: cannot write the layer store: {error}", hint="see to that, then run it again")
