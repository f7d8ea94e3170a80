"""What Compose 1.29 and other old tools make of a Compose file. Sources: its schema and its refusals, tried."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from offline.audit.listed import listed
from offline.audit.rules.catalogue import found

if TYPE_CHECKING:
    from offline.audit.compose import ComposeFile, Service
    from offline.audit.model import Finding
    from offline.audit.nodes import Node
    from offline.audit.sources import Sources

_NEW_SERVICE_KEYS = listed(
    "develop annotations attach gpus label_file models post_start pre_stop provider use_api_socket uts storage_opt_v2"
)
# 1.29 knows `:-`, `-`, `:?` and `?`, and the first `}` ends it (compose/config/interpolation.py).
_NEW_VARIABLE = re.compile(r"(?<!\$)\$\{\w+(?::?\+|:?[-?][^}]*\$\{)")
_NEW_TOP_KEYS = listed("include models")
_NEW_BUILD_KEYS = listed(
    "dockerfile_inline additional_contexts secrets ssh tags platforms privileged no_cache pull cache_to entitlements "
    "ulimits"
)


def check(sources: Sources) -> Iterator[Finding]:
    """Every file and service."""
    for file in sources.composes.values():
        yield from _top(file)
        for service in file.services.values():
            yield from _service(file, service)


def _top(file: ComposeFile) -> Iterator[Finding]:
    for root in file.roots:
        entries = root.entries()
        if "version" in entries:
            yield found(
                "obsolete-version",
                file.path,
                entries["version"][0].line,
                "version: is obsolete; Compose v2 warns about it each time, and v1 reads another schema by it",
                "remove the line, unless Compose 1.26 or older must read the file",
                value=entries["version"][1].text,
            )
        if "name" in entries:
            yield found(
                "top-level-name",
                file.path,
                entries["name"][0].line,
                "Compose 1.29 refuses a file with a top-level name:",
                "set COMPOSE_PROJECT_NAME in .env instead",
                value=entries["name"][1].text,
            )
        for key in sorted(_NEW_TOP_KEYS & entries.keys()):
            yield _new(file, entries[key][0].line, f"{key}:", key)
    for section, key in (("configs", "content"), ("configs", "environment"), ("secrets", "environment")):
        for name, (_, value) in file.named(section).items():
            if (entry := value.entries().get(key)) is not None:
                yield _new(file, entry[0].line, f"{section}.{name}.{key}", f"{section}.{key}")
    for line in dict.fromkeys(node.line for node in file.scalars() if _NEW_VARIABLE.search(node.text)):
        yield _new(file, line, "a variable with :+ or with another variable inside", "${…}")


def _service(file: ComposeFile, service: Service) -> Iterator[Finding]:
    if service.value("profiles") is not None:
        yield found(
            "profiles",
            file.path,
            service.line_of("profiles"),
            f"{service.name} has profiles: Compose 1.29 stops where a service depends on one that is switched off",
            "start the services that are wanted by name, with --no-deps",
            value=service.name,
        )
    limits = service.node.get("deploy", "resources")
    if limits is not None:
        yield found(
            "ignored-resources",
            file.path,
            service.line_of("deploy"),
            f"deploy.resources of {service.name} is ignored by Compose 1.29, and the container runs without limits",
            "write mem_limit and cpus as well",
            value=service.name,
        )
    for line, what in _newer(service):
        yield _new(file, line, f"{what} of {service.name}", what)


def _newer(service: Service) -> Iterator[tuple[int, str]]:
    """(line, what) of everything in a service that is younger than Compose 1.29."""
    for key in sorted(_NEW_SERVICE_KEYS & service.keys.keys()):
        yield service.line_of(key), key
    build = service.value("build")
    entries = build.entries() if build is not None else {}
    yield from ((entries[key][0].line, f"build.{key}") for key in sorted(_NEW_BUILD_KEYS & entries.keys()))
    env_file = service.value("env_file")
    for item in env_file.items if env_file is not None else []:
        if item.kind == "mapping":
            yield item.line, "env_file with path and required"
    yield from _dependencies(service.value("depends_on"))
    interval = service.node.get("healthcheck", "start_interval")
    if interval is not None:
        yield interval.line, "healthcheck.start_interval (Docker 25)"
    for key, (own, value) in service.keys.items():
        if value.tag in {"!reset", "!override"}:
            yield own.line, f"{value.tag} {key}"


def _dependencies(node: Node | None) -> Iterator[tuple[int, str]]:
    for name, (_, value) in (node.entries() if node is not None else {}).items():
        for key, (own, _) in value.entries().items():
            if key in {"required", "restart"}:
                yield own.line, f"depends_on.{name}.{key}"


def _new(file: ComposeFile, line: int, what: str, value: str) -> Finding:
    return found(
        "needs-newer-compose",
        file.path,
        line,
        f"{what}: Compose 1.29 does not know it and refuses the file, or leaves it out",
        "keep it out of what is shipped, or require Compose v2 on the host",
        value=value,
    )
