"""The payload: which files of the source ship, under which names, and what that makes of the mounts.

Reading the source is here and nowhere else; what comes out is frozen. A file is hashed when it is collected and again
when it is written: one that changes in between stops the release.
"""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from offline.bundle import layout, names
from offline.errors import UsageError
from offline.images import context
from offline.images.globs import matches

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from offline.config.schema import Payload

_READ = 1 << 20
_SCRIPT_LIMIT = 4 << 20
_SCRIPTS = (".sh", ".bash")
_HASH_LENGTH = 12
_LEFT_OUT = ("**/__pycache__", "**/*.pyc", "**/.git", "**/.DS_Store")


@dataclass(frozen=True, kw_only=True)
class File:
    """One file that goes into the bundle."""

    name: str
    """Its path in the bundle."""
    size: int
    sha256: str
    executable: bool
    path: Path | None = None
    """Where to read it from; None when `data` holds it."""
    data: bytes | None = None


@dataclass(frozen=True, kw_only=True)
class Item:
    """One payload item of release.yml with what was found for it."""

    spec: Payload
    files: tuple[File, ...]
    missing: tuple[str, ...]
    """Globs that matched nothing."""

    @property
    def mounted(self) -> bool:
        """Whether its mount stands in the compose file: the engine would make a folder of an absent file."""
        return bool(self.files) or self.spec.owner == "host"


def collect(source: Path, specs: Sequence[Payload], services: Sequence[str]) -> tuple[Item, ...]:
    """Find the files of each item whose service is in the bundle.

    Raises UsageError, naming every problem at once, for a required item without files, a link that leaves the source,
    a name that no bundle can hold, and two files under one name.
    """
    problems: list[str] = []
    items = [_item(source, spec, problems) for spec in specs if spec.service in services]
    problems += _clashes(items)
    if problems:
        raise UsageError("payload:\n" + "\n".join(f"  {problem}" for problem in problems), hint="nothing was written")
    return tuple(items)


def origins(source: Path, specs: Sequence[Payload]) -> dict[str, str]:
    """Where each file of these items lies in the source, by its name in the bundle. Reads folders, no file."""
    return {
        spec.bundle if spec.single else f"{spec.bundle}/{inside}": relative
        for spec in specs
        for pattern in spec.files
        for relative, inside in _matching(source, pattern)
    }


def _clashes(items: Sequence[Item]) -> Iterator[str]:
    """Names that two payload items, or an item and the kit itself, would give to different things."""
    for item in items:
        if item.spec.bundle.partition("/")[0] in layout.OWN_NAMES:
            yield f"{item.spec.bundle}: this name in the bundle is the kit's own; choose another"
    seen: dict[str, File] = {}
    for file in (file for item in items for file in item.files):
        if seen.setdefault(file.name, file).sha256 != file.sha256:
            yield f"{file.name}: two payload items ship a file of this name"
    for name in seen:
        for above in (folder.decode() for folder in names.parents(name.encode())):
            if above in seen:
                yield f"{above}: a file of one payload item, and a folder of another ({name})"


def folder(service: str, items: Sequence[Item]) -> str:
    """The host folder of a service's shipped files, named by their content: `payload/<service>-<12 hex>`. Pure."""
    digest = hashlib.sha256()
    for file in sorted(_shipped(service, items), key=lambda file: file.name):
        digest.update(f"{file.sha256} {int(file.executable)} {file.name}\n".encode())
    return f"payload/{service}-{digest.hexdigest()[:_HASH_LENGTH]}"


def _shipped(service: str, items: Sequence[Item]) -> Iterator[File]:
    for item in items:
        if item.spec.service == service and item.spec.owner == "release":
            yield from item.files


def _item(source: Path, spec: Payload, problems: list[str]) -> Item:
    files: dict[str, File] = {}
    origins: dict[str, str] = {}
    missing: list[str] = []
    for pattern in spec.files:
        found = list(_matching(source, pattern))
        if not found:
            missing.append(pattern)
            if not spec.optional:
                problems.append(f"{pattern}: nothing of that name in {source}, and the item is required")
        for relative, inside in found:
            name = spec.bundle if spec.single else f"{spec.bundle}/{inside}"
            if origins.setdefault(name, relative) != relative:
                problems.append(f"{name}: both {origins[name]} and {relative} would be this file")
            elif name not in files and (file := _file(source, relative, name, problems)):
                files[name] = file
    return Item(spec=spec, files=tuple(files.values()), missing=tuple(missing))


def _matching(source: Path, pattern: str) -> Iterator[tuple[str, str]]:
    """Paths in the source that a glob names, each with its path below the glob's fixed folder.

    A folder without wildcards stands for all it holds, below itself.
    """
    fixed, wildcard, _ = (
        re.split(r"([*?\[])", pattern.rstrip("/"), maxsplit=1) if _is_glob(pattern) else (pattern, "", "")
    )
    if not wildcard:
        folder, name = fixed.rstrip("/"), fixed.rstrip("/").rpartition("/")[2]
        if not (source / folder).is_dir() or (source / folder).is_symlink():
            if os.path.lexists(source / folder):
                yield folder, name
            return
        yield from ((f"{folder}/{below}", below) for below in context.walk(source / folder, _LEFT_OUT))
        return
    folder = fixed.rpartition("/")[0]
    for below in context.walk(source / folder, _LEFT_OUT):
        relative = f"{folder}/{below}" if folder else below
        if matches(relative, pattern):
            yield relative, below


def _is_glob(pattern: str) -> bool:
    return any(character in pattern for character in "*?[")


def _file(source: Path, relative: str, name: str, problems: list[str]) -> File | None:
    path = source / relative
    if not names.is_safe(os.fsencode(name)):
        problems.append(
            f"{names.shown(os.fsencode(relative))}: a name with control characters or backslashes; rename it"
        )
        return None
    if not path.resolve().is_relative_to(source.resolve()):
        problems.append(f"{relative}: it lies outside the source ({path.resolve()})")
        return None
    if not path.is_file():
        problems.append(f"{relative}: neither a file nor a link to one")
        return None
    return read(path, name)


def read(path: Path, name: str) -> File:
    """Hash one file; a script comes with LF line ends, in memory."""
    size = path.stat().st_size
    with path.open("rb") as file:
        script = file.read(2) == b"#!" or name.endswith(_SCRIPTS)
    if script and size <= _SCRIPT_LIMIT:
        return of_bytes(name, path.read_bytes().replace(b"\r\n", b"\n"), executable=True)
    if name.endswith(context.RUN_BY_LINUX) and size <= _SCRIPT_LIMIT:
        return of_bytes(name, path.read_bytes().replace(b"\r\n", b"\n"))
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_READ):
            digest.update(piece)
    return File(name=name, size=size, sha256=digest.hexdigest(), executable=False, path=path)


def of_bytes(name: str, data: bytes, *, executable: bool = False) -> File:
    """A file of the bundle from bytes in memory. Pure."""
    return File(name=name, size=len(data), sha256=hashlib.sha256(data).hexdigest(), executable=executable, data=data)
