"""The pipeline: base, build, export, package. Each stage starts from what the one before it left on disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from offline.bundle import payload
from offline.images import bases, obtain, plan, source
from offline.release import auditing, earlier, exporting
from offline.release.packaging import package
from offline.release.records import read_record
from offline.store import export, index

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from offline.images.bases import ResolvedBase
    from offline.release.outcome import ExportedImage, Outcome
    from offline.release.run import Run


def release(
    run: Run, *, identity: str, audited: bool = True, part_size: int | None = None, since: Sequence[str] = ()
) -> Outcome:
    """The whole pipeline, top to bottom. What all releases that `since` names have stays out of the bundle."""
    earlier_ones = earlier.find(run, since)
    facts, planned = _planned(run)
    if audited:
        auditing.audit_source(run)
    else:
        run.console.warn("the audit was skipped (--no-audit): what breaks without internet shows only in the build")
    items = payload.collect(run.config.source, run.config.release.payload, plan.services_of(run.config.release))
    resolved = _base(run, planned)
    _build(run, planned, resolved, retry="invoke release")
    export_images(run)
    return package(
        run, identity=identity, revision=facts.revision, items=items, part_size=part_size, since=earlier_ones
    )


def build_base(run: Run) -> dict[str, ResolvedBase]:
    """Make sure the engine has every base that the images stand on."""
    _, planned = _planned(run)
    return _base(run, planned)


def build_images(run: Run, *, retry: str, reuse: Mapping[str, ResolvedBase] | None = None) -> None:
    """Make sure the engine has every image, bases included; leaves `images.json` for the export."""
    _, planned = _planned(run)
    _build(run, planned, reuse or _base(run, planned), retry=retry)


def _planned(run: Run) -> tuple[source.SourceFacts, plan.Plan]:
    facts = source.read(run.config)
    planned = plan.make(run.config.release, facts.dockerfiles)
    run.console.say(f"source {run.config.source}, {facts.revision or 'not in git'}")
    return facts, planned


def _base(run: Run, planned: plan.Plan) -> dict[str, ResolvedBase]:
    with run.stage("base"):
        return bases.prepare(planned, config=run.config, engine=run.engine, console=run.console)


def _build(run: Run, planned: plan.Plan, resolved: Mapping[str, ResolvedBase], *, retry: str) -> None:
    with run.stage("build"):
        images = obtain.obtain(
            *(planned, resolved),
            config=run.config,
            engine=run.engine,
            console=run.console,
            retry=retry,
            before=exporting.added_before(run),
        )
    exporting.record_built(run, images, resolved)


def export_images(run: Run) -> tuple[ExportedImage, ...]:
    """Bring the built images into the store in as few saves as are quick; leaves `export.json` for the package."""
    record = read_record(run, "images.json", "invoke build-app or invoke build-offline")
    with run.stage("export") as flowed:
        before = set(index.load(run.store).layers)
        wanted, estimate = exporting.wanted(run, record)
        with run.console.progress("export", estimate) as progress:

            def count(size: int) -> None:
                flowed.append(size)
                progress.add(size)

            stored = export.export(
                run.engine.saving, run.store, wanted, platform=run.config.release.platform, on_bytes=count
            )
        stored |= exporting.composed(run, record, stored)
    return exporting.record_exported(run, record, stored, before)
