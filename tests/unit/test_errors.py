from __future__ import annotations

from pathlib import Path

from offline import errors
from offline.errors import OfflineError


def is_failure(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, OfflineError) and kind is not OfflineError


def test_every_class_has_an_exit_code_of_its_own() -> None:
    codes = {kind.__name__: kind.exit_code for kind in vars(errors).values() if is_failure(kind)}
    assert codes == {
        "UsageError": 2,
        "VerifyError": 3,
        "LockedError": 4,
        "PreflightError": 5,
        "FailedError": 6,
        "RolledBackError": 7,
        "NeedsHandError": 8,
        "AuditError": 9,
    }
    assert errors.INTERRUPTED == 130


def test_an_error_says_what_what_next_and_what_was_kept() -> None:
    assert str(OfflineError("what")) == "what"
    shown = str(OfflineError("what", hint="do this", evidence=Path("/log")))
    assert shown == "what\n  next: do this\n  kept: /log"
