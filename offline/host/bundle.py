"""A bundle that is about to travel: verified whole, and what its tables say, read once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from offline.bundle import layout, verify
from offline.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from offline.bundle.contents import Contents, File
    from offline.console import Console

Record = tuple[str, ...]
_OWNER_RELEASE = "release"


@dataclass(frozen=True, kw_only=True)
class Layer:
    """A layer as facts.tsv has it; digests are `sha256:<64 hex>`."""

    diff_id: str
    digest: str


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """What the client knows of a bundle without unpacking it."""

    archive: Path
    top: str
    files: Mapping[str, File]
    """By path below the top folder, SHA256SUMS too."""
    records: Mapping[str, list[Record]]
    """Of facts.tsv, by kind and without it."""
    omitted: tuple[str, ...] = ()
    """The lines that its own omitted.tsv has."""

    @property
    def id(self) -> str:
        """The release."""
        return self.fact("id")

    @property
    def images(self) -> Mapping[str, tuple[Layer, ...]]:
        """The layers of each role's image, in order."""
        layers: dict[str, list[Layer]] = {role: [] for role, *_ in self.records["image"]}
        for role, _, diff_id, digest, *_ in self.records["layer"]:
            layers[role].append(Layer(diff_id=diff_id, digest=digest))
        return {role: tuple(found) for role, found in layers.items()}

    def fact(self, kind: str) -> str:
        """The value of a kind that occurs once."""
        return self.records[kind][0][0]

    def is_payload(self, path: str) -> bool:
        """Whether a file is mounted into a container and belongs to the release, not to the host."""
        return any(
            path == mount or path.startswith(f"{mount}/")
            for _, owner, mount, *_ in self.records.get("mount", [])
            if owner == _OWNER_RELEASE
        )

    def addresses(self, host: str, mode: str) -> tuple[str, ...]:
        """What a person opens once the release serves: each published port that a probe knows."""
        modes = {name: services.split(",") for name, services, *_ in self.records.get("mode", [])}
        found = (address for service in modes.get(mode, ()) for address in self._addresses_of(service, host, mode))
        return tuple(dict.fromkeys(found))

    def _addresses_of(self, service: str, host: str, mode: str) -> Iterator[str]:
        published = {port for name, port, *_ in self.records.get("port", []) if name == service}
        for name, kind, port, path, _, _, modes in self.records.get("probe", []):
            if name == service and port in published and mode in (modes.split(",") if modes else [mode]):
                scheme = {"http": "http", "websocket": "ws"}.get(kind, kind)
                yield f"{scheme}://{host}:{port}{path}"


def open_verified(archive: Path, console: Console) -> Bundle:
    """Verify a bundle's archive, and read what a deploy needs of it.

    Raises VerifyError, every bad line said, before anything reaches a host; UsageError where there is no such file, and
    for a bundle that cannot be deployed.
    """
    with console.step("verify the bundle"):
        report, found = verify.examine(archive, console)
        for bad in report.bad:
            console.say(bad.line())
        verify.require_whole(archive, report, console)
    return _read(archive, found)


def _read(archive: Path, found: Contents) -> Bundle:
    top = next(iter(found.files)).partition(b"/")[0]
    inside, _ = found.under(top)
    records = parse(inside.kept[layout.FACTS.encode()].decode())
    omitted = inside.kept.get(layout.OMITTED.encode(), b"").decode()
    bundle = Bundle(
        archive=archive,
        top=top.decode(),
        files={name.decode(): file for name, file in inside.files.items()},
        records=records,
        omitted=tuple(omitted.splitlines()),
    )
    if layout.DEPLOY_SCRIPT not in bundle.files:
        raise UsageError(
            f"{archive.name}: it has no {layout.DEPLOY_SCRIPT}, so no host can put it into service",
            hint="make the release again with this kit: invoke release",
        )
    return bundle


def parse(facts: str) -> dict[str, list[Record]]:
    """The records of a facts.tsv by kind, each without its kind; empty fields are empty again. Pure."""
    records: dict[str, list[Record]] = {}
    for line in facts.splitlines():
        kind, *fields = line.split("\t")
        records.setdefault(kind, []).append(tuple("" if field == layout.EMPTY_FIELD else field for field in fields))
    return records
