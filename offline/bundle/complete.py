"""Whether a bundle whose files are what SHA256SUMS says also has everything that its images need.

bash checks the same (scripts/host/lib/verify.sh, `find_incomplete`) and must find the same.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from offline.bundle import layout
from offline.bundle.names import is_safe
from offline.bundle.report import Bad
from offline.store import archive

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

# The tables that this looks into; each only when it is itself listed and as listed.
TABLES = (layout.FACTS, layout.OMITTED, layout.INDEX, layout.IMAGE_MANIFEST)

_REGISTRY = "docker.io/"  # the containerd image store wants it before a content tag
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_HEX = re.compile(r"[0-9a-f]{64}")
_DIGEST_FIELDS = {"image": ("config", "manifest"), "layer": ("diff_id", "digest")}


class MalformedError(ValueError):
    """A table that cannot be read; says why."""


@dataclass(frozen=True, kw_only=True)
class Image:
    """What the facts say of one image; digests are `sha256:<64 hex>`."""

    tag: str
    config: str
    manifest: str
    layers: tuple[str, ...]


def check(listed: Mapping[bytes, str], tables: Mapping[str, bytes]) -> tuple[int, list[Bad]]:
    """Give the number of blobs left out on purpose, and what is incomplete or malformed.

    `listed` is SHA256SUMS; a file that is listed but not there is another check's finding.
    """
    bad = [Bad(reason="incomplete", path=path) for path in layout.REQUIRED if path.encode() not in listed]
    path = layout.OMITTED
    try:
        omitted = read_omitted(tables[path].decode(), listed) if path in tables else frozenset()
        path = layout.FACTS
        images = read_images(tables[path].decode()) if path in tables else ()
    except ValueError as error:
        return 0, [*bad, Bad(reason="malformed", path=path, why=str(error))]
    needed = {digest for image in images for digest in (image.config, image.manifest, *image.layers)}
    absent = {layout.blob(digest) for digest in needed - omitted}
    bad += [Bad(reason="incomplete", path=blob) for blob in absent if blob.encode() not in listed]
    if images:
        bad += _disagreeing(images, tables)
    return len(omitted), bad


def read_images(text: str) -> tuple[Image, ...]:
    """Read facts.tsv as far as this check needs it; raises MalformedError, for a newer format too."""
    rows = _rows(text)
    numbers = [row[1] for row in rows if row[0] == "format" and len(row) > 1]
    if len(numbers) != 1 or not re.fullmatch(r"[1-9][0-9]{0,8}", numbers[0]):
        raise MalformedError("it does not say its format once")
    if int(numbers[0]) > layout.FORMAT:
        raise MalformedError(
            f"its format is {numbers[0]}, and this kit knows formats up to {layout.FORMAT}: "
            "verify it with the kit that made it, or a newer one"
        )
    return _images(rows)


def _rows(text: str) -> list[list[str]]:
    return [line.split("\t") for line in text.removesuffix("\n").split("\n")]


def _images(rows: list[list[str]]) -> tuple[Image, ...]:
    images: dict[str, list[str]] = {}
    layers: dict[str, list[str]] = {}
    for row in (row for row in rows if row[0] in _DIGEST_FIELDS):
        _check_record(row)
        role = row[1]
        if row[0] == "image" and role not in images:
            images[role], layers[role] = row, []
        elif row[0] == "layer" and role in images and row[2] == str(len(layers[role])):
            layers[role].append(row[4])
        else:
            raise MalformedError(f"a record of the kind «{row[0]}» for «{role}» is out of place")
    if not images or not all(layers.values()):
        raise MalformedError("it names no image, or an image without layers")
    return tuple(
        Image(tag=row[2], config=row[4], manifest=row[5], layers=tuple(layers[role])) for role, row in images.items()
    )


def _check_record(row: list[str]) -> None:
    names = layout.RECORDS[row[0]]
    fields = dict(zip(names, row[1:], strict=False))
    if len(fields) < len(names) or not all(_DIGEST.fullmatch(fields[name]) for name in _DIGEST_FIELDS[row[0]]):
        raise MalformedError(f"a record of the kind «{row[0]}» is not complete")


def read_omitted(text: str, listed: Mapping[bytes, str]) -> frozenset[str]:
    """Read omitted.tsv; gives the digests of blobs that are left out. Raises MalformedError."""
    rows = _rows(text)
    for row in rows:
        if len(row) < 3 or row[0] not in (layout.OMITTED_BLOB, layout.OMITTED_FILE):  # noqa: PLR2004 - three fields
            raise MalformedError("a line is not «blob or file», what, and where it comes from")
        if row[0] == layout.OMITTED_FILE:
            _check_omitted_file(row, listed)
        elif not _DIGEST.fullmatch(row[1]):
            raise MalformedError("a blob is left out without its digest")
    return frozenset(row[1] for row in rows if row[0] == layout.OMITTED_BLOB)


def _check_omitted_file(row: list[str], listed: Mapping[bytes, str]) -> None:
    """Path, where it lies below the host's root or `-`, and its sha256: nothing else proves that it is the file."""
    if len(row) < 4 or not _HEX.fullmatch(row[3]):  # noqa: PLR2004 - four fields
        raise MalformedError("a file is left out without its sha256")
    if not is_safe(row[1].encode()) or not (row[2] == layout.EMPTY_FIELD or is_safe(row[2].encode())):
        raise MalformedError("a file is left out under a name that no bundle has, or comes from such a place")
    if row[1].encode() in listed:
        raise MalformedError("a file is left out and listed, too")


def _disagreeing(images: tuple[Image, ...], tables: Mapping[str, bytes]) -> Iterator[Bad]:
    """Give index.json and manifest.json where they do not name exactly these images."""
    by_index = {(image.tag, image.manifest) for image in images}
    by_manifest = {(image.tag, *map(layout.blob_in_images, (image.config, *image.layers))) for image in images}
    for path, read, expected in (
        (layout.INDEX, _index_entries, by_index),
        (layout.IMAGE_MANIFEST, _image_manifest_entries, by_manifest),
    ):
        if path in tables and _entries(tables[path], read) != expected:
            yield Bad(reason="incomplete", path=path, why=f"it does not name exactly the images of {layout.FACTS}")


def _entries(text: bytes, read: Callable[[Any], Iterator[object]]) -> set[object]:
    try:
        return set(read(json.loads(text)))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return set()


def _index_entries(index: Any) -> Iterator[object]:
    for entry in index["manifests"]:
        yield entry["annotations"][archive.INDEX_NAME].removeprefix(_REGISTRY), entry["digest"]


def _image_manifest_entries(manifest: Any) -> Iterator[object]:
    for entry in manifest:
        for tag in entry["RepoTags"]:
            yield tag, entry["Config"], *entry["Layers"]
