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
    from collections.abc import Iterable, Sequence

    from offline.bundle.delta import Base
    from offline.bundle.payload import File
    from offline.release.run import Run

_ID = re.compile(r"[0-9]{8}-[0-9]{6}")
_BUNDLE = re.compile(rf".*?-({_ID.pattern})(?:-since(?:-{_ID.pattern})+)?(?:\.tar\.gz|\.parts\.json)")


@dataclass(frozen=True, kw_only=True)
class Earlier:
    """An earlier release, and its bundle where one was given."""

    base: Base
    bundle: Path | None = None


def remember(run: Run, identity: str, release: bytes, files: Iterable[File], sha256: str) -> None:
    """Keep what a later delta asks of this release: its release.json, which files may stay out, its bundle's digest."""
    listed = {file.name: file.sha256 for file in files}
    record = {"sha256": sha256, "release": json.loads(release), "files": listed}
    write_text(_record(run, identity), json.dumps(record, ensure_ascii=False, indent=1) + "\n")


def warn_of_another(run: Run, identity: str, files: Iterable[File], configs: Iterable[str]) -> None:
    """Say so when this checkout has made another release of that id: hosts take one for the other."""
    path = _record(run, identity)
    if not path.is_file():
        return
    before = json.loads(path.read_bytes())
    same_images = [image["config"] for image in before["release"]["images"]] == list(configs)
    if not same_images or before["files"] != {file.name: file.sha256 for file in files}:
        run.console.warn(
            f"release {identity} was made before with other content: a host that has that one must not get this one; "
            "take another id unless no host has it"
        )


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
    identity = _of_own_result(run, path)
    if identity:
        return _by_id(run, identity)
    return Earlier(base=_parsed(bundle, released.read(bundle, run.console)), bundle=bundle)


def _of_own_result(run: Run, path: Path) -> str | None:
    """The id in a result file of this checkout: what it has noted saves reading a bundle of gigabytes."""
    if path.suffix != ".json" or path.name.endswith(layout.PARTS_SUFFIX):
        return None
    result = json.loads(path.read_bytes())
    try:
        noted = json.loads(_record(run, result["id"]).read_bytes())
        return str(result["id"]) if noted["sha256"] == result["sha256"] else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _by_id(run: Run, identity: str) -> Earlier:
    """A release that this checkout has made, or whose bundle lies in its output folder."""
    path = _record(run, identity)
    if path.is_file():
        try:
            record = json.loads(path.read_bytes())
            return Earlier(base=delta.parse(record["release"], record["files"]))
        except (ValueError, KeyError, TypeError) as error:
            raise UsageError(f"{path}: damaged ({error})", hint="name the bundle of that release instead") from None
    for bundle in sorted(run.config.output.glob("*")):
        named = _BUNDLE.fullmatch(bundle.name)
        if named and named[1] == identity:
            return Earlier(base=_parsed(bundle, released.read(bundle, run.console)), bundle=bundle)
    known = sorted(path.stem for path in path.parent.glob("*.json"))
    raise UsageError(
        f"--since {identity}: this checkout knows no release of that id",
        hint=f"name its bundle, or one of: {', '.join(known) or 'none was made here yet'}",
    )


def _record(run: Run, identity: str) -> Path:
    return run.config.work / "releases" / f"{identity}.json"


def _parsed(path: Path, said: released.Said) -> Base:
    try:
        return delta.parse(said.release, said.files)
    except ValueError as error:
        raise released.bad(path, str(error)) from None
