"""What most tests need: a small stack, its source tree, its configuration, and images in a layer store."""

from __future__ import annotations

import copy
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from offline.bundle import manifest, payload
from offline.config.load import Config
from offline.config.schema import Release
from offline.images import plan
from offline.store.blobs import Store
from offline.store.ingest import ingest
from tests.unit.store import streams

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from offline.bundle.manifest import ReleaseFacts
    from offline.bundle.payload import Item
    from offline.store.model import StoredImage

ID = "20261123-210000"

STACK = """\
schema: 1
stack: shop
bundle: shop-bundle
source: .
expects: [app.py]
network:
  subnet: 172.30.99.0/24
host:
  root: /opt/shop
images:
  api:
    tag: shop:custom
    build:
      offline: ["source:Dockerfile"]
  db:
    pull: "mysql:8.0"
services:
  db:
    image: db
    environment:
      MYSQL_ROOT_PASSWORD: "${DB_PASSWORD:?}"
  api:
    image: api
    modes: [all, single]
    ports: ["8000:80"]
    depends_on: [db]
    probes:
      - {port: 8000, type: http, path: /health}
payload:
  - {bundle: conf, files: [conf], service: api, target: /app/conf, owner: host, mode: "0700"}
  - {bundle: plugins, files: [plugins], service: api, target: /app/plugins, hot: true}
  - {bundle: start.sh, files: [start.sh], service: api, target: /start.sh, single: true, read_only: true}
  - {bundle: mysql/data, service: db, target: /var/lib/mysql, owner: host, user: "999:999", mode: "0700"}
data:
  database: {service: db, family: mysql, series: "8.0", folder: mysql/data, version: [mysqld, --version]}
secrets: [DB_PASSWORD]
first_run:
  - {after: db, query_in: db, query: [sh, -c, "echo 'a b'"], file: conf/.conf.yaml, key: a.b, before: api, also: {c: d}}
"""

TREE = {
    "app.py": "print('shop')\n",
    "Dockerfile": "FROM python:3\nCOPY . .\n",
    "conf/.conf.yaml": "a: 1\n",
    "plugins/配置 one.py": "x = 1\n",
    "plugins/two.py": "y = 2\n",
    "start.sh": "#!/bin/sh\nexec app\n",
}


def values(changes: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The small stack as its file gives it, with other values by dotted path (`payload.0.optional`)."""
    made: dict[str, Any] = copy.deepcopy(yaml.safe_load(STACK))
    for path, value in (changes or {}).items():
        *parents, last = path.split(".")
        place: Any = made
        for part in parents:
            place = place[int(part)] if isinstance(place, list) else place.setdefault(part, {})
        place[int(last) if isinstance(place, list) else last] = value
    return made


def release(changes: Mapping[str, Any] | None = None) -> Release:
    """The small stack, validated."""
    return Release.model_validate(values(changes))


def tree(folder: Path, files: Mapping[str, str | bytes] | None = None) -> Path:
    """Write a source tree (the small stack's, unless others are given) under a folder."""
    for name, content in (TREE if files is None else files).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def config(folder: Path, changes: Mapping[str, Any] | None = None) -> Config:
    """A configuration whose source, work and output lie in one temporary folder; the tree is written there."""
    return Config(
        release=release(changes),
        file=folder / "source" / "release.yml",
        source=tree(folder / "source"),
        work=folder / "work",
        output=folder / "dist",
        why="a test",
        origins={},
    )


def image(role: str, *contents: bytes) -> streams.Image:
    """An image of one shared and one or more own layers."""
    return streams.Image(f"shop/{role}:build", (streams.layer(b"base", "base"), *map(streams.layer, contents)))


def stored(store: Store, images: Sequence[streams.Image]) -> dict[str, StoredImage]:
    """Bring images into a store as an export does; by reference."""
    names = [made.name for made in images]
    stream = io.BytesIO(streams.stream(streams.classic(images)))
    return ingest(stream, store, names, platform=images[0].platform, on_bytes=lambda _: None)


def facts(
    folder: Path, items: Sequence[Item] | None = None, changes: Mapping[str, Any] | None = None, *, identity: str = ID
) -> tuple[ReleaseFacts, tuple[Item, ...], Store]:
    """A release of the small stack ready to be written: its facts, its payload, the store that has its images."""
    release_ = release(changes)
    services = plan.services_of(release_)
    if items is None:
        items = payload.collect(tree(folder / "source"), release_.payload, services)
    store = Store(folder / "store")
    roles = plan.roles_of(release_)
    images = stored(store, [image(role, role.encode()) for role in roles])
    bundled = tuple(
        manifest.BundledImage(
            role=role,
            tag=manifest.content_tag(release_.stack, role, images[f"shop/{role}:build"].config),
            familiar=release_.images[role].tag,
            kind=release_.images[role].kind,
            why="a test",
            registry_digest="",
            stored=images[f"shop/{role}:build"],
        )
        for role in roles
    )
    made = manifest.ReleaseFacts(
        id=identity,
        created="2026-11-23T21:00:00Z",
        kit="0",
        revision="abc",
        release=release_,
        services=tuple(manifest.start_order(release_, services)),
        images=bundled,
        mounts=manifest.mounts_of(items),
        left_out=tuple(pattern for item in items for pattern in item.missing),
        holds_keys=(),
        warnings=(),
        engine=(),
        audit=None,
    )
    return made, tuple(items), store
