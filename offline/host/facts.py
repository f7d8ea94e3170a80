"""What a host has and lacks: read by one script there, changing nothing, and kept as one frozen value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from offline.errors import FailedError
from offline.host import layout

if TYPE_CHECKING:
    from offline.host.connection import Connection


@dataclass(frozen=True, kw_only=True)
class HostFacts:
    """A host as facts.sh found it. Sizes in bytes, digests as the engine has them."""

    name: str
    machine: str
    free: int
    """Where the root is, or will be."""
    address: str = ""
    """The address by which ssh reached it."""
    store: str = ""
    """`classic`, `containerd`, or empty where no engine answers."""
    release: str = ""
    """The release in service."""
    chains: frozenset[tuple[str, ...]] = frozenset()
    """Of a classic store: the diff_ids of each image, from the lowest layer on."""
    blobs: frozenset[str] = frozenset()
    """Of a containerd store: what its content has, by digest."""
    parts: Mapping[str, int] = field(default_factory=dict)
    """What earlier transfers left of pieces, by their hex."""
    files: Mapping[str, str] = field(default_factory=dict)
    """Path below the root by sha256, of the files of the release in service."""


def read(connection: Connection, root: str) -> HostFacts:
    """Ask the host. FailedError when its answer is cut."""
    return parse(connection.run(layout.FACTS_SCRIPT, root).out)


def parse(text: str) -> HostFacts:
    """Read what facts.sh printed; other lines are the host's own words and are passed over. Pure.

    Raises FailedError when the answer does not end as it should.
    """
    rows: dict[str, list[list[str]]] = {}
    for line in text.splitlines():
        mark, *fields = line.split("\t")
        if mark == "fact" and fields:
            rows.setdefault(fields[0], []).append(fields[1:])
    if "end" not in rows or "host" not in rows:
        raise FailedError("the host's facts could not be read", hint=f"it said: {text.strip()[-300:] or 'nothing'}")
    name, machine, free = rows["host"][0]
    return HostFacts(
        name=name,
        machine=machine,
        free=int(free),
        address=_first(rows, "address"),
        store=_first(rows, "store"),
        release=_first(rows, "release"),
        chains=frozenset(tuple(row[0].split()) for row in rows.get("chain", [])),
        blobs=frozenset(row[0] for row in rows.get("blob", [])),
        parts={row[0]: int(row[1]) for row in rows.get("part", [])},
        files={row[0]: row[1] for row in rows.get("file", [])},
    )


def _first(rows: Mapping[str, list[list[str]]], kind: str) -> str:
    return rows[kind][0][0] if kind in rows else ""
