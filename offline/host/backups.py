"""A backup of a host as it lies in a folder: its manifest read, its files verified. The format is in docs/backup.md."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from offline.errors import VerifyError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

MANIFEST = "manifest.tsv"
MANIFEST_JSON = "manifest.json"
_FORMAT = "1"
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_SEAL = b"sealed\t"
_FILE, _BYTES, _SHA256 = 3, 4, 5  # fields of a `member`
_CHUNK = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Member:
    """A file of a backup; `size` in bytes."""

    file: str
    size: int
    sha256: str


def is_name(name: str) -> bool:
    """Whether a backup can be called so. Pure."""
    return bool(_PLAIN.fullmatch(name))


def members(manifest: bytes) -> tuple[Member, ...]:
    """The files that a manifest.tsv names. Pure. VerifyError where its seal is broken or its format is unknown."""
    body, found, seal = manifest.rpartition(_SEAL)
    if not found or seal.strip().decode(errors="replace") != hashlib.sha256(body).hexdigest():
        raise VerifyError(f"{MANIFEST} is not what was sealed")
    records = [line.split("\t") for line in body.decode(errors="replace").splitlines()]
    if ["format", _FORMAT] not in records:
        raise VerifyError(
            f"{MANIFEST} is of a format that this kit does not know", hint="use the kit that made it, or a newer one"
        )
    return tuple(_member(record) for record in records if record[0] == "member")


def _member(record: Sequence[str]) -> Member:
    try:
        made = Member(file=record[_FILE], size=int(record[_BYTES]), sha256=record[_SHA256])
    except (IndexError, ValueError):
        raise VerifyError(f"{MANIFEST} holds a line that is not understood: {' '.join(record)}") from None
    if not is_name(made.file):
        raise VerifyError(f"{MANIFEST} names a file outside its folder: {made.file}")
    return made


def flaws(folder: Path, wanted: Sequence[Member]) -> list[str]:
    """Names of files that are not there as the manifest says."""
    return [member.file for member in wanted if not _is_whole(folder / member.file, member)]


def _is_whole(path: Path, member: Member) -> bool:
    if not path.is_file() or path.stat().st_size != member.size:
        return False
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while data := file.read(_CHUNK):
            digest.update(data)
    return digest.hexdigest() == member.sha256
