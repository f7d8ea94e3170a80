"""What the export takes from the build, and what it leaves for the package."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from offline.errors import FailedError
from offline.paths import write_text
from offline.release.outcome import ExportedImage
from offline.store import applayer, saves
from offline.store.model import Inspected, StoredImage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from offline.images.bases import ResolvedBase
    from offline.images.obtain import ObtainedImage
    from offline.release.run import Run

_RECORD = "images.json"


def record_built(run: Run, images: Sequence[ObtainedImage], bases: Mapping[str, ResolvedBase]) -> None:
    """Leave `images.json` for the export."""
    record = {
        "stack": run.config.release.stack,
        "images": [
            {
                "role": image.role,
                "reference": image.reference,
                "kind": image.kind,
                "why": image.why,
                "digest": image.digest,
                "app": image.app.as_json() if image.app else None,
            }
            for image in images
        ],
        "bases": [base.tag for base in bases.values()],
    }
    write_text(run.config.work / _RECORD, json.dumps(record, indent=1) + "\n")


def added_before(run: Run) -> dict[str, applayer.AppLayer]:
    """What applications added in the last build, by role; an unreadable record only costs time."""
    try:
        record = json.loads((run.config.work / _RECORD).read_bytes())
        if record["stack"] != run.config.release.stack:
            return {}
        return {
            image["role"]: applayer.AppLayer.of_json(image["app"]) for image in record["images"] if image.get("app")
        }
    except (OSError, ValueError, TypeError, KeyError):
        return {}


def wanted(run: Run, record: Mapping[str, Any]) -> tuple[dict[str, Inspected], int]:
    """What the store must get from the engine, and about how many bytes that is.

    The images, and the bases that they share layers with; of an image whose application was built apart, what is below.
    """
    names = [_saved(image) for image in record["images"]]
    found = {name: run.engine.image(name) for name in names}
    gone = [name for name, facts in found.items() if facts is None]
    if gone:
        raise FailedError(
            f"the engine no longer has {', '.join(gone)}", hint="build again: invoke build-app or invoke build-offline"
        )
    images = {name: facts for name, facts in found.items() if facts}
    for tag in record["bases"]:
        base = run.engine.image(tag)
        if base and any(facts.layers[: len(base.layers)] == base.layers for facts in images.values()):
            images[tag] = base
    facts = {name: Inspected(id=image.id, diff_ids=image.layers, size=image.size) for name, image in images.items()}
    return facts, saves.estimate(facts)


def _saved(image: Mapping[str, Any]) -> str:
    """The name of what is read out of the engine for an image."""
    return str(image["app"]["below"] if image.get("app") else image["reference"])


def composed(run: Run, record: Mapping[str, Any], stored: Mapping[str, StoredImage]) -> dict[str, StoredImage]:
    """The images whose application was built apart, made in the store of what is below and the layer; by reference."""
    return {
        image["reference"]: applayer.compose(
            run.store, stored[image["app"]["below"]], applayer.AppLayer.of_json(image["app"])
        )
        for image in record["images"]
        if image.get("app")
    }


def record_exported(
    run: Run, record: Mapping[str, Any], stored: Mapping[str, StoredImage], before: set[str]
) -> tuple[ExportedImage, ...]:
    """Leave `export.json` for the package; `before` are the diff_ids that the store had."""
    exported = _exported(record, stored, before)
    below = {stored[_saved(image)].config for image in record["images"] if image.get("app")}
    content = {
        "stack": record["stack"],
        "images": [asdict(image) for image in exported],
        # Kept by store-gc: with them, the next export reads nothing out of the engine.
        "below": sorted(below),
    }
    write_text(run.config.work / "export.json", json.dumps(content, indent=1) + "\n")
    return exported


def _exported(
    record: Mapping[str, Any], stored: Mapping[str, StoredImage], before: set[str]
) -> tuple[ExportedImage, ...]:
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
