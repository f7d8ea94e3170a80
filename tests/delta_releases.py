"""Two releases of the small stack, and bundles of them: whole, and the second as a delta of the first."""

from __future__ import annotations

import gzip
import io
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from offline.bundle import delta, manifest, payload, released, write
from offline.console import Console
from offline.images import plan
from offline.store import index
from offline.store.blobs import Store, adding
from offline.store.manifest import image_manifest
from tests import builders
from tests.unit.store import streams

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from offline.bundle.manifest import ReleaseFacts
    from offline.bundle.payload import Item

FIRST, SECOND = "20261101-000000", "20261102-000000"
ROLES = ("api", "db")


@dataclass(frozen=True, kw_only=True)
class Spec:
    """What two releases may differ in: layers of each role, lowest first; the plugins' files; whether they are hot."""

    layers: Mapping[str, Sequence[str]]
    plugins: Mapping[str, str] = field(default_factory=lambda: {"one.py": "1"})
    hot: bool = False
    mode: str = "0755"
    elsewhere: bool = False
    """Whether another machine made it, whose compressor gives other bytes."""


@dataclass(frozen=True, kw_only=True)
class Made:
    """A release ready to be written."""

    facts: ReleaseFacts
    items: tuple[Item, ...]
    store: Store
    folder: Path

    def bundle(self, since: Sequence[Path] = ()) -> Path:
        """Its bundle; a delta where earlier ones are named."""
        facts = self.facts
        if since:
            quiet = Console(io.StringIO(), io.StringIO())
            said = [released.read(path, quiet) for path in since]
            bases = [delta.parse(each.release, each.files) for each in said]
            facts = replace(facts, delta=delta.plan(facts, write.may_stay_out(facts, self.items), bases))
        return write.write(facts, self.items, store=self.store, folder=self.folder, on_bytes=lambda _: None).path


def made(folder: Path, spec: Spec, identity: str) -> Made:
    """A release of the small stack."""
    source = builders.tree(folder / identity, {**builders.TREE, "plugins/two.py": ""})
    for name in ("two.py", "配置 one.py"):
        (source / "plugins" / name).unlink()
    builders.tree(source / "plugins", spec.plugins)
    changes = {"payload.1.hot": spec.hot, "payload.1.mode": spec.mode}
    release = builders.release(changes)
    items = payload.collect(source, release.payload, plan.services_of(release))
    facts, _, _ = builders.facts(folder / "spare", items, changes, identity=identity)
    store = Store(folder / f"store-{identity}")
    images = [
        streams.Image(f"shop/{role}:build", tuple(streams.layer(name.encode()) for name in spec.layers[role]))
        for role in ROLES
    ]
    builders.stored(store, images)
    if spec.elsewhere:
        pack_otherwise(store)
    known = index.load(store).images
    bundled = tuple(
        replace(bundled, stored=known[image.id], tag=manifest.content_tag("shop", bundled.role, image.id))
        for bundled in facts.images
        for image in images
        if image.name == f"shop/{bundled.role}:build"
    )
    return Made(facts=replace(facts, images=bundled), items=tuple(items), store=store, folder=folder / "dist")


def pack_otherwise(store: Store) -> None:
    """Have every layer of a store in other bytes, as another compressor would have made them: with an empty member."""
    known = index.load(store)
    with adding(store) as new:
        layers = {}
        for diff_id, layer in known.layers.items():
            data = store.read(layer.layer.digest) + gzip.compress(b"", mtime=0)
            layers[diff_id] = replace(layer, layer=replace(layer.layer, digest=new.put(data), size=len(data)))
        images = {}
        for config, image in known.images.items():
            kept = tuple(layers[layer.diff_id].layer for layer in image.layers)
            manifest_ = image_manifest(config, image.config_size, kept)
            images[config] = replace(image, layers=kept, manifest=new.put(manifest_), manifest_size=len(manifest_))
        with new.for_good():
            index.save(store, replace(known, layers=layers, images=images))
