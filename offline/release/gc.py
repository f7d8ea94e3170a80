"""`store-gc`: which images of the layer store are still needed, and how much went."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from offline.console import human_bytes
from offline.errors import UsageError
from offline.store import gc, index

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from offline.release.run import Run

# The id of the release whose result a file holds; a delta's name goes on after it.
_RESULT = re.compile(r".*?-([0-9]{8}-[0-9]{6})(?:-since(?:-[0-9]{8}-[0-9]{6})+)?\.json")


def collect(run: Run, keep: int | None) -> gc.Collected:
    """Keep the images of the newest `keep` releases, of the last export and of all known bases; remove the rest."""
    config = run.config
    count = keep if keep is not None else config.release.keep
    needed = {*_released(config.output, count), *_last_export(config.work), *_bases(run)}
    collected = gc.collect(run.store, needed)
    run.console.say(
        f"{len(collected.images)} images and {collected.blobs} blobs removed, {human_bytes(collected.freed)} freed; "
        f"kept: the newest {count} releases, the last export, the bases"
    )
    return collected


def _released(output: Path, count: int) -> Iterator[str]:
    """Config digests of the newest releases that this checkout made, by their result files."""
    named = ((_RESULT.fullmatch(path.name), path) for path in output.glob("*.json"))
    found = {match[1]: path for match, path in named if match}
    for identity in sorted(found, reverse=True)[:count]:
        yield from _images(found[identity])


def _images(result: Path) -> list[str]:
    try:
        return [image["id"] for image in json.loads(result.read_bytes())["images"]]
    except (ValueError, KeyError, TypeError):
        raise UsageError(
            f"{result}: not a result of this kit; nothing was removed", hint="move it away, then: invoke store-gc"
        ) from None


def _last_export(work: Path) -> Iterator[str]:
    try:
        record = json.loads((work / "export.json").read_bytes())
    except FileNotFoundError:
        return
    for image in record["images"]:
        yield image["config"]
    yield from record.get("below", ())


def _bases(run: Run) -> Iterator[str]:
    known = index.load(run.store)
    try:
        records = json.loads((run.config.work / "bases.json").read_bytes())
    except FileNotFoundError:
        return
    for record in records:
        stored = known.image(record["id"], run.config.release.platform)
        if stored:
            yield stored.config
