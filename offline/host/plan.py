"""What travels to a host, and what it has already. Pure: a bundle and a host's facts in, a frozen plan out."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from offline.bundle import delta, layout
from offline.console import human_bytes
from offline.errors import PreflightError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from offline.bundle.contents import File
    from offline.host.bundle import Bundle
    from offline.host.facts import HostFacts

BIG = 1 << 20
"""Files from this size on travel as pieces, which a broken connection does not send back to their start."""


@dataclass(frozen=True, kw_only=True)
class Piece:
    """A blob or big file that travels from `offset` on; `hex` is its sha256, and its name while it is on its way."""

    hex: str
    offset: int
    size: int

    @property
    def bytes(self) -> int:
        """What is left to send."""
        return self.size - self.offset


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How the host's folder `<root>/incoming/<top folder>` comes to hold the bundle. Paths are in the bundle."""

    release: str
    before: str
    """The release in service now; empty: none."""
    pieces: tuple[Piece, ...]
    places: tuple[tuple[str, str], ...]
    """(hex, path) of every piece, sent now or before."""
    small: tuple[str, ...]
    copies: tuple[tuple[str, str], ...]
    """(path below the root, path) of small files that the host has."""
    omitted: tuple[str, ...]
    """Lines of omitted.tsv."""
    sums: bytes
    """SHA256SUMS of what the folder will hold."""
    bytes: int
    """Of content that travels, before the small files are compressed."""
    left_out: int
    """Bytes of content that the host has, one way or the other."""


def plan(bundle: Bundle, facts: HostFacts) -> Plan:
    """Decide for each file of the bundle: left out, copied on the host, sent as a piece, or among the small ones.

    PreflightError when the host's disk has no room for what travels.
    """
    _require_base(bundle, facts)
    omitted = dict(_omitted(bundle, facts))
    wanted = {path: file for path, file in bundle.files.items() if path not in {layout.SUMS, layout.OMITTED, *omitted}}
    places = tuple((file.sha256, path) for path, file in wanted.items() if _is_piece(file, facts))
    little = {path: file for path, file in wanted.items() if not _is_piece(file, facts)}
    copies = tuple((facts.files[file.sha256], path) for path, file in little.items() if file.sha256 in facts.files)
    small = tuple(path for path, file in little.items() if file.sha256 not in facts.files)
    pieces = tuple(_pieces({wanted[path].sha256: wanted[path].size for _, path in places}, facts))
    travels = sum(piece.bytes for piece in pieces) + sum(wanted[path].size for path in small)
    _require_room(facts, travels)
    lines = (*_delta_lines(bundle, facts), *omitted.values())
    return Plan(
        release=bundle.id,
        before=facts.release,
        pieces=pieces,
        places=places,
        small=small,
        copies=copies,
        omitted=lines,
        sums=_sums({path: file.sha256 for path, file in wanted.items()}, table(lines)),
        bytes=travels,
        left_out=sum(file.size for file in bundle.files.values()) - travels,
    )


def table(lines: Sequence[str]) -> bytes:
    """omitted.tsv; empty: nothing is left out, and there is no such file. Pure."""
    return "".join(f"{line}\n" for line in lines).encode()


def describe(plan: Plan) -> tuple[str, ...]:
    """The plan for people, a line each."""
    layers = sum(1 for line in plan.omitted if line.startswith(layout.OMITTED_BLOB))
    files = len(plan.omitted) - layers + len(plan.copies)
    begun = sum(piece.offset for piece in plan.pieces)
    sent = len(plan.places) - len(plan.pieces)
    lines = [
        f"release {plan.release}; in service now: {plan.before or 'none'}",
        f"travels: {human_bytes(plan.bytes)} in {len(plan.pieces)} big pieces and {len(plan.small)} small files",
        f"the host has: {human_bytes(plan.left_out)} in {layers} layers, {files} files, {sent} pieces sent before",
    ]
    if begun:
        lines.append(f"goes on where an earlier transfer broke off: {human_bytes(begun)} are there")
    return tuple(lines)


def _omitted(bundle: Bundle, facts: HostFacts) -> Iterator[tuple[str, str]]:
    """Path and line of omitted.tsv for what the host has and need not hold twice."""
    where = f"{facts.store} store"
    for digest in _present_layers(bundle, facts):
        if layout.blob(digest) in bundle.files:
            yield layout.blob(digest), "\t".join((layout.OMITTED_BLOB, digest, where))
    for path, file in bundle.files.items():
        if path.startswith(f"{layout.ENGINE}/") and facts.store:
            yield path, "\t".join((layout.OMITTED_FILE, path, layout.EMPTY_FIELD, file.sha256))
        elif file.sha256 in facts.files and bundle.is_payload(path):
            yield path, "\t".join((layout.OMITTED_FILE, path, facts.files[file.sha256], file.sha256))


def _delta_lines(bundle: Bundle, facts: HostFacts) -> Iterator[str]:
    """A delta's own lines; of a file that the release in service has, this host's place first."""
    seen: set[str] = set()
    for line in bundle.omitted:
        kind, what, *fields = line.split("\t")
        if kind == layout.OMITTED_FILE and what not in seen and fields[1] in facts.files and bundle.is_payload(what):
            yield "\t".join((kind, what, facts.files[fields[1]], *fields[1:]))
        seen.add(what)
        yield line


def _require_base(bundle: Bundle, facts: HostFacts) -> None:
    """Refuse a delta before anything travels where the host lacks layers that it leaves out."""
    rows = [line.split("\t") for line in bundle.omitted]
    present = set(_present_layers(bundle, facts))
    lacking = [row[1] for row in rows if row[0] == layout.OMITTED_BLOB and row[1] not in present]
    if lacking:
        since = " or ".join(delta.since_of(bundle.omitted))
        raise PreflightError(
            f"{facts.name}: this bundle holds only what changed since release {since}, and {len(lacking)} layers of "
            f"that are not there (the first: {lacking[0]})",
            hint=f"deploy that release first, or the full bundle: invoke package --id {bundle.id}",
        )


def _present_layers(bundle: Bundle, facts: HostFacts) -> Iterator[str]:
    """Layers that a `docker load` there does without.

    A classic store finds a layer by the whole chain below it (image-spec, "Layer ChainID"); one that any image of the
    bundle has on top of other layers has to travel. A containerd store finds a blob by its digest.
    """
    chains = {chain[:count] for chain in facts.chains for count in range(1, len(chain) + 1)}
    lacking: set[str] = set()
    found: dict[str, None] = {}
    for layers in bundle.images.values():
        below: tuple[str, ...] = ()
        for layer in layers:
            below = (*below, layer.diff_id)
            found[layer.digest] = None
            if below not in chains and layer.digest not in facts.blobs:
                lacking.add(layer.digest)
    return (digest for digest in found if digest not in lacking)


def _is_piece(file: File, facts: HostFacts) -> bool:
    return file.size >= BIG or file.sha256 in facts.parts


def _pieces(sizes: Mapping[str, int], facts: HostFacts) -> Iterator[Piece]:
    """What is still to be sent of the pieces; of one that is begun, what is there need not go again."""
    for hexadecimal, size in sizes.items():
        there = facts.parts.get(hexadecimal, 0)
        if there != size:
            yield Piece(hex=hexadecimal, offset=there if there < size else 0, size=size)


def _sums(digests: Mapping[str, str], omitted: bytes) -> bytes:
    listed = {**digests, **({layout.OMITTED: hashlib.sha256(omitted).hexdigest()} if omitted else {})}
    return "".join(f"{listed[path]}  {path}\n" for path in sorted(listed, key=str.encode)).encode()


def _require_room(facts: HostFacts, travels: int) -> None:
    if facts.free < travels:
        raise PreflightError(
            f"{facts.name}: {human_bytes(travels)} would travel, and {human_bytes(facts.free)} are free where the root "
            f"is: {human_bytes(travels - facts.free)} are missing",
            hint="free space there, or choose another place with --root",
        )
