"""The build context of a Dockerfile: which folder its COPY lines speak of."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from offline.audit.located import Located, whole
from offline.audit.source import RefusedError, Source

if TYPE_CHECKING:
    from offline.audit.dockerfile import Dockerfile


def context_of(file: Dockerfile, source: Source, declared: str | None) -> str:
    """The folder, relative to the root: the one a compose file declares, else the nearest that has what is copied.

    `docker build -f docker/Dockerfile .` leaves no trace in the Dockerfile but its COPY lines: of its own folder and
    those above it, the one where most of the copied paths exist is the context.
    """
    if declared is not None:
        return declared
    folder = PurePosixPath(file.path).parent
    copied = [
        word.lstrip("/")
        for instruction in file.instructions
        if instruction.keyword in {"COPY", "ADD"} and instruction.flag("from") is None
        for word in instruction.words[:-1]
        if "://" not in word
        and "$" not in word
        and "*" not in word
        and not word.startswith("<<")
        and word not in {".", "./"}
    ]
    best, most = folder.as_posix(), -1
    for candidate in [folder, *folder.parents]:
        there = sum(1 for word in copied if source.exists((candidate / word).as_posix()))
        if there > most:
            best, most = candidate.as_posix(), there
    return best


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
