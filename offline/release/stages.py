"""The pipeline: base, build, export, package. Each stage starts from what the one before it left on disk."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from offline.bundle import payload
from offline.errors import FailedError
from offline.images import bases, obtain, plan, source
from offline.paths import write_text
from offline.release import auditing, earlier
from offline.release.outcome import ExportedImage, Outcome
from offline.release.packaging import package
from offline.release.records import read_record
from offline.store import export, index
from offline.store.model import Inspected, StoredImage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from offline.images.bases import ResolvedBase
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
            planned, resolved, config=run.config, engine=run.engine, console=run.console, retry=retry
        )
    record = {
        "stack": run.config.release.stack,
        "images": [
            {
                "role": image.role,
                "reference": image.reference,
                "kind": image.kind,
                "why": image.why,
                "digest": image.digest,
            }
            for image in images
        ],
        "bases": [base.tag for base in resolved.values()],
    }
    write_text(run.config.work / "images.json", json.dumps(record, indent=1) + "\n")


def export_images(run: Run) -> tuple[ExportedImage, ...]:
    """Bring the built images into the layer store with one save; leaves `export.json` for the package."""
    record = read_record(run, "images.json", "invoke build-app or invoke build-offline")
    with run.stage("export") as flowed:
        before = set(index.load(run.store).layers)
        wanted, estimate = _wanted(run, record)
        with run.console.progress("export", estimate) as progress:

            def count(size: int) -> None:
                flowed.append(size)
                progress.add(size)

            stored = export.export(
                (run.engine.client,), run.store, wanted, platform=run.config.release.platform, on_bytes=count
            )
    exported = _exported(record, stored, before)
    content = {"stack": record["stack"], "images": [asdict(image) for image in exported]}
    write_text(run.config.work / "export.json", json.dumps(content, indent=1) + "\n")
    return exported


def _wanted(run: Run, record: dict[str, Any]) -> tuple[dict[str, Inspected], int]:
    """What to save, and about how many bytes that is: the images, and the bases that they share layers with."""
    found = {image["reference"]: run.engine.image(image["reference"]) for image in record["images"]}
    gone = [reference for reference, facts in found.items() if facts is None]
    if gone:
        raise FailedError(
            f"the engine no longer has {', '.join(gone)}", hint="build again: invoke build-app or invoke build-offline"
        )
    images = {reference: facts for reference, facts in found.items() if facts}
    for tag in record["bases"]:
        base = run.engine.image(tag)
        if base and any(facts.layers[: len(base.layers)] == base.layers for facts in images.values()):
            images[tag] = base
    estimate = 0
    for facts in images.values():
        below = [
            other.size
            for other in images.values()
            if len(other.layers) < len(facts.layers) and facts.layers[: len(other.layers)] == other.layers
        ]
        estimate += facts.size - max(below, default=0)
    wanted = {name: Inspected(id=facts.id, diff_ids=facts.layers) for name, facts in images.items()}
    return wanted, estimate


def _exported(record: dict[str, Any], stored: Mapping[str, StoredImage], before: set[str]) -> tuple[ExportedImage, ...]:
    known = set(before)
    exported: list[ExportedImage] = []
    for image in record["images"]:
        layers = stored[image["reference"]].layers
        new = {layer.diff_id: layer.size for layer in layers if layer.diff_id not in known}
        known |= set(new)
        exported.append(
            ExportedImage(
                role=image["role"],
                kind=image["kind"],
                why=image["why"],
                registry_digest=image["digest"],
                config=stored[image["reference"]].config,
                new_bytes=sum(new.values()),
            )
        )
    return tuple(exported)
