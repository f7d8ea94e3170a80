"""Every rule, run over what was read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from offline.audit.rules import ages, bases, builds, files, packages, ports, services, start

if TYPE_CHECKING:
    from offline.audit.model import Finding
    from offline.audit.sources import Sources


def findings(sources: Sources) -> Iterator[Finding]:
    """All findings, in no particular order."""
    for module in (bases, packages, builds, start, files, services, ports, ages):
        yield from module.check(sources)
