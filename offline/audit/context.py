"""The build context of a Dockerfile: which folder its COPY lines speak of."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from offline.audit.located import Located, whole
from offline.audit.source import RefusedError, Source

if TYPE_CHECKING:
    from offline.audit.dockerfile import Dockerfile

_DOCKER_FOLDERS = frozenset({"docker", "dockerfiles", "containers", "container", "build", "ci"})


def context_of(file: Dockerfile, source: Source, declared: str | None) -> str:
    """The folder, relative to the root: the one a compose file declares, else the nearest that has what is copied.

    `docker build -f docker/Dockerfile .` leaves no trace in the Dockerfile but its COPY lines: of its own folder and
    those above it, the one where most of the copied paths exist is the context.
    """
    if declared is not None:
        return declared
    folder = PurePosixPath(file.path).parent
    copied = [
        named
        for instruction in file.instructions
        if instruction.keyword in {"COPY", "ADD"} and instruction.flag("from") is None
        for word in instruction.words[:-1]
        if "://" not in word and "$" not in word and not word.startswith("<<")
        if (named := _named(word)) not in {"", "."}
    ]
    candidates = [folder, *folder.parents]
    if not copied:
        # `COPY . /src` fits everywhere; a project builds in the folder that has its Dockerfiles in one below.
        hidden = any(part.startswith(".") or part.lower() in _DOCKER_FOLDERS for part in folder.parts)
        return (candidates[-1] if hidden else folder).as_posix()
    counts = [sum(1 for word in copied if source.exists((place / word).as_posix())) for place in candidates]
    return candidates[counts.index(max(counts))].as_posix()


def _named(word: str) -> str:
    """The path that a source of COPY names for certain: for a pattern, the folder before it."""
    plain = word.split("*", 1)[0].split("?", 1)[0].split("[", 1)[0]
    if plain != word:
        plain = plain.rpartition("/")[0]
    return plain.removeprefix("./").strip("/")


def finder(source: Source, context: str) -> Callable[[str], Located | None]:
    """A function that gives the text of a file of the build context, or None."""

    def find(path: str) -> Located | None:
        inside = (PurePosixPath(context) / path).as_posix()
        if path.startswith("..") or not source.is_file(inside):
            return None
        try:
            return whole(source.text(inside), inside)
        except RefusedError:
            return None

    return find
