"""Images as one archive for every engine: an OCI layout and a docker-archive at once, both naming the same blobs.

Loaded by 20.10 to 28 and by both image stores (tried; docs/bundle-format.md). Formats: OCI image-spec 1.0 "Image
Layout"; Docker image specification 1.2 "manifest.json".
"""

from __future__ import annotations

import io
import json
import tarfile
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from offline.store.blobs import Store
    from offline.store.model import StoredImage

MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
INDEX_NAME = "io.containerd.image.name"
INDEX_REF = "org.opencontainers.image.ref.name"


def descriptions(images: Mapping[str, StoredImage]) -> dict[str, bytes]:
    """The three files that describe images by tag: oci-layout, index.json, manifest.json. Pure."""
    manifests = [_entry(tag, image) for tag, image in images.items()]
    archive = [
        {"Config": _path(image.config), "RepoTags": [tag], "Layers": [_path(layer.digest) for layer in image.layers]}
        for tag, image in images.items()
    ]
    return {
        "oci-layout": _json({"imageLayoutVersion": "1.0.0"}),
        "index.json": _json({"schemaVersion": 2, "manifests": manifests}),
        "manifest.json": _json(archive),
    }


def blobs(images: Mapping[str, StoredImage]) -> dict[str, int]:
    """Every blob of the images with its size, sorted by digest, each once. Pure."""
    sizes: dict[str, int] = {}
    for image in images.values():
        sizes |= {image.config: image.config_size, image.manifest: image.manifest_size}
        sizes |= {layer.digest: layer.size for layer in image.layers}
    return dict(sorted(sizes.items()))


def write(store: Store, images: Mapping[str, StoredImage], sink: IO[bytes], on_bytes: Callable[[int], None]) -> None:
    """Write the archive as a tar stream, as `docker load` takes it."""
    with tarfile.open(fileobj=sink, mode="w|") as archive:
        for name, data in descriptions(images).items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
        for digest, size in blobs(images).items():
            member = tarfile.TarInfo(_path(digest))
            member.size = size
            with store.path(digest).open("rb") as blob:
                archive.addfile(member, blob)
            on_bytes(size)


def full_name(tag: str) -> str:
    """A tag with its registry, as the containerd store spells names (distribution/reference, familiar names)."""
    first, slash, _ = tag.partition("/")
    if not slash:
        return f"docker.io/library/{tag}"
    return tag if "." in first or ":" in first or first == "localhost" else f"docker.io/{tag}"


def _entry(tag: str, image: StoredImage) -> dict[str, Any]:
    system, architecture = image.platform.split("/")[:2]
    return {
        "mediaType": MANIFEST_TYPE,
        "digest": image.manifest,
        "size": image.manifest_size,
        "platform": {"architecture": architecture, "os": system},
        "annotations": {INDEX_NAME: full_name(tag), INDEX_REF: tag.rpartition(":")[2]},
    }


def _path(digest: str) -> str:
    return f"blobs/sha256/{digest.removeprefix('sha256:')}"


def _json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode() + b"\n"
