"""Bases: taken from the engine or the layer store where known, else from the origins in the order configured."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from offline.engine import commands
from offline.errors import FailedError, OfflineError, PreflightError, UsageError
from offline.images import bootstrap, build
from offline.paths import write_text
from offline.run import CommandError, follow, run, writing_to
from offline.store import archive, index
from offline.store.blobs import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from offline.config.load import Config
    from offline.config.schema import Origin
    from offline.console import Console
    from offline.engine.client import Engine, ImageFacts
    from offline.images.plan import BasePlan, Plan

_FIRST_WAIT = 2.0


@dataclass(frozen=True, kw_only=True)
class ResolvedBase:
    """A base that the engine has under its local tag."""

    reference: str
    tag: str
    origin: str
    """Where it came from first: registry, archive, bootstrap or build."""
    digest: str
    """`name@sha256:…` of the registry it was pulled from, or nothing."""
    id: str


def prepare(plan: Plan, *, config: Config, engine: Engine, console: Console) -> dict[str, ResolvedBase]:
    """Make sure the engine has every base of the plan; by reference.

    Raises FailedError that lists what each origin answered when none gives a base.
    """
    known = _read(config.work)
    resolved: dict[str, ResolvedBase] = {}
    for base in plan.bases:
        tags = {reference: found.tag for reference, found in resolved.items()}
        resolved[base.reference] = _resolve(base, tags, known, config=config, engine=engine, console=console)
        known[resolved[base.reference].tag] = resolved[base.reference]
        _write(config.work, known)
    return resolved


def _resolve(
    base: BasePlan,
    tags: Mapping[str, str],
    known: Mapping[str, ResolvedBase],
    *,
    config: Config,
    engine: Engine,
    console: Console,
) -> ResolvedBase:
    if base.build is None:
        return _obtain(base, base.tag, known, config=config, engine=engine, console=console, make=None)
    with build.staged(base.build, tags, config, only_copied=True) as ready:
        tag = f"{base.tag.rpartition(':')[0]}:{ready.digest[:12]}"

        def make() -> None:
            name = base.tag.rpartition(":")[0].rpartition("/")[2]
            build.build(
                plan, ready, name=name, tag=tag, client=engine.client, config=config, console=console, retry=_RETRY
            )

        plan = base.build
        return _obtain(base, tag, known, config=config, engine=engine, console=console, make=make)


def _obtain(
    base: BasePlan,
    tag: str,
    known: Mapping[str, ResolvedBase],
    *,
    config: Config,
    engine: Engine,
    console: Console,
    make: Callable[[], None] | None,
) -> ResolvedBase:
    before = known.get(tag)
    if engine.image(tag) is None and before:
        _from_store(before, config, engine, console)
    present = engine.image(tag)
    if present:
        found = before or _found(base.reference, tag, present)
        console.say(f"    {base.reference}: {found.origin}, already here as {tag}")
        return found
    refusals: list[str] = []
    for origin in base.spec.origins:
        try:
            digest = _from_origin(origin, base, tag, config=config, engine=engine, console=console, make=make)
        except (PreflightError, CommandError, UsageError) as error:
            refusals.append(f"{origin}: {error.message}")
            console.say(f"    {base.reference}: not from {origin}: {error.message.splitlines()[0]}")
            continue
        made = engine.image(tag)
        if made is None:
            refusals.append(f"{origin}: gave no image {tag}")
            continue
        return ResolvedBase(reference=base.reference, tag=tag, origin=origin, digest=digest, id=made.id)
    listed = "\n".join(f"  {line}" for line in refusals)
    raise FailedError(
        f"base {base.reference}: no origin gave it:\n{listed}",
        hint=f'name another origin under bases."{base.reference}" in {config.file}, then: {_RETRY}',
    )


def _found(reference: str, tag: str, present: ImageFacts) -> ResolvedBase:
    """A base that the engine has from another checkout; a registry's digest says that it was pulled."""
    digest = present.digests[0] if present.digests else ""
    origin = "registry" if digest else "engine"
    return ResolvedBase(reference=reference, tag=tag, origin=origin, digest=digest, id=present.id)


def _from_origin(
    origin: Origin,
    base: BasePlan,
    tag: str,
    *,
    config: Config,
    engine: Engine,
    console: Console,
    make: Callable[[], None] | None,
) -> str:
    """Get the base from one origin under `tag`; gives the registry's digest, or nothing."""
    console.say(f"    {base.reference}: from {origin}")
    if origin == "registry":
        return _pull(base, tag, config=config, engine=engine)
    if origin == "archive":
        engine.tag(load_archive(config.beside(base.spec.archive or ""), engine), tag)
    elif origin == "bootstrap" and base.spec.bootstrap:
        _bootstrap(base, tag, config=config, engine=engine, console=console)
    elif make:
        make()
    else:
        raise UsageError("none of the Dockerfiles named for it exists")
    return ""


def _pull(base: BasePlan, tag: str, *, config: Config, engine: Engine) -> str:
    reasons: list[str] = []
    for reference in base.spec.registry or (base.reference,):
        try:
            digest = pull(reference, config=config, engine=engine)
        except CommandError as error:
            reasons.append(f"{reference}: {error.tail.strip() or error.message}")
            continue
        engine.tag(reference, tag)
        return digest
    raise PreflightError("; ".join(reasons))


def pull(reference: str, *, config: Config, engine: Engine) -> str:
    """Pull an image, trying as often as configured with a growing pause; gives its registry digest.

    Raises CommandError of the last try.
    """
    limits = config.release.timeouts
    argv = commands.pull(engine.client, reference, platform=config.release.platform)
    for attempt in range(1, limits.retries + 1):
        try:
            run(argv, timeout=limits.pull)
            break
        except CommandError as error:
            if attempt == limits.retries or _final(error):
                raise
            time.sleep(_FIRST_WAIT**attempt)
    image = engine.image(reference)
    return image.digests[0] if image and image.digests else ""


def _final(error: CommandError) -> bool:
    """Whether trying again cannot help: the registry answered, or there is no name for it."""
    return any(
        word in error.tail for word in ("no such host", "not found", "denied", "unauthorized", "manifest unknown")
    )


def load_archive(file: Path, engine: Engine) -> str:
    """Load a file of `docker save` that holds one image; gives its name. UsageError where it does not."""
    if not file.is_file():
        raise UsageError(f"{file}: there is no such file")
    said: list[str] = []
    follow(commands.load(engine.client), said.append, stdin=file)
    names = [line.partition(": ")[2] for line in said if line.startswith("Loaded image")]
    if len(names) != 1:
        raise UsageError(f"{file}: holds {len(names)} images; give an archive of exactly one")
    return names[0]


def _bootstrap(base: BasePlan, tag: str, *, config: Config, engine: Engine, console: Console) -> None:
    if base.spec.bootstrap is None:  # pragma: no cover - the schema has made sure of it
        raise AssertionError
    log = config.work / "logs" / f"bootstrap-{tag.rpartition(':')[0].rpartition('/')[2]}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    bootstrap.make(
        base.spec.bootstrap,
        tag=tag,
        client=engine.client,
        mirrors=config.release.mirrors,
        platform=config.release.platform,
        timeout=config.release.timeouts.bootstrap,
        log=log,
        on_line=lambda line: console.say(f"    {line[3:]}") if bootstrap.worth_showing(line) else None,
    )


def _from_store(base: ResolvedBase, config: Config, engine: Engine, console: Console) -> None:
    """Give a pruned engine its base back from the layer store: the same bytes, so that no layer becomes new."""
    store = Store(config.work / "store")
    try:
        image = index.load(store).image(base.id, config.release.platform)
        if image is None or not index.has_image(store, image):
            return
        with writing_to(commands.load(engine.client)) as sink:
            archive.write(store, {base.tag: image}, sink, lambda _: None)
    except OfflineError as error:
        console.warn(f"{base.reference}: not from the layer store: {error.message}")


_RETRY = "invoke build-base"


def _read(work: Path) -> dict[str, ResolvedBase]:
    """What earlier runs found out about bases; an unreadable record only costs time."""
    try:
        records = json.loads((work / "bases.json").read_bytes())
        return {record["tag"]: ResolvedBase(**record) for record in records}
    except (OSError, ValueError, TypeError, KeyError):
        return {}


def _write(work: Path, known: Mapping[str, ResolvedBase]) -> None:
    records = [asdict(base) for base in sorted(known.values(), key=lambda base: base.tag)]
    write_text(work / "bases.json", json.dumps(records, indent=1) + "\n")
