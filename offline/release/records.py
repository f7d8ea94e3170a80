"""What a stage leaves on disk for the next one, and the bundle that a command line means."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from offline.bundle import layout
from offline.errors import UsageError

if TYPE_CHECKING:
    from offline.release.run import Run


def read_record(run: Run, name: str, command: str) -> dict[str, Any]:
    """What the stage before left; UsageError naming the command that makes it."""
    path = run.config.work / name
    try:
        record: dict[str, Any] = json.loads(path.read_bytes())
        stack, _ = record["stack"], record["images"]
    except FileNotFoundError:
        raise UsageError(f"{path}: there is nothing to go on from", hint=f"first: {command}") from None
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{path}: damaged ({error})", hint=f"again: {command}") from None
    if stack != run.config.release.stack:
        raise UsageError(
            f"{path} is of the stack {stack}, the configuration of {run.config.release.stack}",
            hint=f"first: {command}",
        )
    return record


def bundle_path(given: str) -> Path:
    """The bundle that a command line means: a bundle, its parts, or a result file. UsageError for none of them."""
    path = Path(given)
    if path.suffix == ".json" and path.is_file() and not path.name.endswith(layout.PARTS_SUFFIX):
        return Path(_latest(path))
    if not path.is_file():
        raise UsageError(f"{path}: there is no such bundle", hint="invoke release makes one; dist/latest.json names it")
    return path


def _latest(path: Path) -> str:
    """The bundle that a result file names; says so when PowerShell's `>` has made UTF-16 of it."""
    try:
        return str(json.loads(path.read_bytes().decode("utf-8"))["bundle"])
    except (UnicodeDecodeError, ValueError, KeyError, TypeError):
        raise UsageError(
            f"{path}: not a result of this kit in UTF-8 (PowerShell's > writes UTF-16)",
            hint="read dist/latest.json instead of redirecting the output",
        ) from None


def release_json(path: Path) -> Any:
    """What a release.json holds; nothing for any other file. A result file has no services."""
    if path.suffix != ".json" or not path.is_file():
        return None
    try:
        value = json.loads(path.read_bytes())
    except ValueError:
        return None
    return value if isinstance(value, dict) and "services" in value else None
