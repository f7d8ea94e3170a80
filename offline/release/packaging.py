"""The package stage: from the layer store and the payload to a bundle on disk."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from offline.bundle import delta, enginekit, manifest, parts, payload, write
from offline.console import human_bytes
from offline.errors import UsageError
from offline.images import plan, source
from offline.paths import write_text
from offline.release import earlier
from offline.release.outcome import ExportedImage, Outcome
from offline.release.records import read_record
from offline.store import index

if TYPE_CHECKING:
    from collections.abc import Sequence

    from offline.release.earlier import Earlier
    from offline.release.run import Run

KIT_VERSION = "0.1.0"


def package(
    run: Run,
    *,
    identity: str,
    revision: str | None = None,
    items: Sequence[payload.Item] | None = None,
    part_size: int | None = None,
    since: Sequence[Earlier] = (),
) -> Outcome:
    """Write the bundle from the store, in parts of `part_size` bytes if given; leaves `<name>.json` and `latest.json`.

    What all of `since` have stays out. Raises UsageError for parts so small that there would be too many, and for an
    earlier release of another stack.
    """
    config = run.config
    record = read_record(run, "export.json", "invoke export")
    exported = tuple(ExportedImage(**image) for image in record["images"])
    with run.stage("package") as flowed:
        if items is None:
            items = payload.collect(config.source, config.release.payload, plan.services_of(config.release))
        found = source.revision(config.source) if revision is None else revision
        earlier.take_over(run, since)
        facts = _less(run, _facts(run, identity, found, exported, items), items, since)
        configs = (image.stored.config for image in facts.images)
        earlier.warn_of_another(run, identity, write.may_stay_out(facts, items), configs)
        total = write.total_bytes(facts, items)
        if part_size is not None:
            parts.check_count(part_size, total)
        with run.console.progress("package", total) as progress:
            written = write.write(
                facts, items, store=run.store, folder=config.output, on_bytes=progress.add, part_size=part_size
            )
        flowed.append(written.size)
    outcome = Outcome(id=identity, written=written, facts=facts, exported=exported, stages=tuple(run.stages))
    text = json.dumps(outcome.as_json(), ensure_ascii=False, indent=2) + "\n"
    write_text(config.output / f"{facts.top}.json", text)
    write_text(config.output / "latest.json", text)
    earlier.remember(run, identity, manifest.as_json(facts), write.may_stay_out(facts, items), written.sha256)
    return outcome


def _less(
    run: Run, facts: manifest.ReleaseFacts, items: Sequence[payload.Item], since: Sequence[Earlier]
) -> manifest.ReleaseFacts:
    """The same without what all of `since` have; says what had to stay although they have it."""
    if not since:
        return facts
    made = delta.plan(facts, write.may_stay_out(facts, items), [earlier.base for earlier in since])
    for layer in made.other_bytes:
        run.console.warn(
            f"layer {layer.diff_id[7:19]} ({human_bytes(layer.size)}) travels, although the earlier releases have it: "
            "one has shipped it in other bytes, and a containerd store would miss these"
        )
    if not made.since:
        run.console.warn("the earlier releases have nothing that this one needs: this is a full bundle")
    return replace(facts, delta=made, warnings=tuple(run.console.warnings))


def _facts(
    run: Run, identity: str, revision: str, exported: Sequence[ExportedImage], items: Sequence[payload.Item]
) -> manifest.ReleaseFacts:
    release_ = run.config.release
    missing = tuple(pattern for item in items for pattern in item.missing)
    keys = tuple(file.name for item in items if item.spec.holds_keys for file in item.files)
    for name in missing:
        run.console.warn(f"payload: {name} is not in the source; it is optional and left out")
    if keys:
        run.console.warn(f"the bundle holds files that may hold keys: {', '.join(keys)}")
    created = datetime.strptime(identity, write.ID_FORMAT).replace(tzinfo=timezone.utc)
    return manifest.ReleaseFacts(
        id=identity,
        created=created.isoformat().replace("+00:00", "Z"),
        kit=KIT_VERSION,
        revision=revision,
        release=release_,
        services=tuple(manifest.start_order(release_, plan.services_of(release_))),
        images=_bundled(run, exported),
        mounts=manifest.mounts_of(items),
        engine=enginekit.collect(release_.engine, run.config.beside),
        left_out=missing,
        holds_keys=keys,
        warnings=tuple(run.console.warnings),
        audit=run.audit.summary() if run.audit else None,
    )


def _bundled(run: Run, exported: Sequence[ExportedImage]) -> tuple[manifest.BundledImage, ...]:
    known = index.load(run.store)
    bundled: list[manifest.BundledImage] = []
    for role in plan.roles_of(run.config.release):
        image = next((image for image in exported if image.role == role), None)
        stored = known.images.get(image.config) if image else None
        if image is None or stored is None:
            raise UsageError(f"images.{role}: not exported yet", hint="first: invoke export")
        bundled.append(
            manifest.BundledImage(
                role=role,
                tag=manifest.content_tag(run.config.release.stack, role, stored.config),
                familiar=run.config.release.images[role].tag,
                kind=image.kind,
                why=image.why,
                registry_digest=image.registry_digest,
                stored=stored,
            )
        )
    return tuple(bundled)
