"""Rules about services of a Compose file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from offline.audit.compose import ComposeFile, Mount, Service, env_files, extended, mounts, pairs, words
from offline.audit.model import Finding, Item
from offline.audit.references import parse_reference
from offline.audit.rules.bases import unpinned
from offline.audit.rules.builds import NOT_SECRET, SECRET_NAME, SWITCHES
from offline.audit.rules.catalogue import found
from offline.audit.services import health_of, source_path

if TYPE_CHECKING:
    from offline.audit.sources import ComposedBuild, Sources

_DEFAULT = re.compile(r"^\$\{(\w+):?-(.+)\}$")
_IN_ADDRESS = re.compile(r"^\w[\w+.-]*://[^:/@\s$]*:[^@/\s$]+@")
_REQUIREPASS = re.compile(r"--requirepass[=\s]+[\"']?([^\s\"']+)")
_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,12}$")


def check(sources: Sources) -> Iterator[Finding]:
    """Every service, then what only shows between services."""
    for file, service in sources.services():
        yield from _image(file, service, sources)
        yield from _volumes(file, service, sources)
        yield from _env_files(file, service, sources)
        yield from _passwords(file, service)
        yield from _health(file, service, sources)
        yield from _platform(file, service)
    for composed in sources.composed:
        yield from _unmounted(composed, sources)
        if composed.section.remote:
            yield found(
                "remote-context",
                composed.file.path,
                composed.section.line,
                f"{composed.service.name} is built from {composed.section.context}, which is fetched",
                "put that source into yours and name its folder",
                value=composed.section.context,
            )


def _image(file: ComposeFile, service: Service, sources: Sources) -> Iterator[Finding]:
    node = service.value("image")
    if node is None or node.kind != "scalar":
        return
    value, line = file.text(node.text), service.line_of("image")
    reference = parse_reference(value)
    if reference.digest:
        yield found(
            "digest-image",
            file.path,
            line,
            f"{value}: the classic image store forgets digests when it loads, so this service would pull and fail",
            "name a tag; the kit proves the content by its own digests",
            value=value,
        )
    if not any(one.value("build") for one in (service, *sources.layers(file, service))):
        item = Item(path=file.path, line=line, type="image", value=value, service=service.name)
        yield from unpinned(item, reference)


def _volumes(file: ComposeFile, service: Service, sources: Sources) -> Iterator[Finding]:
    for mount in mounts(service, file):
        if mount.kind == "anonymous":
            yield found(
                "anonymous-volume",
                file.path,
                mount.line,
                f"{service.name} keeps {mount.target} in a volume without a name, which a new container may not find",
                f"give it a name: `<name>:{mount.target}`, and list the name under `volumes:`",
                value=mount.target,
            )
        elif mount.kind == "bind" and mount.source.endswith("docker.sock"):
            yield found(
                "docker-socket",
                file.path,
                mount.line,
                f"{service.name} gets the engine's socket: whoever takes over the container has the host",
                "do without, or put a proxy before it that allows only what is needed",
                value=mount.source,
            )
        elif mount.kind == "bind":
            yield from _bind(file, service, mount, sources)


def _unmounted(composed: ComposedBuild, sources: Sources) -> Iterator[Finding]:
    """VOLUMEs of a built image over which its service mounts nothing: each new container gets an empty one."""
    file, service, build = composed.file, composed.service, sources.builds.get(composed.dockerfile)
    if build is None or not build.build.stages:
        return
    layered = (service, *sources.layers(file, service))
    mounted = {mount.target.rstrip("/") for one in layered for mount in mounts(one, file)}
    for stage in build.build.stages[-1].lineage:
        for target in (word for one in stage.instructions if one.keyword == "VOLUME" for word in one.words):
            if target.rstrip("/") not in mounted and "$" not in target:
                yield found(
                    "anonymous-volume",
                    file.path,
                    service.line,
                    f"the image of {service.name} has VOLUME {target}, and nothing with a name is mounted there",
                    f"mount a volume with a name: `<name>:{target}`, and list the name under `volumes:`",
                    value=target,
                )


def _bind(file: ComposeFile, service: Service, mount: Mount, sources: Sources) -> Iterator[Finding]:
    written, target, line = mount.source, mount.target, mount.line
    place = source_path(file, written)
    if place is None:
        return
    if place.startswith(".."):
        yield found(
            "outside-source",
            file.path,
            line,
            f"{service.name} mounts {written}, which is outside the source",
            "move it into the source; nothing outside is read or shipped",
            value=written,
        )
        return
    there = sources.source.exists(place)
    single = sources.source.is_file(place) or (not there and _SUFFIX.search(written) and _SUFFIX.search(target))
    if there is False:
        yield found(
            "missing-bind",
            file.path,
            line,
            f"{service.name} mounts {written}, which is not in the source; the engine would make an empty folder of it",
            "put it into the source, name it as a payload of release.yml, or drop the mount",
            value=written,
        )
    if single:
        yield found(
            "file-bind",
            file.path,
            line,
            f"{written} is mounted as a single file: a container keeps the old one when an editor or mv replaces it",
            "mount its folder, or restart the container after each change",
            value=written,
        )
    yield found(
        "relative-bind",
        file.path,
        line,
        f"{written} is relative: through a link, Compose v1 and v2 see different folders, one of them empty",
        "in what is shipped, make it absolute: ${STACK_ROOT:?}/…",
        value=written,
    )


def _env_files(file: ComposeFile, service: Service, sources: Sources) -> Iterator[Finding]:
    for entry in env_files(service, file):
        place = source_path(file, entry.path)
        if entry.required and place is not None and sources.source.exists(place) is False:
            yield found(
                "missing-env-file",
                file.path,
                entry.line,
                f"{service.name} needs {entry.path}, which is not in the source; Compose refuses to start without it",
                "add it, or write `required: false` where Compose is 2.24 or newer",
                value=entry.path,
            )


def _passwords(file: ComposeFile, service: Service) -> Iterator[Finding]:
    for name, line in _literal_secrets(file, service):
        yield found(
            "literal-password",
            file.path,
            line,
            f"{name} of {service.name} has its value in the file, the same for everybody who has the file",
            f"write ${{{name}:?}} and set it on the host; the kit makes one on the first deploy",
            value=name,
        )


def _literal_secrets(file: ComposeFile, service: Service) -> Iterator[tuple[str, int]]:
    """(name, line) of passwords in `environment`, in addresses there, and of redis's `--requirepass`."""
    raw = ComposeFile(path=file.path, roots=[], services={})
    node = service.value("environment")
    entries = [] if node is None else [(item.text.partition("="), item.line) for item in node.items]
    written = {name: (value, line) for (name, _, value), line in entries}
    if node is not None and node.kind == "mapping":
        written = {name: (value.text, key.line) for name, (key, value) in node.entries().items()}
    for name, _, _ in pairs(node, raw):
        value, line = written[name]
        default = _DEFAULT.match(value)
        literal = default[2] if default else value
        named = SECRET_NAME.search(name) and not NOT_SECRET.search(name) and not _switch(name, literal)
        if _IN_ADDRESS.search(literal) or (literal and "$" not in literal and named):
            yield name, line
    command = words(service.value("command"), raw)
    if (given := _REQUIREPASS.search(command)) and "$" not in given[1]:
        yield "--requirepass", service.line_of("command")


def _switch(name: str, value: str) -> bool:
    """Named like a password, but switched on or off; having none at all is no better than having a known one."""
    return value.lower() in SWITCHES and "ALLOW_EMPTY" not in name.upper()


def _health(file: ComposeFile, service: Service, sources: Sources) -> Iterator[Finding]:
    if missing_health(file, service, sources):
        yield found(
            "no-healthcheck",
            file.path,
            service.line,
            f"{service.name} has no health check: a release counts as good although it may not serve",
            "add one that asks the service itself over its port",
            value=service.name,
        )


def missing_health(file: ComposeFile, service: Service, sources: Sources) -> bool:
    """No health check in the service, in what it extends or overrides, or in the image that it builds."""
    if health_of(service) is not None:
        return False
    own = [service, *_extended(file, service, sources)]
    if service.value("healthcheck") is None and not any(one.value("image") or one.value("build") for one in own):
        return False
    every = [*own, *sources.layers(file, service)]
    if any(health_of(one) is not None for one in every):
        return False
    built = [one.dockerfile for one in sources.composed if one.service in every and one.dockerfile in sources.builds]
    return not built or not sources.builds[built[0]].healthy


def _extended(file: ComposeFile, service: Service, sources: Sources) -> Iterator[Service]:
    """The services that this one extends, the nearest first."""
    seen = {(file.path, service.name)}
    where, one = file, service
    while (link := extended(one, where)) is not None:
        path = (source_path(where, link.path) or "") if link.path else where.path
        if (path, link.service) in seen or path not in sources.composes:
            break
        seen.add((path, link.service))
        where = sources.composes[path]
        if link.service not in where.services:
            break
        one = where.services[link.service]
        yield one


def _platform(file: ComposeFile, service: Service) -> Iterator[Finding]:
    node = service.value("platform")
    if node is not None and "$" not in node.text:
        yield found(
            "platform",
            file.path,
            service.line_of("platform"),
            f"{service.name} is fixed to {node.text}; on a host of another platform it does not start",
            "leave it out, and choose the platform once, in release.yml",
            value=node.text,
        )
