"""What a delta bundle leaves out: what every one of some earlier releases has, in the very bytes. Pure.

A host may have either kind of image store, so a layer is left out only where both have it: a classic store by the whole
chain of diff_ids below it, for each image that has it; a containerd store by the digest of its compressed bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from offline.bundle import layout
from offline.errors import UsageError
from offline.store.model import Layer

if TYPE_CHECKING:
    from offline.bundle.manifest import Mount, ReleaseFacts
    from offline.bundle.payload import File

Chain = tuple[str, ...]
_ID = re.compile(r"[0-9]{8}-[0-9]{6}")

# What a delta always brings: offline-deploy.sh lies at the top, and these say what is wrong before there is a library.
_CARRIED = frozenset(
    (
        *(layout.FACTS, layout.VERIFY_SCRIPT),
        *(
            f"{layout.SCRIPT_LIB}/{name}.sh"
            for name in ("say", "facts", "images", "verify", "host", "stored", "omitted")
        ),
        *(f"{layout.SCRIPT_LIB}/messages.{lang}.sh" for lang in ("en", "zh")),
    )
)


@dataclass(frozen=True, kw_only=True)
class Place:
    """A folder or file of a release below a host's root; `bundle` is its path in the bundle."""

    bundle: str
    source: str
    mode: str
    hot: bool

    def of(self, path: str) -> str | None:
        """Where a file of the bundle lies on the host; nothing where it is not below this."""
        if path != self.bundle and not path.startswith(f"{self.bundle}/"):
            return None
        return self.source + path.removeprefix(self.bundle)


@dataclass(frozen=True, kw_only=True)
class Base:
    """An earlier release: what a host that runs it has. `files` is every file of it, its sha256 in hex by path."""

    id: str
    stack: str
    platform: str
    images: tuple[tuple[Layer, ...], ...]
    places: tuple[Place, ...]
    files: Mapping[str, str]

    @cached_property
    def chains(self) -> frozenset[Chain]:
        """Every beginning of the diff_ids of an image."""
        return frozenset(chain for image in self.images for chain, _ in _chains(image))

    @cached_property
    def digests(self) -> Mapping[str, str]:
        """The diff_id of each layer by the digest of its shipped bytes."""
        return {layer.digest: layer.diff_id for image in self.images for layer in image}

    @cached_property
    def by_content(self) -> Mapping[str, tuple[tuple[str, Place], ...]]:
        """Shipped files that containers mount, by their sha256: path in the bundle, and where it is mounted from."""
        found: dict[str, list[tuple[str, Place]]] = {}
        for path, sha256 in self.files.items():
            place = next((place for place in self.places if place.of(path)), None)
            if place:
                found.setdefault(sha256, []).append((path, place))
        return {sha256: tuple(files) for sha256, files in found.items()}


@dataclass(frozen=True, kw_only=True)
class Delta:
    """What is left out. `since` names the releases that have it, any of which may be the one on the host."""

    since: tuple[str, ...]
    lines: tuple[str, ...]
    """Of omitted.tsv."""
    blobs: frozenset[str]
    """Digests of the layers that are left out."""
    files: frozenset[str]
    """Paths in the bundle."""
    other_bytes: tuple[Layer, ...]
    """Layers that travel only because an earlier release has shipped them in other bytes."""


def parse(value: Any, files: Mapping[str, str] | None) -> Base:
    """Take what counts out of a parsed release.json; no files where only that is at hand. Raises ValueError."""
    try:
        if value["format"] != layout.FORMAT:
            raise ValueError(f"its format is {value['format']}, and this kit knows format {layout.FORMAT}")
        return Base(
            id=value["id"],
            stack=value["stack"],
            platform=value["platform"],
            images=tuple(tuple(_layer(layer) for layer in image["layers"]) for image in value["images"]),
            places=tuple(_places(value["mounts"])),
            files=files or {},
        )
    except (KeyError, TypeError, AttributeError):
        raise ValueError("it is not a release.json") from None


def plan(facts: ReleaseFacts, files: Sequence[File], bases: Sequence[Base]) -> Delta:
    """Decide what of a release stays out of its bundle; `files` are those that may: payload, scripts, engine.

    UsageError for a base that is of another stack or platform, or the release itself.
    """
    for base in bases:
        _check(base, facts)
    bases = sorted(bases, key=lambda base: base.id)
    since = tuple(base.id for base in bases)
    blobs, others = _layers([image.stored.layers for image in facts.images], bases)
    rows: dict[str, list[str]] = {digest: [_line(layout.OMITTED_BLOB, digest, " ".join(since))] for digest in blobs}
    left = {file.name: _file_lines(file, facts.mounts, bases) for file in files}
    left |= _script_lines(files, bases)
    rows |= {name: lines for name, lines in left.items() if lines}
    return Delta(
        since=since if rows else (),
        lines=tuple(line for lines in rows.values() for line in lines),
        blobs=frozenset(blobs),
        files=frozenset(rows) - blobs.keys(),
        other_bytes=tuple(others),
    )


def since_of(lines: Iterable[str]) -> tuple[str, ...]:
    """The releases that an omitted.tsv counts on, by its lines; one of them is enough. None for a lean transfer's."""
    words: set[str] = set()
    for kind, *fields in (line.split("\t") for line in lines):
        said = fields[1:2] if kind == layout.OMITTED_BLOB else fields[3:4]
        words.update(" ".join(said).split(" "))
    return tuple(sorted(filter(_ID.fullmatch, words)))


def table(delta: Delta) -> bytes:
    """omitted.tsv."""
    return "".join(f"{line}\n" for line in delta.lines).encode()


def places_of(mounts: Sequence[Mount]) -> tuple[Place, ...]:
    """Where the release's own files lie on a host."""
    return tuple(
        Place(bundle=mount.bundle, source=mount.source, mode=mount.mode, hot=mount.hot)
        for mount in mounts
        if mount.owner == "release"
    )


def _check(base: Base, facts: ReleaseFacts) -> None:
    release = facts.release
    for what, theirs, ours in (("stack", base.stack, release.stack), ("platform", base.platform, release.platform)):
        if theirs != ours:
            raise UsageError(
                f"--since {base.id}: its {what} is {theirs}, and this release's is {ours}",
                hint="name an earlier release of the same stack and platform",
            )
    if base.id == facts.id:
        raise UsageError(f"--since {base.id}: this is the release itself", hint="name an earlier one")


def _layers(images: Iterable[tuple[Layer, ...]], bases: Sequence[Base]) -> tuple[dict[str, Layer], list[Layer]]:
    """The layers that all bases have, by digest; and those that they have, but one of them in other bytes."""
    chains: dict[str, set[Chain]] = {}
    layers: dict[str, Layer] = {}
    for image in images:
        for chain, layer in _chains(image):
            chains.setdefault(layer.digest, set()).add(chain)
            layers[layer.digest] = layer
    had = {digest: layer for digest, layer in layers.items() if all(chains[digest] <= base.chains for base in bases)}
    same = {digest: layer for digest, layer in had.items() if all(digest in base.digests for base in bases)}
    return same, [layer for digest, layer in had.items() if digest not in same]


def _chains(image: Sequence[Layer]) -> Iterator[tuple[Chain, Layer]]:
    """Each layer with the diff_ids from the lowest one up to it."""
    below: Chain = ()
    for layer in image:
        below = (*below, layer.diff_id)
        yield below, layer


def _file_lines(file: File, mounts: Sequence[Mount], bases: Sequence[Base]) -> list[str]:
    """One line for each base, with where a host has the file; none where a base has it not."""
    if file.name.startswith(f"{layout.ENGINE}/"):
        had = all(base.files.get(file.name) == file.sha256 for base in bases)
        return [_file_line(file, layout.EMPTY_FIELD, bases)] if had else []
    own = next((place for place in places_of(mounts) if place.of(file.name)), None)
    found = [_at(base, file, own) for base in bases] if own else [None]
    return [_file_line(file, at, [base]) for at, base in zip(found, bases, strict=False) if at] if all(found) else []


def _at(base: Base, file: File, own: Place) -> str | None:
    """Where a host that runs the base has the file, as the release wants it.

    What may be edited there counts only where nothing need be copied: the folder is the very one. A name's ending and
    the mount's mode decide who may run a file, so they must allow the same.
    """
    for path, place in base.by_content.get(file.sha256, ()):
        at = place.of(path)
        if own.hot or place.hot:
            if at == own.of(file.name):
                return at
        elif PurePosixPath(path).suffix == PurePosixPath(file.name).suffix and place.mode == own.mode:
            return at
    return None


def _script_lines(files: Sequence[File], bases: Sequence[Base]) -> dict[str, list[str]]:
    """The host scripts, all of them or none: a host has them beside the release, and they belong together."""
    scripts = {file.name: file for file in files if _is_script(file.name)}
    for base in bases:
        theirs = {name: sha256 for name, sha256 in base.files.items() if _is_script(name)}
        if theirs != {name: file.sha256 for name, file in scripts.items()}:
            return {}
    return {
        name: [_file_line(file, f"{layout.RELEASES}/{base.id}/{name}", [base]) for base in bases]
        for name, file in scripts.items()
        if name not in _CARRIED
    }


def _is_script(name: str) -> bool:
    return name == layout.ENGINE_SCRIPT or (name.startswith(f"{layout.SCRIPTS}/") and name != layout.FACTS)


def _file_line(file: File, at: str, bases: Sequence[Base]) -> str:
    return _line(layout.OMITTED_FILE, file.name, at, file.sha256, " ".join(base.id for base in bases))


def _line(*fields: str) -> str:
    return "\t".join(fields)


def _layer(value: Any) -> Layer:
    return Layer(diff_id=value["diff_id"], digest=value["digest"], size=value["size"], raw_size=value["raw_size"])


def _places(mounts: Any) -> Iterator[Place]:
    for mount in mounts:
        if mount["owner"] == "release":
            yield Place(bundle=mount["bundle"], source=mount["source"], mode=mount["mode"], hot=mount["hot"])
