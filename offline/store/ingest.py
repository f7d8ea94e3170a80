"""One save stream into the store, as it flows: each distinct layer once, known layers not compressed again."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from offline.errors import VerifyError
from offline.store import gzip, index, layouts
from offline.store.blobs import Store, adding
from offline.store.contents import Contents
from offline.store.manifest import image_manifest
from offline.store.model import Inspected, StoredImage
from offline.store.tarstream import Source, members

if TYPE_CHECKING:
    from collections.abc import Callable

    from offline.engine.save import Stream


def ingest(
    stream: Stream,
    store: Store,
    wanted: Sequence[str],
    *,
    platform: str,
    on_bytes: Callable[[int], None],
    skip_known: bool = True,
    inspected: Mapping[str, Inspected] | None = None,
) -> dict[str, StoredImage]:
    """Read a `docker save` of `wanted` into the store; gives each reference's image, every blob of it on disk.

    `inspected` tells what each image should turn out to be. Memory stays the same whatever the size of a layer.
    Raises VerifyError (TruncatedError for a stream that ends early) and leaves the index as it was; AgainError.
    """
    facts = inspected or {}
    before = index.load(store)
    with adding(store) as new, gzip.executor() as pool:
        contents = Contents(store=store, new=new, pool=pool, layers=dict(before.layers), names=dict(before.names))
        if skip_known:
            expected = {diff_id for fact in facts.values() for diff_id in fact.diff_ids}
            contents.skip_known(_present(store, before, expected), before.names)
        for member in members(Source(stream, on_bytes)):
            contents.take(member)
        images: dict[str, StoredImage] = {}
        ids: dict[str, str] = {}
        for reference in wanted:
            fact = facts.get(reference)
            names = (reference, fact.id) if fact else (reference,)
            found = layouts.find(contents.documents, names, platform)
            images[reference] = _image(contents, reference, found, fact, platform)
            ids |= dict.fromkeys((*found.ids, *names[1:]), images[reference].config)
        _record(contents, before, images, ids)
    return images


def _present(store: Store, known: index.Index, expected: Collection[str]) -> dict[str, index.KnownLayer]:
    """Layers that need no compressing: recorded, on disk, and among those expected, where it is told which are.

    Without that last condition an application layer with one changed byte, of the same length, is taken for the old.
    """
    return {
        diff_id: layer
        for diff_id, layer in known.layers.items()
        if (not expected or diff_id in expected) and store.has(layer.layer.digest, layer.layer.size)
    }


def _image(
    contents: Contents, reference: str, found: layouts.Found, fact: Inspected | None, platform: str
) -> StoredImage:
    """Check an image against its config, and put its config and manifest into the store."""
    data = contents.documents.get(found.config)
    if data is None:
        raise VerifyError(f"{reference}: its config {found.config} is missing from the save stream")
    promised, shown = _config(reference, data)
    if not layouts.same_platform(shown, platform):
        raise VerifyError(f"{reference}: this image is for {shown}, not for {platform}", hint="pull or build it again")
    diff_ids = [contents.layer_at(reference, path) for path in found.layers]
    if diff_ids != promised:
        raise VerifyError(f"{reference}: its config names other layers than the save stream holds for it")
    if fact is not None and tuple(diff_ids) != fact.diff_ids:
        raise VerifyError(f"{reference}: the image changed while it was exported", hint="run the export again")
    kept = tuple(contents.layers[diff_id].layer for diff_id in diff_ids)
    config = contents.new.put(data)
    manifest = image_manifest(config, len(data), kept)
    return StoredImage(
        config=config,
        config_size=len(data),
        manifest=contents.new.put(manifest),
        manifest_size=len(manifest),
        platform=platform,
        layers=kept,
    )


def _config(reference: str, data: bytes) -> tuple[list[Any], str]:
    """The diff_ids and the platform that an image config names."""
    try:
        config = json.loads(data)
        platform = "/".join(part for part in (config["os"], config["architecture"], config.get("variant")) if part)
        return list(config["rootfs"]["diff_ids"] or ()), platform
    except (ValueError, KeyError, TypeError) as error:
        raise VerifyError(f"{reference}: its image config is damaged ({error})") from None


def _record(contents: Contents, before: index.Index, images: Mapping[str, StoredImage], ids: Mapping[str, str]) -> None:
    """Remove the blobs of this stream that no image asked for (another platform's), then write the index."""
    used = {digest for image in images.values() for digest in index.blobs_of(image)}
    kept = {layer.diff_id for image in images.values() for layer in image.layers} | set(before.layers)
    layers_after = {diff_id: known for diff_id, known in contents.layers.items() if diff_id in kept}
    after = replace(
        before,
        layers=layers_after,
        images=_still_true(before.images, layers_after) | {image.config: image for image in images.values()},
        names={digest: diff_id for digest, diff_id in contents.names.items() if diff_id in kept},
        engine={**before.engine, **ids},
    )
    contents.new.drop(contents.new.added - used)
    with contents.new.for_good():
        index.save(contents.store, after)


def _still_true(images: Mapping[str, StoredImage], known: Mapping[str, index.KnownLayer]) -> dict[str, StoredImage]:
    """Images whose manifest still names the right bytes: a lost blob that was made anew may have another digest."""
    return {
        config: image
        for config, image in images.items()
        if all(known[layer.diff_id].layer == layer for layer in image.layers)
    }
