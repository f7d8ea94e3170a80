"""The inventory of a Compose file: what its services need from outside and from the source."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from offline.audit.compose import (
    BuildSection,
    ComposeFile,
    Mount,
    Service,
    build_of,
    env_files,
    extended,
    includes,
    mounts,
    names,
)
from offline.audit.expand import expand
from offline.audit.model import Item
from offline.audit.source import relative

if TYPE_CHECKING:
    from offline.audit.nodes import Node

PULLED_AT_START = frozenset({"always", "daily", "weekly"})

Exists = Callable[[str], "bool | None"]


def inventory(file: ComposeFile, exists: Exists) -> list[Item]:
    """Everything that issue E lists for Compose. `exists` says whether a path below the root is there."""
    items = [item for service in file.services.values() for item in _Reader(file, service, exists).items()]
    items += [_item(file, link.line, "include", link.path) for link in includes(file)]
    items += _external(file, "networks", "network_external")
    items += _external(file, "volumes", "volume_external")
    items += _files(file, "secrets", "secret_file")
    items += _files(file, "configs", "config_file")
    items += [_item(file, line, "required_variable", name) for name, line in required_variables(file)]
    return items


def source_path(file: ComposeFile, path: str) -> str | None:
    """A path of a Compose file as seen from the root; None where it is absolute or not known before the start."""
    if path.startswith(("/", "~", "\\", "$")) or path[1:3] in {":\\", ":/"} or "${" in path or "://" in path:
        return None
    return relative(file.folder, path)


def health_of(service: Service) -> Node | None:
    """The health check of a service; None where there is none, or it is switched off."""
    node = service.value("healthcheck")
    if node is None:
        return None
    disabled, test = node.get("disable"), node.get("test")
    off = disabled is not None and disabled.true
    none = test is not None and "NONE" in {test.text, *(item.text for item in test.items[:1])}
    return None if off or none else node


def required_variables(file: ComposeFile) -> Iterator[tuple[str, int]]:
    """(name, line) of every `${NAME:?…}`."""
    for node in file.scalars():
        if "?" in node.text and "${" in node.text:
            found = expand(node.text, {}, double_dollar=True).required
            yield from ((name, node.line) for name in dict.fromkeys(found))


def _item(file: ComposeFile, line: int, kind: str, value: str) -> Item:
    return Item(path=file.path, line=line, type=kind, value=value)


def _external(file: ComposeFile, section: str, kind: str) -> Iterator[Item]:
    for name, (key, value) in file.named(section).items():
        external = value.get("external")
        if external is not None and (external.true or external.kind == "mapping"):
            yield _item(file, key.line, kind, name)


def _files(file: ComposeFile, section: str, kind: str) -> Iterator[Item]:
    for _, value in file.named(section).values():
        entry = value.entries().get("file")
        if entry is not None:
            yield _item(file, entry[0].line, kind, file.text(entry[1].text))


@dataclass(frozen=True)
class _Reader:
    file: ComposeFile
    service: Service
    exists: Exists

    def items(self) -> Iterator[Item]:
        """Every item of one service."""
        service, file = self.service, self.file
        yield self._item(service.line, "service", service.name)
        if (image := service.value("image")) is not None and image.kind == "scalar":
            yield self._item(service.line_of("image"), "image", file.text(image.text))
        if (build := build_of(service, file)) is not None:
            yield self._item(build.line, "build", _build_value(build))
        yield from self._env_files()
        for mount in mounts(service, file):
            yield from self._mount(mount)
        yield from self._ports()
        yield from self._named("depends_on", "depends_on")
        yield from self._named("profiles", "profile")
        yield from self._rest()

    def _item(self, line: int, kind: str, value: str, *, exists: bool | None = None) -> Item:
        return Item(path=self.file.path, line=line, type=kind, value=value, service=self.service.name, exists=exists)

    def _env_files(self) -> Iterator[Item]:
        for entry in env_files(self.service, self.file):
            yield self._item(entry.line, "env_file", entry.path)
            place = source_path(self.file, entry.path)
            if entry.required and place is not None and self.exists(place) is False:
                yield self._item(entry.line, "env_file_missing", entry.path)

    def _mount(self, mount: Mount) -> Iterator[Item]:
        if mount.kind == "volume":
            yield self._item(mount.line, "named_volume", mount.source)
        elif mount.kind == "bind":
            place = source_path(self.file, mount.source)
            there = None if place is None else self.exists(place)
            yield self._item(mount.line, "bind_mount", mount.source, exists=there)
            if mount.source.endswith("docker.sock"):
                yield self._item(mount.line, "docker_socket", mount.source)

    def _ports(self) -> Iterator[Item]:
        node = self.service.value("ports")
        for item in node.items if node is not None else []:
            if item.kind == "mapping":
                published, target = item.string("published"), item.string("target")
                value = f"{published}:{target}" if published else target
            else:
                value = item.text
            yield self._item(item.line, "port", self.file.text(value))

    def _named(self, key: str, kind: str) -> Iterator[Item]:
        for name, line in names(self.service.value(key)):
            yield self._item(line, kind, name)

    def _rest(self) -> Iterator[Item]:
        service, file = self.service, self.file
        if health_of(service) is not None:
            yield self._item(service.line_of("healthcheck"), "healthcheck", "")
        if (link := extended(service, file)) is not None:
            yield self._item(link.line, "extends", f"{link.path}#{link.service}".lstrip("#"))
        policy = service.value("pull_policy")
        if policy is not None and (policy.text in PULLED_AT_START or policy.text.startswith("every_")):
            yield self._item(service.line_of("pull_policy"), "runtime_pull", policy.text)


def _build_value(build: BuildSection) -> str:
    if build.inline is not None:
        return f"{build.context} (inline)"
    return f"{build.context.rstrip('/')}/{build.dockerfile}" if build.dockerfile else build.context
