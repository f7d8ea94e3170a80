"""Small bundles that are true in themselves: real gzip layers, configs and manifests, every file in SHA256SUMS.

`small_bundle()` makes one; change it, `seal` it again or not, then `pack` it. Used by the tests of verification, of the
host scripts and of everything that reads a bundle.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from offline.bundle import layout
from offline.paths import HOST_SCRIPTS
from offline.store import archive

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

STACK = "mini"
PREFIX = "mini-offline-deployment"
RELEASE_ID = "20261123-210000"
EMPTY_FOLDERS = ("mysql/data", "uploadfile")
TIME = 1_795_467_600

# Names that a careless script trips over; all of them are allowed.
ODD_NAMES = (
    "data/.config.yaml",
    "data/唤醒词 配置.yaml",
    "data/ leading and trailing space ",
    "data/-rf",
    "data/-",
    "--help",
    "data/quote'quote\".txt",
    "data/*",
    "data/$(touch owned).sh",
    "data/[x]",
    "data/]",
    "data/@",
    "data/a: OK",
    "data/a: FAILED",
    "data/~",
    "data/#",
    "data/worker 1",
)

Kind = Literal["file", "folder", "symlink", "fifo", "hardlink", "device"]
_TAR_TYPES: dict[Kind, bytes] = {
    "file": tarfile.REGTYPE,
    "folder": tarfile.DIRTYPE,
    "symlink": tarfile.SYMTYPE,
    "fifo": tarfile.FIFOTYPE,
    "hardlink": tarfile.LNKTYPE,
    "device": tarfile.CHRTYPE,
}


@dataclass(frozen=True, kw_only=True)
class Item:
    """What stands under one name: a file's bytes, or a link's target."""

    kind: Kind = "file"
    data: bytes = b""
    target: str = ""


@dataclass(kw_only=True)
class Bundle:
    """A bundle as names and bytes. Names are below the top folder; bytes that are no UTF-8 are surrogate-escaped."""

    top: str = f"{PREFIX}-{RELEASE_ID}"
    items: dict[str, Item] = field(default_factory=dict)

    def __setitem__(self, path: str, data: bytes | str) -> None:
        self.items[path] = Item(data=data.encode() if isinstance(data, str) else data)

    def __getitem__(self, path: str) -> bytes:
        return self.items[path].data

    def seal(self) -> Bundle:
        """Write SHA256SUMS for the files as they are now."""
        files = sorted(
            (path.encode(errors="surrogateescape"), item.data)
            for path, item in self.items.items()
            if item.kind == "file" and path != layout.SUMS
        )
        self[layout.SUMS] = b"".join(hashlib.sha256(data).hexdigest().encode() + b"  " + p + b"\n" for p, data in files)
        return self

    def members(self) -> Iterable[tuple[tarfile.TarInfo, bytes]]:
        """The entries of the archive, sorted as the kit sorts them."""
        yield member(f"{self.top}", Item(kind="folder")), b""
        for path in sorted(self.items, key=lambda name: name.encode(errors="surrogateescape")):
            yield member(f"{self.top}/{path}", self.items[path]), self.items[path].data

    def tar(self, *, tar_format: int = tarfile.PAX_FORMAT) -> bytes:
        """The archive before gzip."""
        return tar_of(self.members(), tar_format=tar_format)

    def pack(self, folder: Path) -> Path:
        """Write the bundle's `.tar.gz` into a folder."""
        return write_archive(folder, self.top, self.tar())


def tar_of(members: Iterable[tuple[tarfile.TarInfo, bytes]], *, tar_format: int = tarfile.PAX_FORMAT) -> bytes:
    """Make a tar of entries, whatever their names."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tar_format) as tar:
        for info, data in members:
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


def write_archive(folder: Path, top: str, tar: bytes) -> Path:
    """Write a tar as a bundle's `.tar.gz`."""
    path = folder / f"{top}{layout.ARCHIVE_SUFFIX}"
    path.write_bytes(gzip.compress(tar, 1, mtime=0))
    return path


def small_bundle(*, roles: Iterable[str] = ("server", "web")) -> Bundle:
    """Make a whole bundle of a few kilobytes: two images that share a layer, odd payload names, real scripts."""
    bundle = Bundle()
    images = [_add_image(bundle, role) for role in roles]
    bundle[layout.OCI_LAYOUT] = json.dumps({"imageLayoutVersion": "1.0.0"})
    bundle[layout.INDEX] = _json({"schemaVersion": 2, "manifests": [image.index_entry for image in images]})
    bundle[layout.IMAGE_MANIFEST] = _json([image.manifest_entry for image in images])
    _add_facts(bundle, images)
    for name in (layout.README, layout.MANIFEST_TEXT, layout.GUIDE_ZH, layout.GUIDE_EN, layout.COMPOSE, *ODD_NAMES):
        bundle[name] = f"{name}\n"
    for folder in EMPTY_FOLDERS:
        bundle.items[folder] = Item(kind="folder")
    _add_scripts(bundle)
    return bundle.seal()


@dataclass(frozen=True, kw_only=True)
class _Image:
    role: str
    tag: str
    config: str
    manifest: str
    layers: tuple[tuple[str, str, int], ...]  # diff_id, digest, size

    @property
    def index_entry(self) -> object:
        name = {archive.INDEX_NAME: archive.full_name(self.tag), archive.INDEX_REF: self.tag.rpartition(":")[2]}
        media_type = "application/vnd.oci.image.manifest.v1+json"
        return {"mediaType": media_type, "digest": self.manifest, "size": 1, "annotations": name}

    @property
    def manifest_entry(self) -> object:
        layers = [layout.blob_in_images(digest) for _, digest, _ in self.layers]
        return {"Config": layout.blob_in_images(self.config), "RepoTags": [self.tag], "Layers": layers}


def _add_image(bundle: Bundle, role: str) -> _Image:
    layers = tuple(_add_layer(bundle, content) for content in ("base", role))
    config = {"architecture": "amd64", "os": "linux", "config": {"Labels": {"role": role}}}
    rootfs = {"type": "layers", "diff_ids": [diff_id for diff_id, _, _ in layers]}
    config_digest = _add_blob(bundle, _json({**config, "rootfs": rootfs}))
    described = [{"digest": digest, "size": size} for _, digest, size in layers]
    manifest = _add_blob(bundle, _json({"schemaVersion": 2, "config": {"digest": config_digest}, "layers": described}))
    tag = f"{STACK}/{role}:{config_digest.removeprefix('sha256:')[:12]}"
    return _Image(role=role, tag=tag, config=config_digest, manifest=manifest, layers=layers)


def _add_layer(bundle: Bundle, content: str) -> tuple[str, str, int]:
    raw = tar_of([(member(f"opt/{content}", Item(data=content.encode())), content.encode())])
    packed = gzip.compress(raw, 1, mtime=0)
    return _digest(raw), _add_blob(bundle, packed), len(packed)


def _add_blob(bundle: Bundle, data: bytes) -> str:
    digest = _digest(data)
    bundle[layout.blob(digest)] = data
    return digest


def _add_facts(bundle: Bundle, images: list[_Image]) -> None:
    rows = [["format", str(layout.FORMAT)], ["stack", STACK], ["bundle", PREFIX], ["id", RELEASE_ID]]
    rows.append(["platform", "linux/amd64"])
    for image in images:
        rows.append(["image", image.role, image.tag, layout.EMPTY_FIELD, image.config, image.manifest])
        for number, (diff_id, digest, size) in enumerate(image.layers):
            rows.append(["layer", image.role, str(number), diff_id, digest, str(size)])
    rows.append(["a-kind-of-a-later-kit", "anything"])
    bundle[layout.FACTS] = "".join("\t".join(row) + "\n" for row in rows)
    bundle[layout.RELEASE] = _json({"format": layout.FORMAT, "id": RELEASE_ID})


def _add_scripts(bundle: Bundle) -> None:
    bundle[layout.VERIFY_SCRIPT] = (HOST_SCRIPTS / "verify.sh").read_bytes()
    for path in sorted((HOST_SCRIPTS / "lib").glob("*.sh")):
        bundle[f"{layout.SCRIPT_LIB}/{path.name}"] = path.read_bytes()


def member(name: str, item: Item) -> tarfile.TarInfo:
    """Make one entry's header."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mtime = _TAR_TYPES[item.kind], item.target, TIME
    info.size = len(item.data)
    info.mode = 0o755 if item.kind == "folder" else 0o644
    return info


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
