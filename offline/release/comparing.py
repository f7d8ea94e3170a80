"""`invoke diff`: two releases, each named by its bundle, its parts, its release.json or a result file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from offline.bundle import diff, released
from offline.release.records import bundle_path, release_json

if TYPE_CHECKING:
    from offline.bundle.diff import Difference, Release
    from offline.console import Console


def compare(old: str, new: str, console: Console) -> Difference:
    """Read both and compare. Raises UsageError for what is neither, VerifyError for what is damaged."""
    return diff.compare(_read(old, console), _read(new, console))


def _read(given: str, console: Console) -> Release:
    path = Path(given)
    value = release_json(path)
    return released.of_file(path, value) if value else released.of_bundle(bundle_path(given), console)
