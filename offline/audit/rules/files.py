"""Rules about the files that images and services take from the source: are they there, can Linux execute them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from offline.audit.compose import ComposeFile, env_files, extended, includes, mounts
from offline.audit.listed import listed
from offline.audit.rules.catalogue import found
from offline.audit.services import source_path
from offline.audit.source import RefusedError

if TYPE_CHECKING:
    from offline.audit.model import Finding
    from offline.audit.sources import Sources

_MODELS = listed(".pt .pth .onnx .gguf .safetensors .ckpt .tflite .pb .h5 .mlmodel .engine .bin")


def check(sources: Sources) -> Iterator[Finding]:
    """What Dockerfiles copy and services mount, then what Compose files take in."""
    checked: set[str] = set()
    for build in sources.builds.values():
        copied = list(sources.copied(build))
        # Where nothing of it is there, the context is not what was given, and nothing can be said about it.
        known = any(sources.source.exists(place) for _, place in copied)
        for line, place in copied if known else []:
            yield from _copied(sources, build.build.file.path, line, place)
            yield from _line_ends(sources, place, checked)
    for file, service in sources.services():
        for mount in mounts(service, file):
            mounted = source_path(file, mount.source) if mount.kind == "bind" else None
            if mounted is not None:
                yield from _line_ends(sources, mounted, checked)
    for file in sources.composes.values():
        yield from _links(sources, file)
        yield from _files_outside(file)


def _copied(sources: Sources, path: str, line: int, place: str) -> Iterator[Finding]:
    named = PurePosixPath(place)
    if "*" in place or "$" in place or "?" in place or "[" in place or named.name in {"", "."}:
        return
    if sources.source.exists(place) is False:
        model = named.suffix.lower() in _MODELS
        yield found(
            "missing-source",
            path,
            line,
            f"{place} is copied but is not in the source" + (": a model has to be brought along" if model else ""),
            "fetch it into the source before the release, or make the COPY optional",
            value=place,
        )


def _line_ends(sources: Sources, place: str, checked: set[str]) -> Iterator[Finding]:
    """A script with CRLF: `#!/bin/sh\\r` is no program, and Linux says that the *script* does not exist."""
    if place in checked or not sources.source.is_file(place):
        return
    checked.add(place)
    try:
        text = sources.source.text(place)
    except RefusedError:
        return
    executed = text.startswith("#!") or PurePosixPath(place).suffix in {".sh", ".bash"}
    if not executed or "\r\n" not in text:
        return
    line = text[: text.index("\r\n")].count("\n") + 1
    yield found(
        "crlf",
        place,
        line,
        f"{place} has Windows line ends; Linux answers `no such file or directory` when it is started",
        "save it with LF, and keep it so with `*.sh text eol=lf` in .gitattributes",
        value=place,
        severity="error" if PurePosixPath(place).suffix in {".sh", ".bash", ""} else "warning",
    )


def _links(sources: Sources, file: ComposeFile) -> Iterator[Finding]:
    links = [*includes(file), *(link for one in file.services.values() if (link := extended(one, file)) is not None)]
    for link in links:
        place = source_path(file, link.path) if link.path else None
        if link.path.startswith("/") or (place is not None and place.startswith("..")):
            yield _outside(file, link.line, link.how, link.path)
        elif place is not None and sources.source.exists(place) is False:
            yield found(
                "unreadable",
                file.path,
                link.line,
                f"{link.how} of {link.path}, which is not in the source; Compose refuses the file without it",
                "add that file, or take the line out",
                value=link.path,
            )
    yield from _cycles(sources, file)


def _outside(file: ComposeFile, line: int, how: str, path: str) -> Finding:
    return found(
        "outside-source",
        file.path,
        line,
        f"{how} of {path} leads outside the source, so it was not read",
        "move that file into the source",
        value=path,
    )


def _files_outside(file: ComposeFile) -> Iterator[Finding]:
    """Env files, secrets and configs that are reached by `../`."""
    taken = [("env_file", one.path, one.line) for service in file.services.values() for one in env_files(service, file)]
    for section in ("secrets", "configs"):
        entries = (value.entries().get("file") for _, value in file.named(section).values())
        taken += [(section, file.text(entry[1].text), entry[0].line) for entry in entries if entry is not None]
    for how, path, line in taken:
        if (source_path(file, path) or "").startswith(".."):
            yield _outside(file, line, how, path)


def _cycles(sources: Sources, file: ComposeFile) -> Iterator[Finding]:
    for service in file.services.values():
        where, one, seen = file, service, {(file.path, service.name)}
        while (link := extended(one, where)) is not None:
            path = (source_path(where, link.path) or "") if link.path else where.path
            if (path, link.service) == (file.path, service.name):
                yield _cycle(file, service.line_of("extends"), f"{service.name} extends itself, by way of {one.name}")
            if (path, link.service) in seen or path not in sources.composes:
                break
            seen.add((path, link.service))
            where = sources.composes[path]
            if link.service not in where.services:
                break
            one = where.services[link.service]
    if (line := _included_by_itself(sources, file)) is not None:
        yield _cycle(file, line, f"{file.path} includes itself")


def _included_by_itself(sources: Sources, file: ComposeFile) -> int | None:
    """The line of the `include` through which a file takes itself in, if one does."""
    for link in includes(file):
        waiting, seen = [source_path(file, link.path)], set()
        while waiting:
            path = waiting.pop()
            if path == file.path:
                return link.line
            if path is None or path in seen or path not in sources.composes:
                continue
            seen.add(path)
            waiting += [source_path(sources.composes[path], other.path) for other in includes(sources.composes[path])]
    return None


def _cycle(file: ComposeFile, line: int, message: str) -> Finding:
    return found("cycle", file.path, line, message, "break the circle: put what is shared into a third one")
