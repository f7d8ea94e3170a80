"""Finding an image in a save stream: pure, over the JSON documents and links that were in it.

Two layouts exist. Docker up to 24 writes `manifest.json`, `<config>.json` and a folder for each layer. Docker 25 and
later, and containerd stores, write an OCI layout (`index.json`, `blobs/sha256/<hex>`) with a `manifest.json` beside it.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from offline.errors import VerifyError
from offline.store.blobs import is_digest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

BLOBS = "blobs/sha256/"
_ID = re.compile(r"(?:sha256:)?([0-9a-f]{12,64})")
_SHOWN_NAME = "io.containerd.image.name"
_REF_NAME = "org.opencontainers.image.ref.name"
# An index that holds an index that holds …: images in the wild nest once.
_DEEPEST = 4


@dataclass(frozen=True, kw_only=True)
class Found:
    """Where in the stream an image's config and layers are; `ids` are what a containerd store may call it by."""

    config: str
    layers: tuple[str, ...]
    ids: tuple[str, ...] = ()


def find(documents: Mapping[str, bytes], names: Sequence[str], platform: str) -> Found:
    """The image that goes by one of `names` (references or ids), for one platform.

    Raises VerifyError when it is not in the stream, or only for other platforms, or when what names it is damaged.
    """
    if "index.json" not in documents and "manifest.json" not in documents:
        raise VerifyError(
            "the save stream holds neither manifest.json nor index.json: no layout that the kit knows",
            hint="it reads what `docker save` writes; is the client another program?",
        )
    found = _in_index(documents, names, platform) or _in_manifest(documents, names)
    if found is None:
        held = ", ".join(sorted(set(_held(documents)))) or "no named image"
        raise VerifyError(f"{names[0]}: not in the save stream, which holds {held}")
    return found


def familiar(reference: str) -> str:
    """A reference as Docker shows it: without the default registry, with a tag."""
    name = reference.removeprefix("docker.io/").removeprefix("index.docker.io/").removeprefix("library/")
    return name if "@" in name or ":" in name.rpartition("/")[2] else f"{name}:latest"


def blob_digest(path: str) -> str | None:
    """The digest that a path of the stream promises: of a blob, or of a classic config."""
    name = path.removeprefix(BLOBS) if path.startswith(BLOBS) else path.removesuffix(".json")
    digest = f"sha256:{name}"
    return digest if is_digest(digest) else None


def _in_index(documents: Mapping[str, bytes], names: Sequence[str], platform: str) -> Found | None:
    if "index.json" not in documents:
        return None
    named = [entry for entry in _entries(documents, "index.json") if _goes_by(entry, names)]
    others: set[str] = set()
    for entry in named:
        for ids, manifest in _manifests(documents, entry, platform, others, _DEEPEST):
            return _of_manifest(manifest, ids)
    if others:
        raise VerifyError(
            f"{names[0]}: the engine holds it for {', '.join(sorted(others))}, not for {platform}",
            hint=f"pull or build it with --platform {platform}, or set that platform in release.yml",
        )
    return None


def _goes_by(entry: Mapping[str, Any], names: Sequence[str]) -> bool:
    notes = entry.get("annotations") or {}
    shown = {familiar(str(notes[key])) for key in (_SHOWN_NAME, _REF_NAME) if key in notes}
    return any(familiar(name) in shown or _is_id(name, str(entry.get("digest"))) for name in names)


def _is_id(name: str, digest: str) -> bool:
    match = _ID.fullmatch(name.rpartition("@")[2])
    return match is not None and digest.removeprefix("sha256:").startswith(match[1])


def _manifests(
    documents: Mapping[str, bytes], entry: Mapping[str, Any], platform: str, others: set[str], depth: int
) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any]]]:
    """The manifests behind an entry that are there and for the platform; adds other platforms to `others`."""
    path = BLOBS + str(entry.get("digest")).removeprefix("sha256:")
    shown = _platform(entry.get("platform"))
    if shown is not None and not same_platform(shown, platform):
        if path in documents and not shown.startswith("unknown/"):
            others.add(shown)
        return
    if path not in documents:
        # An index names every platform; an engine saves the ones it has.
        return
    document = _mapping(documents, path)
    ids = (str(entry["digest"]),)
    if "manifests" not in document:
        yield ids, document
    elif depth:
        for child in _entries(documents, path):
            for below, manifest in _manifests(documents, child, platform, others, depth - 1):
                yield (*ids, *below), manifest


def _of_manifest(manifest: Mapping[str, Any], ids: tuple[str, ...]) -> Found:
    try:
        config, *layers = [_blob(part["digest"]) for part in (manifest["config"], *manifest["layers"])]
    except (KeyError, TypeError) as error:
        raise VerifyError(f"{ids[-1]}: this image manifest is damaged ({error})") from None
    return Found(config=config, layers=tuple(layers), ids=ids)


def _blob(digest: object) -> str:
    if not is_digest(digest):
        raise VerifyError(f"{digest!r} in an image manifest is not a sha256 digest")
    return BLOBS + str(digest).removeprefix("sha256:")


def _in_manifest(documents: Mapping[str, bytes], names: Sequence[str]) -> Found | None:
    if "manifest.json" not in documents:
        return None
    wanted = {familiar(name) for name in names}
    for entry in _parsed(documents, "manifest.json", list):
        try:
            config = str(PurePosixPath(entry["Config"]))
            tags = {familiar(tag) for tag in entry["RepoTags"] or ()}
            layers = tuple(str(PurePosixPath(layer)) for layer in entry["Layers"] or ())
        except (KeyError, TypeError) as error:
            raise VerifyError(f"manifest.json of the save stream is damaged ({error})") from None
        if tags & wanted or any(_is_id(name, blob_digest(config) or "") for name in names):
            return Found(config=config, layers=layers)
    return None


def _held(documents: Mapping[str, bytes]) -> Iterator[str]:
    if "manifest.json" in documents:
        for entry in _parsed(documents, "manifest.json", list):
            yield from entry.get("RepoTags") or ()
    elif "index.json" in documents:
        for entry in _entries(documents, "index.json"):
            notes = entry.get("annotations") or {}
            yield str(notes.get(_SHOWN_NAME) or notes.get(_REF_NAME) or entry.get("digest"))


def _platform(value: object) -> str | None:
    if not isinstance(value, dict):
        return None
    parts = (value.get("os"), value.get("architecture"), value.get("variant"))
    return "/".join(str(part) for part in parts if part)


def same_platform(one: str, other: str) -> bool:
    """Whether two platforms run the same images; a variant counts where both name one, and arm64 has but one."""
    left, right = one.split("/"), other.split("/")
    return left[:2] == right[:2] and (left[1:2] == ["arm64"] or len(left) < 3 or len(right) < 3 or left[2] == right[2])  # noqa: PLR2004


def _entries(documents: Mapping[str, bytes], path: str) -> list[Mapping[str, Any]]:
    entries = _mapping(documents, path).get("manifests")
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise VerifyError(f"{path} of the save stream is damaged: it lists no manifests")
    return entries


def _mapping(documents: Mapping[str, bytes], path: str) -> Mapping[str, Any]:
    parsed: Mapping[str, Any] = _parsed(documents, path, dict)
    return parsed


def _parsed(documents: Mapping[str, bytes], path: str, kind: type) -> Any:
    try:
        parsed = json.loads(documents[path])
    except ValueError as error:
        raise VerifyError(f"{path} of the save stream is damaged: {error}") from None
    if not isinstance(parsed, kind):
        raise VerifyError(f"{path} of the save stream is damaged: not a {kind.__name__}")
    return parsed
