"""A bundle in parts: what `<name>.parts.json` says, and which of the files beside it are not as it says. Pure.

`scripts/host/join.sh` judges the same files by `<name>.parts.sha256`, and must find the same
(docs/bundle-format.md, "Parts").
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from offline.bundle import layout
from offline.bundle.names import shown
from offline.bundle.report import Bad
from offline.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from offline.bundle.report import PartReason

FORMAT = 1
MOST = 999  # three digits, so that a glob and a person sort them alike

_SIZE = re.compile(r"([1-9]\d{0,14})([KMG]?)")
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
_SHA256 = re.compile(r"[0-9a-f]{64}")
_PART_NAME = re.compile(r"(.+\.tar\.gz)\.\d{3}")

_CURES: dict[PartReason, str] = {
    "part-changed": "its bytes are not those that were made: copy it again",
    "part-missing": "it is not here: copy it here",
    "part-renamed": "this file is that part under another name: name it rightly",
    "part-duplicate": "this file is that part once more: remove it",
    "part-surplus": "it is no part of this bundle: remove it",
}


@dataclass(frozen=True, kw_only=True)
class Part:
    """One part: its file's name, bytes and digest in hex."""

    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Parts:
    """All parts of an archive in order; bytes and digest are those of the whole."""

    archive: str
    bytes: int
    sha256: str
    parts: tuple[Part, ...]


class MalformedError(ValueError):
    """A parts file that cannot be read; says why."""


def size(text: str, *, flag: str = "--part-size", example: str = "--part-size 3900M, which fits FAT32") -> int:
    """Bytes of a size as `split -b` takes it: `3900M`, K, M and G in powers of 1024. UsageError for anything else."""
    match = _SIZE.fullmatch(text.upper())
    if match is None:
        raise UsageError(f"{flag} {text}: not a size", hint=f"such as {example}")
    return int(match.group(1)) * _UNITS[match.group(2)]


def check_count(part_size: int, total: int) -> None:
    """Refuse a size that would make too many parts of `total` bytes. Raises UsageError."""
    if total > part_size * MOST:
        raise UsageError(
            f"parts of {part_size} bytes would be more than {MOST} for {total} bytes",
            hint=f"--part-size {total // MOST // _UNITS['M'] + 1}M or more",
        )


def as_json(parts: Parts) -> bytes:
    """`<name>.parts.json`."""
    return (json.dumps({"format": FORMAT, **asdict(parts)}, indent=2) + "\n").encode()


def as_list(parts: Sequence[Part]) -> bytes:
    """`<name>.parts.sha256`, which `sha256sum -c` and join.sh read."""
    return "".join(f"{part.sha256}  {part.name}\n" for part in parts).encode()


def read(text: bytes, name: str) -> Parts:
    """Read a parts file that is called `name`. Raises MalformedError, for a newer format too."""
    try:
        value: dict[str, Any] = json.loads(text)
        number = value["format"]
        found = Parts(
            archive=value["archive"],
            bytes=value["bytes"],
            sha256=value["sha256"],
            parts=tuple(Part(name=part["name"], bytes=part["bytes"], sha256=part["sha256"]) for part in value["parts"]),
        )
    except (ValueError, KeyError, TypeError, RecursionError):
        raise MalformedError("it is not what `invoke package --part-size` writes") from None
    if number != FORMAT:
        raise MalformedError(f"its format is {number}, and this kit knows format {FORMAT}: use a newer kit")
    _check(found, name)
    return found


def _check(found: Parts, name: str) -> None:
    if found.archive != archive_of(name):
        raise MalformedError("it is the parts file of another bundle, or was renamed")
    names = [layout.part(found.archive, number) for number in range(1, len(found.parts) + 1)]
    if not names or [part.name for part in found.parts] != names:
        raise MalformedError("its parts are not numbered from 001 on")
    if not all(_SHA256.fullmatch(str(part.sha256)) for part in found.parts):
        raise MalformedError("a part has no digest")
    sizes = [part.bytes for part in found.parts]
    if not all(type(count) is int and count > 0 for count in sizes) or found.bytes != sum(sizes):
        raise MalformedError("the bytes of its parts are not those of the whole")


def archive_of(name: str) -> str:
    """The archive that a parts file, by its name, is of."""
    return f"{name.removesuffix(layout.PARTS_SUFFIX)}{layout.ARCHIVE_SUFFIX}"


def parts_file(name: str) -> str | None:
    """The name of the parts file that a parts file's or a part's name leads to; nothing for any other name."""
    if name.endswith(layout.PARTS_SUFFIX):
        return name
    match = _PART_NAME.fullmatch(name)
    return match.group(1).removesuffix(layout.ARCHIVE_SUFFIX) + layout.PARTS_SUFFIX if match else None


def is_candidate(name: str, archive: str) -> bool:
    """Whether a file counts as a part, good or bad: all whose name goes on after the archive's."""
    return name.startswith(archive) and name != archive


def judge(parts: Sequence[Part], found: Mapping[str, str]) -> tuple[Bad, ...]:
    """Hold the files against the parts; `found` has the digest of each candidate by name, "" where it is unreadable.

    A file that holds another part's bytes is `renamed` where that part lacks, else a `duplicate`. A part is `missing`
    when no file has its bytes and no damaged file its name.
    """
    good = {number for number, part in enumerate(parts, 1) if found.get(part.name) == part.sha256}
    numbers = {part.name: number for number, part in enumerate(parts, 1)}
    here, damaged = set(good), set[int]()
    bad: list[Bad] = []
    for name in sorted(found, key=os.fsencode):
        own = numbers.get(name)
        held = [number for number, part in enumerate(parts, 1) if part.sha256 == found[name]]
        lacking = [number for number in held if number not in here]
        if own in good:
            continue
        if held:
            bad.append(_bad("part-renamed" if lacking else "part-duplicate", name, (lacking or held)[0]))
            here.update(lacking[:1])
        elif own:
            bad.append(_bad("part-changed", name, own))
            damaged.add(own)
        else:
            bad.append(_bad("part-surplus", name, _claimed_number(name, parts[0].name)))
    missing = [(name, number) for name, number in numbers.items() if number not in here | damaged]
    return (*bad, *(_bad("part-missing", name, number) for name, number in missing))


def _bad(reason: PartReason, name: str, number: int | None) -> Bad:
    part = str(number or layout.EMPTY_FIELD)
    return Bad(reason=reason, path=shown(os.fsencode(name)), part=part, why=f"part {part}: {_CURES[reason]}")


def _claimed_number(name: str, first: str) -> int | None:
    """The number that a surplus file gives itself: `<archive>.<three digits>` only."""
    digits = name.removeprefix(first[:-3])
    return int(digits) or None if re.fullmatch(r"[0-9]{3}", digits) else None
