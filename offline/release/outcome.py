"""What a release left behind, for people and for scripts."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from offline.bundle import manifest, write
    from offline.release.run import Stage


@dataclass(frozen=True, kw_only=True)
class ExportedImage:
    """An image in the layer store, and where it came from."""

    role: str
    kind: str
    why: str
    registry_digest: str
    config: str
    new_bytes: int
    """Compressed bytes that this export added to the store for it."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a release left: the bundle, its images, the stages."""

    id: str
    written: write.Written
    facts: manifest.ReleaseFacts
    exported: tuple[ExportedImage, ...]
    stages: tuple[Stage, ...]

    def as_json(self) -> dict[str, Any]:
        """The object of `--json`, of `dist/<name>.json` and of `dist/latest.json`."""
        new_bytes = {image.role: image.new_bytes for image in self.exported}
        parts = {"parts": [asdict(part) for part in self.written.parts]} if self.written.parts else {}
        return {
            "id": self.id,
            "since": list(self.facts.since),
            "bundle": str(self.written.path),
            **parts,
            "bytes": self.written.size,
            "sha256": self.written.sha256,
            "sums_sha256": self.written.sums_sha256,
            "images": [
                {
                    "role": image.role,
                    "names": [name for name in (image.tag, image.familiar) if name],
                    "id": image.stored.config,
                    "bytes": image.bytes,
                    "new_bytes": new_bytes.get(image.role, 0),
                }
                for image in self.facts.images
            ],
            "stages": [asdict(stage) for stage in self.stages],
            "left_out": list(self.facts.left_out),
            "warnings": list(self.facts.warnings),
        }
