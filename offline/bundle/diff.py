"""What changes from one release to another: images, layers, payload, compose file, versions. Pure."""

from __future__ import annotations

import difflib
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from offline.bundle import layout
from offline.console import human_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

Change = Literal["added", "removed", "changed", "same"]

_OWN = frozenset(
    (
        *(layout.SUMS, layout.RELEASE, layout.OMITTED, layout.COMPOSE, layout.DEPLOY_SCRIPT, layout.ENGINE_SCRIPT),
        *(layout.README, layout.MANIFEST_TEXT, layout.GUIDE_ZH, layout.GUIDE_EN),
    )
)
_NOT_PAYLOAD = (f"{layout.IMAGES}/", f"{layout.SCRIPTS}/")


@dataclass(frozen=True, kw_only=True)
class Layer:
    """A layer by the digest of its compressed bytes, which are what travels; with the roles that use it."""

    digest: str
    size: int
    roles: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Image:
    """An image of a release; layers as digest and compressed bytes, in order."""

    tag: str
    config: str
    layers: tuple[tuple[str, int], ...]


@dataclass(frozen=True, kw_only=True)
class Release:
    """What is compared of a release; files and compose are unknown where only its release.json is at hand."""

    id: str
    images: Mapping[str, Image]
    facts: Mapping[str, str]
    files: Mapping[str, str] | None
    compose: str | None


@dataclass(frozen=True, kw_only=True)
class ImageChange:
    """What became of one role; `new_bytes` are those of its layers that the old release has nowhere."""

    role: str
    change: Change
    old: str | None
    new: str | None
    bytes: int
    new_bytes: int


@dataclass(frozen=True, kw_only=True)
class Layers:
    """The layers of both releases, each once."""

    shared: tuple[Layer, ...]
    new: tuple[Layer, ...]
    gone: tuple[Layer, ...]


@dataclass(frozen=True, kw_only=True)
class Names:
    """Names by what became of them."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class FactChange:
    """A version, a need or a data family with its value before and after; nothing where it is not there."""

    what: str
    old: str | None
    new: str | None


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Everything that `invoke diff` shows; nothing for files or compose where one side does not tell."""

    old: str
    new: str
    images: tuple[ImageChange, ...]
    layers: Layers
    files: Names | None
    compose: tuple[str, ...] | None
    facts: tuple[FactChange, ...]

    def as_json(self) -> dict[str, Any]:
        """The object of `--json`."""
        return asdict(self)


def parse(value: Any, *, files: Mapping[str, str] | None = None, compose: str | None = None) -> Release:
    """Take what is compared out of a parsed release.json. Raises ValueError where it is none of this format."""
    try:
        if value["format"] != layout.FORMAT:
            raise ValueError(f"its format is {value['format']}, and this kit knows format {layout.FORMAT}")
        images = {image["role"]: _image(image) for image in value["images"]}
        return Release(id=value["id"], images=images, facts=dict(_facts(value)), files=files, compose=compose)
    except (KeyError, TypeError, AttributeError):
        raise ValueError("it is not a release.json") from None


def compare(old: Release, new: Release) -> Difference:
    """Hold two releases against each other."""
    known = both = None
    if old.files is not None and new.files is not None:
        known = _names(_payload(old.files), _payload(new.files))
    if old.compose is not None and new.compose is not None:
        both = tuple(_compose_lines(old.compose, new.compose))
    return Difference(
        old=old.id,
        new=new.id,
        images=tuple(_images(old, new)),
        layers=_layers(old, new),
        files=known,
        compose=both,
        facts=tuple(
            FactChange(what=what, old=old.facts.get(what), new=new.facts.get(what))
            for what in _all(old.facts, new.facts)
            if old.facts.get(what) != new.facts.get(what)
        ),
    )


def lines(found: Difference) -> Iterator[str]:
    """The same for people."""
    yield f"{found.old} -> {found.new}"
    yield "\nImages"
    for image in found.images:
        tags = " -> ".join(dict.fromkeys(tag for tag in (image.old, image.new) if tag))
        sizes = f"{human_bytes(image.bytes)}, {human_bytes(image.new_bytes)} of it new"
        yield f"  {image.change:<8} {image.role}: {tags}, {sizes}"
    yield "\nLayers"
    for word, layers in (("shared", found.layers.shared), ("new", found.layers.new), ("gone", found.layers.gone)):
        yield f"  {word:<8} {len(layers)}, {human_bytes(sum(layer.size for layer in layers))}"
        for layer in layers:
            short = layer.digest.removeprefix("sha256:")[:12]
            yield f"    {short}  {human_bytes(layer.size)}  {', '.join(layer.roles)}"
    yield "\nPayload"
    yield from _file_lines(found.files)
    yield "\nCompose file"
    yield from (f"  {line}" for line in _or_word(found.compose, "same"))
    yield "\nVersions and data"
    changes = [f"{fact.what}: {fact.old or 'none'} -> {fact.new or 'none'}" for fact in found.facts]
    yield from (f"  {line}" for line in changes or ["same"])


def _file_lines(files: Names | None) -> Iterator[str]:
    named = [] if files is None else [("added", files.added), ("removed", files.removed), ("changed", files.changed)]
    shown = [f"{word:<8} {name}" for word, names in named for name in names]
    yield from (f"  {line}" for line in _or_word(None if files is None else shown, "same"))


def _or_word(found: Iterable[str] | None, word: str) -> list[str]:
    return ["not known: compare bundles instead of release.json alone"] if found is None else list(found) or [word]


def _image(value: Any) -> Image:
    layers = tuple((layer["digest"], layer["size"]) for layer in value["layers"])
    return Image(tag=value["tag"], config=value["config"], layers=layers)


def _facts(value: Any) -> Iterator[tuple[str, str]]:
    for name in ("kit", "strategy", "platform", "mode"):
        yield name, str(value[name])
    yield "source revision", str(value["source"]["revision"] or "not in git")
    for name, need in value["host"].items():
        yield f"host {name}".replace("_", " "), str(need)
    for name, data in value["data"].items():
        yield f"data {name}", f"{data['family']} {data['series']} in {data['folder']}"


def _images(old: Release, new: Release) -> Iterator[ImageChange]:
    before = {digest for image in old.images.values() for digest, _ in image.layers}
    for role in _all(old.images, new.images):
        was, now = old.images.get(role), new.images.get(role)
        layers = dict(now.layers if now else was.layers if was else ())
        yield ImageChange(
            role=role,
            change=_change(was.config if was else None, now.config if now else None),
            old=was.tag if was else None,
            new=now.tag if now else None,
            bytes=sum(layers.values()),
            new_bytes=sum(size for digest, size in layers.items() if digest not in before),
        )


def _layers(old: Release, new: Release) -> Layers:
    before, after = _by_digest(old), _by_digest(new)
    return Layers(
        shared=tuple(layer for digest, layer in after.items() if digest in before),
        new=tuple(layer for digest, layer in after.items() if digest not in before),
        gone=tuple(layer for digest, layer in before.items() if digest not in after),
    )


def _by_digest(release: Release) -> dict[str, Layer]:
    roles: dict[tuple[str, int], dict[str, None]] = {}
    for role, image in release.images.items():
        for layer in image.layers:
            roles.setdefault(layer, {})[role] = None
    return {digest: Layer(digest=digest, size=size, roles=tuple(users)) for (digest, size), users in roles.items()}


def _payload(files: Mapping[str, str]) -> dict[str, str]:
    return {name: sha for name, sha in files.items() if name not in _OWN and not name.startswith(_NOT_PAYLOAD)}


def _names(old: Mapping[str, str], new: Mapping[str, str]) -> Names:
    changes = {name: _change(old.get(name), new.get(name)) for name in sorted({*old, *new})}

    def named(change: Change) -> tuple[str, ...]:
        return tuple(name for name, found in changes.items() if found == change)

    return Names(added=named("added"), removed=named("removed"), changed=named("changed"))


def _change(old: str | None, new: str | None) -> Change:
    if old is None:
        return "added"
    if new is None:
        return "removed"
    return "same" if old == new else "changed"


def _compose_lines(old: str, new: str) -> Iterator[str]:
    yield from difflib.unified_diff(old.splitlines(), new.splitlines(), "old", "new", n=1, lineterm="")


def _all(old: Iterable[str], new: Iterable[str]) -> list[str]:
    """The names of both, in the order of the new ones, then what is gone."""
    return list(dict.fromkeys([*new, *old]))
