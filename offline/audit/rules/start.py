"""What a container does when it starts: a download there fails on the first start without internet."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from offline.audit.compose import words
from offline.audit.located import Located, joined
from offline.audit.model import NETWORK_TYPES, Finding, Severity
from offline.audit.network import downloads
from offline.audit.rules.catalogue import found
from offline.audit.services import PULLED_AT_START
from offline.audit.shell import Command, commands
from offline.audit.wrappers import script_of, unwrapped

if TYPE_CHECKING:
    from offline.audit.build import BuildAudit
    from offline.audit.sources import Sources

_DEEPEST = 4
_PUBLIC = re.compile(r"^(?:https?|ftp)://[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}(?:[:/]|$)")
_HINT = "fetch it when the image is built, and let the container start with what it has"


def check(sources: Sources) -> Iterator[Finding]:
    """Entrypoints and commands of images and services, and pull policies."""
    for build in sources.builds.values():
        yield from _image(build)
    for file, service in sources.services():
        for key in ("entrypoint", "command"):
            node = service.value(key)
            if node is None:
                continue
            quoted = node.kind == "sequence"
            text = _quoted([file.text(item.text) for item in node.items]) if quoted else words(node, file)
            for command in _fetching(joined([(text, service.line_of(key))], file.path)):
                yield _at_start(file.path, service.line_of(key), f"{key} of {service.name}", command, "error")
        policy = service.value("pull_policy")
        if policy is not None and (policy.text in PULLED_AT_START or policy.text.startswith("every_")):
            yield found(
                "runtime-download",
                file.path,
                service.line_of("pull_policy"),
                f"pull_policy: {policy.text} asks a registry before {service.name} starts, and fails without one",
                "remove it; the kit's compose file never pulls",
                value=policy.text,
            )


def _image(build: BuildAudit) -> Iterator[Finding]:
    if not build.build.stages:
        return
    last = build.build.stages[-1]
    for instruction in last.instructions:
        if instruction.keyword not in {"ENTRYPOINT", "CMD"}:
            continue
        path, line = build.build.file.path, instruction.line
        text = joined([(_quoted(list(instruction.words)), line)], path) if instruction.exec_form else instruction.text
        for command in _fetching(text):
            yield _at_start(path, command.line, instruction.keyword, command, "error")
        script = build.started.get(line)
        if script is not None:
            for command in _fetching(script):
                yield _at_start(script.path, command.line, f"{script.path}, run by the container,", command, "warning")


def _at_start(path: str, line: int, where: str, command: Command, severity: Severity) -> Finding:
    return found(
        "runtime-download",
        path,
        line,
        f"{where} fetches when the container starts: {command.text[:80]}",
        _HINT,
        value=command.text[:80],
        severity=severity,
    )


def _quoted(parts: list[str]) -> str:
    return " ".join("'" + part.replace("'", "'\\''") + "'" for part in parts)


def _fetching(text: Located, depth: int = 0) -> Iterator[Command]:
    """The commands of `text` that reach the network."""
    known: dict[str, str] = {}
    for command in commands(text, known):
        inner = unwrapped(command)
        script = script_of(inner)
        if script is not None and depth < _DEEPEST:
            yield from _fetching(script, depth + 1)
        # What an image installed before it started is not known here, so npx and `go run` get the benefit of the doubt.
        fetched = downloads(inner, known, {"node", "go", "cargo", "uv"})
        if any(kind in NETWORK_TYPES and not _asks_a_neighbour(kind, value) for kind, value in fetched):
            yield inner


def _asks_a_neighbour(kind: str, value: str) -> bool:
    """A running container talks to its neighbours: an address without a public name is no download."""
    return kind in {"net_curl", "net_wget"} and _PUBLIC.match(value) is None
