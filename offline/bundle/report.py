"""What a verification found, in the lines that both verifiers print."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from offline.bundle.names import shown

if TYPE_CHECKING:
    from collections.abc import Iterable

Reason = Literal["changed", "missing", "extra", "unsafe", "notfile", "duplicate", "blob", "incomplete", "malformed"]
PartReason = Literal["part-changed", "part-missing", "part-renamed", "part-duplicate", "part-surplus"]


@dataclass(frozen=True, kw_only=True)
class Bad:
    """One thing that is wrong: the reason's word, and the path as shown; `why` adds what the word cannot say.

    Of a bundle in parts, `part` is the number of the one that is meant, `-` where none is known.
    """

    reason: Reason | PartReason
    path: str
    why: str = ""
    part: str = ""

    def line(self) -> str:
        """The line that both verifiers print."""
        return "\t".join(("bad", self.reason, self.path, *filter(None, [self.part])))


def named(reason: Reason, paths: Iterable[bytes]) -> list[Bad]:
    """Give one reason to many paths."""
    return [Bad(reason=reason, path=shown(path)) for path in paths]


@dataclass(frozen=True, kw_only=True)
class Report:
    """All that is bad; listed files and their bytes, the digest of SHA256SUMS in hex, how many blobs are left out.

    `since`: the releases that a delta counts on, one of which a host must have.
    """

    bad: tuple[Bad, ...]
    files: int = 0
    bytes: int = 0
    sums: str = ""
    omitted: int = 0
    since: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """What goes to stdout: one `ok` line, or one line for each bad thing, sorted by bytes."""
        if not self.bad:
            return [f"ok\t{self.files}\t{self.bytes}\t{self.sums}"]
        return sorted({bad.line() for bad in self.bad}, key=str.encode)
