"""`invoke diff`: two releases, each named by its bundle, its parts, its release.json or a result file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from offline.bundle import diff, released
from offline.release.records import bundle_path

if TYPE_CHECKING:
    from offline.bundle.diff import Difference, Release
    from offline.console import Console


def compare(old: str, new: str, console: Console) -> Difference:
    """Read both and compare. Raises UsageError for what is neither, VerifyError for what is damaged."""
    return diff.compare(_read(old, console), _read(new, console))


def _read(given: str, console: Console) -> Release:
    path = Path(given)
    value = _release_json(path)
    return released.of_file(path, value) if value else released.of_bundle(bundle_path(given), console)


def _release_json(path: Path) -> Any:
    """What a release.json holds; nothing for any other file. A result file has no services."""
    if path.suffix != ".json" or not path.is_file():
        return None
    try:
        value = json.loads(path.read_bytes())
    except ValueError:
        return None
    return value if isinstance(value, dict) and "services" in value else None
