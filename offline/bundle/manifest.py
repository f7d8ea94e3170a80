"""What a release is: one frozen value, from which release.json, facts.tsv and every text of the bundle are written."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from offline.bundle import layout
from offline.bundle.payload import folder
from offline.config import checks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from offline.bundle.delta import Delta
    from offline.bundle.payload import File, Item
    from offline.config.schema import FirstRun, Probe, Release
    from offline.store.model import StoredImage

SHARED = "shared"


@dataclass(frozen=True, kw_only=True)
class BundledImage:
    """An image in the bundle, by its content tag."""

    role: str
    tag: str
    """`<stack>/<role>:<first 12 hex of the config digest>`; the only name it has in the bundle."""
    familiar: str | None
    kind: str
    why: str
    registry_digest: str
    stored: StoredImage

    @property
    def bytes(self) -> int:
        """Compressed bytes of its layers, shared ones included."""
        return sum(layer.size for layer in self.stored.layers)


@dataclass(frozen=True, kw_only=True)
class Mount:
    """A bind mount of a service: host folder under the root, target in the container."""

    service: str
    bundle: str
    """Where its files lie in the bundle."""
    source: str
    """Below the root on the host: `shared/…` or `payload/<service>-<hash>/…`."""
    target: str
    owner: str
    read_only: bool
    hot: bool
    single: bool
    user: str
    mode: str
    backup: str
    """What a backup calls it; empty for what a release brings."""


@dataclass(frozen=True, kw_only=True)
class ReleaseFacts:
    """Everything that a bundle says of itself."""

    id: str
    created: str
    kit: str
    revision: str
    release: Release
    services: tuple[str, ...]
    images: tuple[BundledImage, ...]
    mounts: tuple[Mount, ...]
    engine: tuple[File, ...]
    """Files that install an engine on a bare host; none: the bundle brings no engine."""
    left_out: tuple[str, ...]
    """Optional payload that the source does not have."""
    holds_keys: tuple[str, ...]
    warnings: tuple[str, ...]
    audit: Mapping[str, object] | None = None
    """Figures of the audit; none where it was skipped or a stage ran alone."""
    delta: Delta | None = None
    """What the bundle leaves out; none: it holds everything."""

    @property
    def since(self) -> tuple[str, ...]:
        """The releases one of which a host must have; none: any host will do."""
        return self.delta.since if self.delta else ()

    @property
    def modes(self) -> dict[str, list[str]]:
        """The modes this bundle can serve, each with its services in start order."""
        modes: dict[str, list[str]] = {}
        for name in self.services:
            for mode in self.release.services[name].modes:
                modes.setdefault(mode, []).append(name)
        return {mode: names for mode, names in modes.items() if names and mode in self._whole_modes()}

    def _whole_modes(self) -> set[str]:
        """Modes all of whose services are in the bundle."""
        left = [service for name, service in self.release.services.items() if name not in self.services]
        return {mode for name in self.services for mode in self.release.services[name].modes} - {
            mode for service in left for mode in service.modes
        }

    @property
    def top(self) -> str:
        """The one folder that the bundle unpacks to."""
        return layout.top_folder(self.release.bundle, self.id, self.since)

    def image(self, role: str) -> BundledImage:
        """The image of a role."""
        return next(image for image in self.images if image.role == role)


def start_order(release: Release, services: Sequence[str]) -> list[str]:
    """Services so that each comes after those it depends on, else as release.yml has them. Pure."""
    ordered: list[str] = []

    def add(name: str) -> None:
        if name in ordered or name not in services:
            return
        for before in release.services[name].depends_on:
            add(before)
        ordered.append(name)

    for name in services:
        add(name)
    return ordered


def mounts_of(items: Sequence[Item]) -> tuple[Mount, ...]:
    """The bind mounts of all items that have one. Pure."""
    return tuple(
        Mount(
            service=item.spec.service,
            bundle=item.spec.bundle,
            source=f"{SHARED if item.spec.owner == 'host' else folder(item.spec.service, items)}/{item.spec.bundle}",
            target=item.spec.target,
            owner=item.spec.owner,
            read_only=item.spec.read_only,
            hot=item.spec.hot,
            single=item.spec.single,
            user=item.spec.user,
            mode=item.spec.mode,
            backup=item.spec.backup_name,
        )
        for item in items
        if item.mounted
    )


def content_tag(stack: str, role: str, config: str) -> str:
    """The content tag of an image; no release id in it, or Compose would recreate what did not change."""
    return f"{stack}/{role}:{config.removeprefix('sha256:')[:12]}"


def as_json(facts: ReleaseFacts) -> bytes:
    """release.json."""
    release = facts.release
    value = {
        "format": layout.FORMAT,
        "id": facts.id,
        "created": facts.created,
        "kit": facts.kit,
        "stack": release.stack,
        "bundle": release.bundle,
        "since": list(facts.since),
        "source": {"revision": facts.revision},
        "strategy": release.strategy,
        "platform": release.platform,
        "mode": release.mode,
        "modes": facts.modes,
        "timezone": release.timezone,
        "images": [_image(image) for image in facts.images],
        "services": {name: _service(facts, name) for name in facts.services},
        "mounts": [asdict(mount) for mount in facts.mounts],
        "data": {
            name: {"service": data.service, "family": data.family, "series": data.series, "folder": data.folder}
            for name, data in release.data.items()
            if data.service in facts.services
        },
        "secrets": list(used_secrets(facts)),
        "first_run": [value.model_dump(mode="json") for value in first_runs(facts)],
        "network": {"subnet": release.network.subnet},
        "host": release.host.model_dump(mode="json") | {"disk": disk_need(facts)},
        "engine": _engine(facts),
        "left_out": list(facts.left_out),
        "holds_keys": list(facts.holds_keys),
        "warnings": list(facts.warnings),
        "audit": facts.audit,
    }
    return (json.dumps(value, ensure_ascii=False, indent=2) + "\n").encode()


def disk_need(facts: ReleaseFacts) -> int:
    """Bytes that the images take on a host's engine: uncompressed layers, each once."""
    return sum(raw_sizes(facts).values())


def raw_sizes(facts: ReleaseFacts) -> dict[str, int]:
    """Uncompressed bytes of each layer, by diff_id: a host needs room only for those that it lacks."""
    return {layer.diff_id: layer.raw_size for image in facts.images for layer in image.stored.layers}


def used_secrets(facts: ReleaseFacts) -> tuple[str, ...]:
    """The declared secrets that a service of this bundle reads."""
    services = [facts.release.services[name] for name in facts.services]
    read = {
        name
        for service in services
        for text in (
            *service.environment.values(),
            *service.command,
            *(service.healthcheck.test if service.healthcheck else ()),
        )
        for name in checks.referenced(text)
    }
    return tuple(name for name in facts.release.secrets if name in read)


def first_runs(facts: ReleaseFacts) -> tuple[FirstRun, ...]:
    """The first-run values all of whose services are in this bundle."""
    return tuple(
        value for value in facts.release.first_run if {value.after, value.query_in, value.before} <= set(facts.services)
    )


def _image(image: BundledImage) -> dict[str, Any]:
    return {
        "role": image.role,
        "tag": image.tag,
        "familiar": image.familiar,
        "kind": image.kind,
        "why": image.why,
        "registry_digest": image.registry_digest or None,
        "config": image.stored.config,
        "manifest": image.stored.manifest,
        "bytes": image.bytes,
        "layers": [
            {"diff_id": layer.diff_id, "digest": layer.digest, "size": layer.size, "raw_size": layer.raw_size}
            for layer in image.stored.layers
        ],
    }


def _service(facts: ReleaseFacts, name: str) -> dict[str, Any]:
    service = facts.release.services[name]
    return {
        "image": service.image,
        "modes": list(service.modes),
        "ports": list(service.ports),
        "depends_on": [other for other in service.depends_on if other in facts.services],
        "probes": [_probe(probe) for probe in service.probes],
        "version_probe": _probe(service.version_probe) if service.version_probe else None,
        "stop_grace": service.stop_grace,
    }


def _engine(facts: ReleaseFacts) -> dict[str, Any] | None:
    engine = facts.release.engine
    if engine is None:
        return None
    return {
        "version": engine.version,
        "compose_version": engine.compose_version,
        "files": {file.name: file.sha256 for file in facts.engine},
    }


def _probe(probe: Probe) -> dict[str, Any]:
    return probe.model_dump(mode="json")
