"""Every expected failure, with the exit code a script can rely on.

OfflineError
├── UsageError        2   a command line, configuration key or value that cannot be used
├── VerifyError       3   a bundle, store or backup whose bytes are not what they should be
├── LockedError       4   another run is at work
├── PreflightError    5   the machine lacks something that the work needs
├── FailedError       6   it failed, and nothing was changed
├── RolledBackError   7   it failed, and the former release is back in service
├── NeedsHandError    8   it failed, and a person must look
└── AuditError        9   the audit found errors

1 is left to the unexpected, 130 to an interruption (docs/architecture.md, "Exit codes").
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from pathlib import Path

INTERRUPTED = 130


class OfflineError(Exception):
    """What failed and why, what to do next, and the evidence that was kept."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str = "", evidence: Path | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.evidence = evidence

    def __str__(self) -> str:
        lines = [self.message]
        if self.hint:
            lines.append(f"  next: {self.hint}")
        if self.evidence is not None:
            lines.append(f"  kept: {self.evidence}")
        return "\n".join(lines)


class UsageError(OfflineError):
    """A command line, configuration key or value that cannot be used."""

    exit_code = 2


class VerifyError(OfflineError):
    """Bytes are not what they should be."""

    exit_code = 3


class LockedError(OfflineError):
    """Another run is at work."""

    exit_code = 4


class PreflightError(OfflineError):
    """The machine lacks something that the work needs."""

    exit_code = 5


class FailedError(OfflineError):
    """It failed, and nothing was changed."""

    exit_code = 6


class RolledBackError(OfflineError):
    """It failed, and the former release is back in service."""

    exit_code = 7


class NeedsHandError(OfflineError):
    """It failed, and a person must look."""

    exit_code = 8


class AuditError(OfflineError):
    """The audit found errors."""

    exit_code = 9
