"""One port of the host for two containers: the second does not start."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from offline.audit.rules.catalogue import found

if TYPE_CHECKING:
    from offline.audit.compose import ComposeFile, Service
    from offline.audit.model import Finding
    from offline.audit.nodes import Node
    from offline.audit.sources import Sources

_EVERYWHERE = frozenset({"", "0.0.0.0", "::", "[::]"})  # noqa: S104 - read, not bound
_RANGE = re.compile(r"^(\d+)(?:-(\d+))?$")


@dataclass(frozen=True, kw_only=True)
class _Published:
    """Ports of the host, first to last, that a service asks for; `written` tells one entry from another."""

    service: Service
    address: str
    first: int
    last: int
    protocol: str
    written: str

    def collides(self, other: _Published) -> bool:
        """Whether both cannot be had at once. The same entry twice in one service is one entry."""
        same = self.address == other.address or not _EVERYWHERE.isdisjoint({self.address, other.address})
        meets = self.first <= other.last and other.first <= self.last
        entry = self.service.name == other.service.name and self.written == other.written
        return same and meets and self.protocol == other.protocol and not entry


def check(sources: Sources) -> Iterator[Finding]:
    """Every file that is started, together with the one that Compose reads before it by itself."""
    for file in sources.composes.values():
        if file.path in sources.only_extended:
            continue
        base = sources.overridden(file)
        below = [] if base is None else [entry for _, entry in _ports(base)]
        taken = [entry for entry in below if not _replaced(entry.service.name, file)]
        for line, entry in _ports(file):
            other = next((one for one in taken if entry.collides(one)), None)
            taken.append(entry)
            if other is not None:
                yield _twice(file.path, line, entry, other)


def _replaced(name: str, file: ComposeFile) -> bool:
    """Whether `file` takes away the ports that a service has below it."""
    ports = file.services[name].keys.get("ports") if name in file.services else None
    return ports is not None and ports[1].tag in {"!override", "!reset"}


def _twice(path: str, line: int, entry: _Published, other: _Published) -> Finding:
    port = max(entry.first, other.first)
    names = " and by ".join(dict.fromkeys((other.service.name, entry.service.name)))
    return found(
        "port-twice",
        path,
        line,
        f"port {port} of the host is published twice, by {names}",
        "publish one of them on another port",
        value=f"{port}/{entry.protocol}",
    )


def _ports(file: ComposeFile) -> Iterator[tuple[int, _Published]]:
    """(line, entry) of every port whose number on the host is fixed; a service in a profile may never run."""
    for service in file.services.values():
        node = service.value("ports")
        if node is None or service.value("profiles") is not None:
            continue
        for item in node.items:
            if (entry := _published(item, service, file)) is not None:
                yield item.line, entry


def _published(item: Node, service: Service, file: ComposeFile) -> _Published | None:
    if item.kind == "mapping":
        address, port = file.text(item.string("host_ip")), file.text(item.string("published"))
        written, protocol = f"{address}:{port}:{item.string('target')}", item.string("protocol")
    else:
        written, _, protocol = file.text(item.text).partition("/")
        address, _, port = written.rpartition(":")[0].rpartition(":")
    numbers = _RANGE.match(port)
    if numbers is None or int(numbers[1]) == 0:
        return None
    return _Published(
        service=service,
        address=address,
        first=int(numbers[1]),
        last=int(numbers[2] or numbers[1]),
        protocol=protocol or "tcp",
        written=written,
    )
