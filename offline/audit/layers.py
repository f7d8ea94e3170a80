"""Compose files that are given together: a base, and the files that override parts of it (`-f base -f override`).

Nothing in a source says which files go together but the files themselves. One that is named an override, or has a
service that is nothing by itself (no image, no build), is laid over the others of its folder.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from offline.audit.compose import ComposeFile, Service

_NAMED_OVERRIDE = re.compile(r"(?:^|[.\-_])override[.\-_]", re.IGNORECASE)
# Compose looks for these itself (Compose specification, "The Compose file").
CANONICAL = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
_AUTOMATIC = re.compile(r"^(?P<stem>(?:docker-)?compose)\.override\.ya?ml$")
_WHOLE = frozenset({"image", "build", "extends", "provider"})


def overrides(file: ComposeFile) -> bool:
    """Whether this file is laid over another one."""
    named = _NAMED_OVERRIDE.search(file.path.rpartition("/")[2]) is not None
    return named or any(not _WHOLE & service.keys.keys() for service in file.services.values())


def layers(
    file: ComposeFile, service: Service, beside: Iterable[ComposeFile], over: Collection[str]
) -> Iterator[Service]:
    """The service of the same name in the files that are given together with `file`.

    `beside` are the files of its folder, `over` the paths of all that override. Over a base lie all the overrides of
    its folder; under an override, and under any file beside a base, lies the base.
    """
    for other in beside:
        if other is file or service.name not in other.services:
            continue
        base = other.path.rpartition("/")[2] in CANONICAL or (file.path in over and other.path not in over)
        if base or (other.path in over and file.path not in over):
            yield other.services[service.name]


def overridden(file: ComposeFile, composes: Mapping[str, ComposeFile]) -> ComposeFile | None:
    """The file under a `compose.override.yaml`, which Compose reads together with it unasked."""
    folder, _, name = file.path.rpartition("/")
    match = _AUTOMATIC.match(name)
    if match is None:
        return None
    places = (f"{folder}/{match['stem']}{end}".lstrip("/") for end in (".yaml", ".yml"))
    return next((composes[place] for place in places if place in composes), None)
