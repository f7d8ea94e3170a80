"""`--since`: the earlier releases that a delta builds on, by id or bundle, and what it takes over of their bytes."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from offline.bundle import delta, layers, layout, released
from offline.errors import UsageError
from offline.paths import write_text
from offline.release.records import bundle_path, release_json
from offline.store import adopt, index

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from offline.bundle.delta import Base
    from offline.bundle.payload import File
    from offline.release.run import Run

_ID = re.compile(r"[0-9]{8}-[0-9]{6}")
_SUFFIXES = (layout.ARCHIVE_SUFFIX, f"{layout.ARCHIVE_SUFFIX}{layout.PARTS_SUFFIX}")


@dataclass(frozen=True, kw_only=True)
class Earlier:
    """An earlier release, and its bundle where one was given."""

    base: Base
    bundle: Path | None = None


def remember(run: Run, identity: str, release: bytes, files: Iterable[File]) -> None:
    """Keep what a later delta asks of this release: its release.json, and which files may stay out there."""
    record = {"release": json.loads(release), "files": {file.name: file.sha256 for file in files}}
    write_text(_record(run, identity), json.dumps(record, ensure_ascii=False, indent=1) + "\n")


def find(run: Run, since: Sequence[str]) -> tuple[Earlier, ...]:
    """The releases that `--since` names, each once.

    Raises UsageError for one that is not known, VerifyError for a bundle that is damaged.
    """
    found = [_find(run, given) for given in since]
    for earlier in found:
        if not earlier.base.files:
            run.console.warn(
                f"--since {earlier.base.id}: its release.json alone does not tell its files, so only layers stay out; "
                "name its bundle to leave out files, too"
            )
    return tuple({earlier.base.id: earlier for earlier in found}.values())


def take_over(run: Run, found: Sequence[Earlier]) -> None:
    """Bring the layers' bytes of bundles made elsewhere into the store, in place of those that were made here.

    A containerd store knows a layer by its bytes: only those that were shipped first may stay out of a delta.
    """
    for earlier in found:
        known = index.load(run.store).layers
        own = {diff_id: layer.layer.digest for diff_id, layer in known.items()}
        wanted = {
            digest: diff_id for digest, diff_id in earlier.base.digests.items() if own.get(diff_id, digest) != digest
        }
        if wanted and earlier.bundle:
            taken = adopt.adopt(run.store, wanted, layers.of_bundle(earlier.bundle, wanted, run.console))
            run.console.say(f"{taken} layers taken over as {earlier.base.id} has them: the same content in other bytes")


def _find(run: Run, given: str) -> Earlier:
    if _ID.fullmatch(given):
        return _by_id(run, given)
    path = Path(given)
    value = release_json(path)
    if value:
        return Earlier(base=_parsed(path, released.read_file(path, value)))
    bundle = bundle_path(given)
    if not bundle.exists() and path.suffix == ".json":
        return _by_id(run, str(json.loads(path.read_bytes())["id"]))
    return Earlier(base=_parsed(bundle, released.read(bundle, run.console)), bundle=bundle)


def _by_id(run: Run, identity: str) -> Earlier:
    """A release that this checkout has made, or whose bundle lies in its output folder."""
    path = _record(run, identity)
    if path.is_file():
        try:
            record = json.loads(path.read_bytes())
            return Earlier(base=delta.parse(record["release"], record["files"]))
        except (ValueError, KeyError, TypeError) as error:
            raise UsageError(f"{path}: damaged ({error})", hint="name the bundle of that release instead") from None
    for bundle in _bundles(run.config.output):
        if bundle.name.removesuffix(layout.PARTS_SUFFIX).endswith(f"-{identity}{layout.ARCHIVE_SUFFIX}"):
            return Earlier(base=_parsed(bundle, released.read(bundle, run.console)), bundle=bundle)
    known = sorted(path.stem for path in path.parent.glob("*.json"))
    raise UsageError(
        f"--since {identity}: this checkout knows no release of that id",
        hint=f"name its bundle, or one of: {', '.join(known) or 'none was made here yet'}",
    )


def _bundles(output: Path) -> Iterator[Path]:
    return (path for path in sorted(output.glob("*")) if path.name.endswith(_SUFFIXES))


def _record(run: Run, identity: str) -> Path:
    return run.config.work / "releases" / f"{identity}.json"


def _parsed(path: Path, said: released.Said) -> Base:
    try:
        return delta.parse(said.release, said.files)
    except ValueError as error:
        raise released.bad(path, str(error)) from None
