"""What a bundle says of itself, read out of it in one pass and with nothing extracted."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from isal import igzip

from offline.bundle import diff, layout, opened, sums
from offline.bundle.tarstream import DamagedError, entries
from offline.errors import VerifyError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from offline.bundle.diff import Release
    from offline.bundle.tarstream import Entry
    from offline.console import Console

_WANTED = frozenset((layout.SUMS, layout.RELEASE, layout.COMPOSE, layout.OMITTED))
_MOST = 16 << 20  # bytes of one of them


@dataclass(frozen=True, kw_only=True)
class Said:
    """A parsed release.json; sha256 in hex of each file of the release by path and the compose file, where known."""

    release: Any
    files: Mapping[str, str] | None = None
    compose: str | None = None

    def compared(self) -> Release:
        """As `diff` takes it. Raises ValueError where it is no release.json."""
        return diff.parse(self.release, files=self.files, compose=self.compose)


def of_bundle(path: Path, console: Console) -> Release:
    """Read a bundle, whole or in parts. Raises VerifyError where it is damaged, UsageError where there is none."""
    return _compared(path, read(path, console))


def of_file(path: Path, value: Any) -> Release:
    """Take a release.json that is at `path`, with the other files of its folder where it is an unpacked bundle."""
    return _compared(path, read_file(path, value))


def _compared(path: Path, said: Said) -> Release:
    try:
        return said.compared()
    except ValueError as error:
        raise bad(path, str(error)) from None


def read(path: Path, console: Console) -> Said:
    """What a bundle says of itself. Raises as `of_bundle`."""
    source = opened.find(path)
    if not source.is_complete:
        raise bad(path, "not all of its parts are here")
    try:
        with console.progress(path.name, source.bytes) as progress, source.reading(progress.add) as stream:
            return _said(_members(stream))
    except (DamagedError, sums.MalformedError, ValueError, OSError) as error:
        raise bad(path, str(error)) from None


def read_file(path: Path, value: Any) -> Said:
    """What a release.json at `path` says, and the files beside it. Raises VerifyError where they are not as listed."""
    beside = {name: path.with_name(name) for name in _WANTED}
    try:
        found = {name: file.read_bytes() for name, file in beside.items() if file.is_file()}
        if layout.SUMS in found and path.name == layout.RELEASE:
            return _said(found)
    except ValueError as error:
        raise bad(path, str(error)) from None
    return Said(release=value)


def _members(stream: IO[bytes]) -> dict[str, bytes]:
    """The wanted files by their path; reads no further than it must."""
    found: dict[str, bytes] = {}
    with igzip.open(stream, "rb") as tar:  # type: ignore[no-untyped-call]
        for entry, content in entries(tar):
            name = entry.name.partition(b"/")[2].decode(errors="replace")
            if name in _WANTED and entry.kind == "file":
                found[name] = _small(entry, content)
            if found.keys() >= _WANTED - ({layout.OMITTED} if _omits_nothing(found) else set()):
                break
    return found


def _omits_nothing(found: Mapping[str, bytes]) -> bool:
    return layout.SUMS in found and f"  {layout.OMITTED}\n".encode() not in found[layout.SUMS]


def _small(entry: Entry, content: Iterable[bytes]) -> bytes:
    if entry.size > _MOST:
        raise DamagedError(f"{entry.name.decode(errors='replace')} claims {entry.size} bytes")
    return b"".join(content)


def _said(found: Mapping[str, bytes]) -> Said:
    for name in (layout.SUMS, layout.RELEASE, layout.COMPOSE):
        if name not in found:
            raise ValueError(f"it has no {name}")
    listed = {name.decode(): digest for name, digest in sums.parse(found[layout.SUMS]).digests.items()}
    for name, data in found.items():
        if name != layout.SUMS and hashlib.sha256(data).hexdigest() != listed.get(name):
            raise ValueError(f"its {name} is not as listed")
    files = listed | dict(_left_out(found.get(layout.OMITTED, b"").decode()))
    return Said(release=json.loads(found[layout.RELEASE]), files=files, compose=found[layout.COMPOSE].decode())


def _left_out(text: str) -> Iterator[tuple[str, str]]:
    """The files of an omitted.tsv with their digests: they belong to the release all the same."""
    for line in text.splitlines():
        kind, *fields = line.split("\t")
        if kind == layout.OMITTED_FILE:
            path, _, sha256 = fields[:3]
            yield path, sha256


def bad(path: Path, why: str) -> VerifyError:
    """A bundle that cannot be read, or is not what it should be."""
    return VerifyError(f"{path}: {why}", hint=f"invoke verify {path} names all that is wrong with it")
