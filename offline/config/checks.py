"""Checks that a type alone cannot make. They raise ValueError, which the loader turns into a message with its path."""

from __future__ import annotations

import graphlib
import ipaddress
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from offline.config.schema import Release

_PORT = re.compile(r"^(?:(?P<host>\d+):)?(?P<container>\d+)(?:/(?P<protocol>tcp|udp))?$")
_OF_BACKUPS = ("modules", "env", "manifest")
_SECRET_NAME = re.compile(r"(PASSWORD|PASSWD|SECRET|TOKEN|API_?KEY|CREDENTIAL)", re.IGNORECASE)
REFERENCE = re.compile(r"\$\{([A-Z][A-Z0-9_]*)(?::\?[^}]*)?\}")
_LAST_PORT = 65_535


def bundle_path(value: str) -> str:
    """Refuse what could leave the bundle's folder or confuse a checksum list."""
    parts = value.split("/")
    if not value or any(part in {"", ".", ".."} for part in parts):
        raise ValueError("give a relative path with forward slashes, without . or ..")
    if "\\" in value or any(ord(character) < ord(" ") for character in value):
        raise ValueError("give a path without backslashes or control characters")
    return value


def folder_mode(value: str) -> str:
    """Four octal digits that do not let everybody write."""
    if not re.fullmatch(r"0[0-7]{3}", value):
        raise ValueError('give four octal digits in quotes, such as "0750"')
    if int(value, 8) & 0o002:
        raise ValueError("a folder that everybody can write is never the answer; name its user instead")
    return value


def port(value: str) -> str:
    """`HOST:CONTAINER` or `CONTAINER`, with `/udp` where it is."""
    match = _PORT.match(value)
    if not match:
        raise ValueError('give "HOST:CONTAINER" in quotes, such as "8002:8002"')
    numbers = [int(number) for number in match.group("host", "container") if number]
    if any(not 0 < number <= _LAST_PORT for number in numbers):
        raise ValueError("a port lies between 1 and 65535")
    return value


def subnet(value: str) -> str:
    """A private IPv4 network with room for the stack."""
    network = ipaddress.ip_network(value)
    if not network.is_private or network.version != 4 or network.num_addresses < 8:  # noqa: PLR2004
        raise ValueError("give a private IPv4 subnet of at least 8 addresses, such as 172.28.0.0/24")
    return value


def looks_secret(name: str) -> bool:
    """Whether a variable of this name holds something that must not be printed."""
    return bool(_SECRET_NAME.search(name))


def referenced(value: str) -> tuple[str, ...]:
    """The `${NAME}` references in a value of a service's environment."""
    return tuple(REFERENCE.findall(value))


def cross_references(release: Release) -> list[str]:
    """Every name that points to nothing, each as one sentence with its path."""
    return [
        *_unknown_names(release),
        *_cycles(release),
        *_modes(release),
        *_environment(release),
        *_payload(release),
        *_backups(release),
    ]


def _unknown_names(release: Release) -> Iterator[str]:
    services = release.services
    for name, service in services.items():
        yield from _missing(f"services.{name}.image", [service.image], release.images)
        yield from _missing(f"services.{name}.depends_on", service.depends_on, services)
    for number, item in enumerate(release.payload):
        yield from _missing(f"payload[{number}].service", [item.service], services)
    for name, data in release.data.items():
        yield from _missing(f"data.{name}.service", [data.service], services)
    for number, value in enumerate(release.first_run):
        yield from _missing(f"first_run[{number}]", [value.after, value.query_in, value.before], services)


def _missing(path: str, names: Iterable[str], known: Iterable[str]) -> Iterator[str]:
    for name in names:
        if name not in known:
            yield f'{path}: there is no "{name}" (there are: {", ".join(known)})'


def _cycles(release: Release) -> Iterator[str]:
    graph = {name: service.depends_on for name, service in release.services.items()}
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        circle = error.args[1]
        yield f"services.{circle[0]}.depends_on: it waits for itself ({' > '.join(circle)})"


def _modes(release: Release) -> Iterator[str]:
    modes = {mode for service in release.services.values() for mode in service.modes}
    if release.mode not in modes:
        yield f'mode: no service is in mode "{release.mode}" (modes: {", ".join(sorted(modes))})'


def _environment(release: Release) -> Iterator[str]:
    for name, service in release.services.items():
        for variable, value in service.environment.items():
            path = f"services.{name}.environment.{variable}"
            for secret in referenced(value):
                if secret not in release.secrets:
                    yield f'{path}: "{secret}" is not declared under "secrets"'
            if looks_secret(variable) and value and not referenced(value):
                yield f'{path}: a literal password; declare a name under "secrets" and write ${{NAME:?}}'


def _payload(release: Release) -> Iterator[str]:
    folders = {item.bundle for item in release.payload if item.owner == "host"}
    for name, data in release.data.items():
        if data.folder not in folders:
            yield f'data.{name}.folder: no payload item with owner "host" lies at "{data.folder}"'
    targets: set[tuple[str, str]] = set()
    for number, item in enumerate(release.payload):
        if (item.service, item.target) in targets:
            yield f"payload[{number}].target: {item.target} of {item.service} is mounted twice"
        targets.add((item.service, item.target))
        if item.single and len(item.files) != 1:
            yield f"payload[{number}].single: give exactly one file"
        if item.owner == "release" and not item.files:
            yield f'payload[{number}].files: nothing to ship; an empty folder belongs to owner "host"'


def _backups(release: Release) -> Iterator[str]:
    """Each part of a backup has a name of its own."""
    taken = {*_OF_BACKUPS, *release.data}
    databases = {data.folder for data in release.data.values()}
    for number, item in enumerate(release.payload):
        if item.backup and item.owner == "release":
            yield f"payload[{number}].backup: a backup holds what the host owns; this is shipped with each release"
        if not item.backup_name or item.bundle in databases:
            continue
        if item.backup_name in taken:
            yield f'payload[{number}].backup: a backup has another part called "{item.backup_name}"; give a name'
        taken.add(item.backup_name)
