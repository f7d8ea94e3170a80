"""A host in memory: what a bundle leaves on it, in either kind of image store. It takes nothing that is not proved."""

from __future__ import annotations

import gzip
import hashlib
import json
import tarfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from offline.bundle import layout

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

Content = tuple[bytes, bool]
"""A file's bytes, and whether it may be run."""
# They speak of the bundle that they came in: how much it holds, and what it counts on.
OF_THE_BUNDLE = frozenset(
    (layout.RELEASE, layout.README, layout.MANIFEST_TEXT, layout.GUIDE_EN, layout.GUIDE_ZH, layout.SUMS)
)


class LackingError(Exception):
    """Something that a bundle leaves out is not here."""


def unpacked(bundle: Path) -> dict[str, Content]:
    """The files of a bundle by their path below its folder."""
    found: dict[str, Content] = {}
    with tarfile.open(bundle) as tar:
        for member in tar:
            file = tar.extractfile(member)
            if file:
                found[member.name.partition("/")[2]] = (file.read(), bool(member.mode & 0o100))
    return found


@dataclass
class Host:
    """Layers as a classic store has them, by their chain, or blobs as containerd's has them; images; the root."""

    store: Literal["classic", "containerd"]
    layers: dict[tuple[str, ...], bytes] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)
    images: dict[str, object] = field(default_factory=dict)
    root: dict[str, Content] = field(default_factory=dict)

    def deploy(self, bundle: Path) -> dict[str, object]:
        """Take a bundle's files; gives all that its release is here. LackingError where something is not here."""
        files = unpacked(bundle)
        records = [line.split("\t") for line in files[layout.FACTS][0].decode().splitlines()]
        (identity,) = (row[1] for row in records if row[0] == "id")
        whole = files | dict(self._omitted(files))
        made = {tag: self._load(tag, config, layers, files) for tag, config, layers in _images(files)}
        laid: dict[str, Content] = {}
        for _, service, owner, path, source, *_ in (row for row in records if row[0] == "mount"):
            if owner == "release":
                laid |= {
                    source + name.removeprefix(path): content
                    for name, content in whole.items()
                    if name == path or name.startswith(f"{path}/")
                }
            assert service
        for name, content in whole.items():
            if name.startswith(f"{layout.SCRIPTS}/") or "/" not in name:
                laid[f"{layout.RELEASES}/{identity}/{name}"] = content
        self.root |= laid
        said = {f"{layout.RELEASES}/{identity}/{name}" for name in (*OF_THE_BUNDLE, layout.OMITTED)}
        return {"images": made, "files": {path: content for path, content in laid.items() if path not in said}}

    def _omitted(self, files: Mapping[str, Content]) -> Iterator[tuple[str, Content]]:
        """The files that are left out, with what is at the first place that has their bytes."""
        wanted: dict[str, Content | None] = {}
        for line in files.get(layout.OMITTED, (b"", False))[0].decode().splitlines():
            kind, path, *rest = line.split("\t")
            if kind == layout.OMITTED_FILE:
                here = self.root.get(rest[0])
                good = here if here and hashlib.sha256(here[0]).hexdigest() == rest[1] else None
                wanted[path] = wanted.get(path) or good
        for path, content in wanted.items():
            if content is None:
                raise LackingError(path)
            yield path, content

    def _load(self, tag: str, config: str, layers: list[str], files: Mapping[str, Content]) -> object:
        """An image as the engine has it afterwards; by what it is known there."""
        raw = files[f"{layout.IMAGES}/{config}"][0]
        chain: tuple[str, ...] = ()
        kept: list[bytes] = []
        for path, diff_id in zip(layers, json.loads(raw)["rootfs"]["diff_ids"], strict=True):
            chain = (*chain, diff_id)
            kept.append(self._layer(path, chain, files.get(f"{layout.IMAGES}/{path}", (b"", False))[0]))
        manifest = next(
            entry["digest"]
            for entry in json.loads(files[layout.INDEX][0])["manifests"]
            if entry["annotations"]["io.containerd.image.name"].endswith(f"/{tag}")
        )
        known = files[layout.blob(manifest)][0] if self.store == "containerd" else b""
        self.images[tag] = (raw, known, tuple(kept))
        return self.images[tag]

    def _layer(self, path: str, chain: tuple[str, ...], brought: bytes) -> bytes:
        """A layer's bytes in the store; a classic one keeps it unpacked."""
        if self.store == "containerd":
            if brought:
                self.blobs[path] = brought
            if path not in self.blobs:
                raise LackingError(path)
            return self.blobs[path]
        if brought:
            self.layers[chain] = gzip.decompress(brought)
        if chain not in self.layers:
            raise LackingError(path)
        return self.layers[chain]


def _images(files: Mapping[str, Content]) -> Iterator[tuple[str, str, list[str]]]:
    for image in json.loads(files[layout.IMAGE_MANIFEST][0]):
        (tag,) = image["RepoTags"]
        yield tag, image["Config"], image["Layers"]
