"""Save streams as engines write them, made without an engine: both layouts, entry by entry, to be mixed or broken."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

BLOBS = "blobs/sha256/"
INDEX_TYPE = "application/vnd.oci.image.index.v1+json"
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar"


@dataclass(frozen=True)
class Entry:
    """One member of the stream: bytes, or a symbolic link."""

    name: str
    data: bytes = b""
    link: str | None = None


@dataclass(frozen=True)
class Image:
    """An image as made here: its name and its layers as raw tars."""

    name: str
    layers: tuple[bytes, ...]
    platform: str = "linux/amd64"

    @property
    def diff_ids(self) -> tuple[str, ...]:
        return tuple(digest(layer) for layer in self.layers)

    @property
    def config(self) -> bytes:
        parts = dict(zip(("os", "architecture", "variant"), self.platform.split("/"), strict=False))
        return compact({**parts, "config": {}, "rootfs": {"type": "layers", "diff_ids": list(self.diff_ids)}})

    @property
    def id(self) -> str:
        return digest(self.config)


def digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def compact(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def layer(content: bytes, name: str = "file") -> bytes:
    """A layer with one file."""
    return stream([Entry(name, content)])


def stream(entries: Iterable[Entry], form: Literal[0, 1, 2] = tarfile.PAX_FORMAT) -> bytes:
    """A tar of the entries, ended as Go's writer ends it: two empty blocks and nothing more."""
    buffer = io.BytesIO()
    for entry in entries:
        header = tarfile.TarInfo(entry.name)
        header.size = len(entry.data)
        if entry.link is not None:
            header.type, header.linkname = tarfile.SYMTYPE, entry.link
        buffer.write(header.tobuf(form) + entry.data + bytes(-len(entry.data) % 512))
    return buffer.getvalue() + bytes(1024)


def classic(images: Sequence[Image]) -> list[Entry]:
    """What Docker up to 24 writes: a layer that occurs again, on another chain, is a link to the first."""
    entries: dict[str, Entry] = {}
    first_at: dict[bytes, str] = {}
    manifest = []
    for image in images:
        paths = []
        chain = ""
        for data in image.layers:
            chain = hashlib.sha256((chain + digest(data)).encode()).hexdigest()
            paths.append(f"{chain}/layer.tar")
            at = first_at.setdefault(data, chain)
            entries[f"{chain}/VERSION"] = Entry(f"{chain}/VERSION", b"1.0")
            entries[f"{chain}/json"] = Entry(f"{chain}/json", compact({"id": chain}))
            entries[paths[-1]] = Entry(paths[-1], data) if at == chain else Entry(paths[-1], link=f"../{at}/layer.tar")
        config = image.id.removeprefix("sha256:") + ".json"
        entries[config] = Entry(config, image.config)
        manifest.append({"Config": config, "RepoTags": [image.name], "Layers": paths})
    return [*entries.values(), Entry("manifest.json", compact(manifest)), Entry("repositories", b"{}")]


def oci(images: Sequence[Image], *, compressed: bool = False, plain_manifest: bool = True) -> list[Entry]:
    """What Docker 25 and later writes; with `compressed`, what a containerd store of gzip layers writes."""
    entries: dict[str, Entry] = {}
    listed = [
        descriptor(entries, oci_manifest(entries, image, compressed=compressed), MANIFEST_TYPE, name=image.name)
        for image in images
    ]
    manifest = [
        {
            "Config": BLOBS + image.id[7:],
            "RepoTags": [image.name],
            "Layers": [BLOBS + digest(blob_of(data, compressed=compressed))[7:] for data in image.layers],
        }
        for image in images
    ]
    tail = [Entry("index.json", compact({"schemaVersion": 2, "manifests": listed})), Entry("oci-layout", b"{}")]
    return [*entries.values(), *tail, *([Entry("manifest.json", compact(manifest))] if plain_manifest else [])]


def oci_platforms(name: str, images: Sequence[Image]) -> tuple[list[Entry], str]:
    """One name for images of several platforms, each with an attestation, as buildx makes them; and its id."""
    entries: dict[str, Entry] = {}
    inner = []
    for image in images:
        manifest = oci_manifest(entries, image, compressed=True)
        inner.append(descriptor(entries, manifest, MANIFEST_TYPE, platform=image.platform))
        statement = compact({"config": {}, "layers": [], "about": digest(manifest)})
        inner.append(descriptor(entries, statement, MANIFEST_TYPE, platform="unknown/unknown"))
    nested = compact({"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": inner})
    listed = [descriptor(entries, nested, INDEX_TYPE, name=name)]
    return [*entries.values(), Entry("index.json", compact({"schemaVersion": 2, "manifests": listed}))], digest(nested)


def oci_manifest(entries: dict[str, Entry], image: Image, *, compressed: bool) -> bytes:
    """Adds the blobs of an image; gives its manifest."""
    layers = [descriptor(entries, blob_of(data, compressed=compressed), LAYER_TYPE) for data in image.layers]
    config = descriptor(entries, image.config, "application/vnd.oci.image.config.v1+json")
    return compact({"schemaVersion": 2, "mediaType": MANIFEST_TYPE, "config": config, "layers": layers})


def blob_of(data: bytes, *, compressed: bool) -> bytes:
    return gzip.compress(data, mtime=0) if compressed else data


def descriptor(
    entries: dict[str, Entry], data: bytes, media_type: str, *, platform: str = "", name: str = ""
) -> dict[str, object]:
    """Adds a blob; gives what points at it."""
    path = BLOBS + digest(data)[7:]
    entries[path] = Entry(path, data)
    made: dict[str, object] = {"mediaType": media_type, "digest": digest(data), "size": len(data)}
    if platform:
        made["platform"] = dict(zip(("os", "architecture", "variant"), platform.split("/"), strict=False))
    if name:
        made["annotations"] = {"io.containerd.image.name": f"docker.io/{name}"}
    return made
