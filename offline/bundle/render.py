"""The texts of a bundle, written from the release itself. Pure but for reading the templates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from offline.bundle import layout, manifest
from offline.config import checks
from offline.templates import render

if TYPE_CHECKING:
    from collections.abc import Collection

    from offline.bundle.manifest import ReleaseFacts

_TEXTS = (layout.README, layout.MANIFEST_TEXT, layout.GUIDE_ZH, layout.GUIDE_EN)


def texts(facts: ReleaseFacts) -> dict[str, bytes]:
    """What people read, by its name in the bundle."""
    values = {"facts": facts, "layout": layout, "disk": manifest.disk_need(facts)}
    return {name: render(f"{name}.j2", **values).encode() for name in _TEXTS}


def compose(facts: ReleaseFacts) -> bytes:
    """The compose file: content tags, absolute bind sources, nothing that 1.29 or v2 refuses."""
    services = [_service(facts, name) for name in facts.services]
    release = facts.release
    return render(
        f"{layout.COMPOSE}.j2", stack=release.stack, services=services, subnet=release.network.subnet
    ).encode()


def _service(facts: ReleaseFacts, name: str) -> dict[str, Any]:
    service = facts.release.services[name]
    environment = {"TZ": facts.release.timezone, **service.environment}
    secrets = facts.release.secrets
    return {
        "name": name,
        "image": facts.image(service.image).tag,
        "stop_grace": service.stop_grace,
        "command": [escaped(word, secrets) for word in service.command],
        "depends_on": [other for other in service.depends_on if other in facts.services],
        "ports": list(service.ports),
        "environment": {variable: escaped(value, secrets) for variable, value in environment.items()},
        "security_opt": list(service.security_opt),
        "memory": service.memory,
        "cpus": service.cpus,
        "logs": service.logs,
        "healthcheck": service.healthcheck,
        "test": [escaped(word, secrets) for word in service.healthcheck.test] if service.healthcheck else [],
        "mounts": [mount for mount in facts.mounts if mount.service == name],
    }


def escaped(value: str, secrets: Collection[str]) -> str:
    """A value in which Compose replaces nothing but references to declared secrets: every other `$` is doubled."""
    text, end = "", 0
    for found in checks.REFERENCE.finditer(value):
        if found[1] in secrets:
            text += value[end : found.start()].replace("$", "$$") + f"${{{found[1]}:?}}"
            end = found.end()
    return text + value[end:].replace("$", "$$")
