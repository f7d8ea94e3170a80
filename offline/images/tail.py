"""The end of a Dockerfile that copies files and says how to run them: what an application adds to an image. Pure.

What copies and describes needs nothing of the image below it, so it can be built apart, in an empty stage.
"""

from __future__ import annotations

import json
import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from offline.images import dockerfile

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_INSTRUCTION = re.compile(r"\s*([A-Za-z]+)\s+(.*)", re.DOTALL)
# A name would be looked up in the image below; variables may come from there.
_COPY = re.compile(r"((?:--(?:chown=\d+:\d+|chmod=[0-7]{3,4})\s+)*)([^-].*)", re.DOTALL)
_NOT_AS_WRITTEN = re.compile(r"""[$"'\\#]|<<""")
_ESCAPE = re.compile(r"^\s*#\s*escape\s*=", re.IGNORECASE | re.MULTILINE)
_DESCRIBES = {
    *("ARG", "CMD", "ENTRYPOINT", "ENV", "EXPOSE", "HEALTHCHECK", "LABEL", "MAINTAINER", "ONBUILD"),
    *("SHELL", "STOPSIGNAL", "USER", "VOLUME"),
}


class NotApartError(Exception):
    """Why an application's files cannot be had apart from the image below them."""


@dataclass(frozen=True, kw_only=True)
class Tail:
    """A Dockerfile in two: `below` it is an image of its own."""

    below: str
    """The Dockerfile up to the tail."""
    base: str
    """The external reference of its FROM where nothing else is below; else nothing, and `below` has to be built."""
    instructions: tuple[str, ...]


def read(text: str, given: Mapping[str, str]) -> Tail:
    """Cut a Dockerfile after the last instruction that works on files; `given` are the build arguments.

    Raises NotApartError where nothing is copied after it.
    """
    if _ESCAPE.search(text):
        raise NotApartError("its Dockerfile has another escape character")
    whole = list(dockerfile.instructions(text, keep_comments=True))
    start = next((at + 1 for at in reversed(range(len(whole))) if not _is_of_tail(whole[at])), 0)
    instructions = tuple(part for part in whole[start:] if not _is_comment(part))
    if not start or not any(_parts(part)[0] == "COPY" for part in instructions):
        last = _parts(whole[start - 1])[0] if start else "nothing"
        raise NotApartError(f"its Dockerfile copies nothing after its last {last}")
    below = "\n".join(whole[:start]) + "\n"
    facts = dockerfile.read(below, given)
    plain = _parts(whole[start - 1])[0] == "FROM" and len(facts.stages) == 1 and len(facts.bases) == 1
    return Tail(below=below, base=facts.bases[0] if plain else "", instructions=instructions)


def alone(tail: Tail, workdir: str) -> str:
    """The Dockerfile of the copied files and nothing else; `workdir` is the folder that the image below works in."""
    lines = ["FROM scratch"]
    if _is_place(workdir):
        lines.append(f"WORKDIR {workdir}")
    lines += [part for part in tail.instructions if _parts(part)[0] in {"COPY", "WORKDIR"}]
    return "\n".join(lines) + "\n"


def places(instructions: Sequence[str], workdir: str) -> frozenset[str]:
    """The folders that may be there without the copying: where to, and all above; as a tar names them."""
    at, found = workdir or "/", [workdir or "/"]
    for part in instructions:
        word, rest = _parts(part)
        if word == "WORKDIR":
            at = posixpath.join(at, rest.strip())
            found.append(at)
        elif word == "COPY":
            found.append(posixpath.join(at, _words(rest)[-1]))
    return frozenset(above for path in found for above in _upwards(posixpath.normpath(path).strip("/")))


def _is_of_tail(part: str) -> bool:
    if _is_comment(part):
        return True
    word, rest = _parts(part)
    if word == "WORKDIR":
        return not _NOT_AS_WRITTEN.search(rest)
    if word == "COPY":
        words = _words(rest)
        return len(words) > 1 and not any("$" in name for name in words)
    return word in _DESCRIBES


def _is_comment(part: str) -> bool:
    return not part.strip() or part.lstrip().startswith("#")


def _parts(part: str) -> tuple[str, str]:
    """The keyword and what follows it; neither where it is no instruction."""
    found = _INSTRUCTION.match(part)
    return (found[1].upper(), found[2]) if found else ("", "")


def _words(rest: str) -> list[str]:
    """Sources and destination of a COPY; none where they, or its flags, mean more than what is written."""
    found = _COPY.fullmatch(rest.replace("\\\n", " ").strip())
    if not found:
        return []
    try:
        words = json.loads(found[2])
    except ValueError:
        return [] if _NOT_AS_WRITTEN.search(found[2]) else found[2].split()
    return words if isinstance(words, list) else []


def _is_place(workdir: str) -> bool:
    if _NOT_AS_WRITTEN.search(workdir):
        raise NotApartError(f"the image below works in {workdir}")
    return workdir not in {"", "/"}


def _upwards(path: str) -> Iterator[str]:
    """A path and every folder above it, without the root."""
    while path:
        yield path
        path = posixpath.dirname(path)
