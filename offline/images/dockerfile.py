"""Dockerfiles as text: their external bases, their stages, and the copy that is built in their place. Pure.

Only what a build needs is read here; the audit has BuildKit's own parser. Grammar: the Dockerfile reference.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MOUNTS = "--mount=type=secret,id=offline_env --mount=type=secret,id=offline_ca"
READ_ENVIRONMENT = ". /run/secrets/offline_env"

_FROM = re.compile(r"^(\s*FROM\s+(?:--\S+\s+)*)(\S+)(?:\s+AS\s+(\S+))?", re.IGNORECASE)
_COPY_FROM = re.compile(r"^\s*(?:COPY|ADD)\s+(?:--\S+\s+)*?--from=(\S+)", re.IGNORECASE)
_RUN = re.compile(r"^(\s*RUN\s+)((?:--\S+\s+)*)(.*)", re.IGNORECASE | re.DOTALL)
_ANY_ARG = re.compile(r"^\s*ARG\s", re.IGNORECASE)
_ARG = re.compile(r"^\s*ARG\s+([A-Za-z_]\w*)=(\"?)([^\"\s]*)\2", re.IGNORECASE)
_VARIABLE = re.compile(r"\$(?:\{(\w+)(?::-([^}]*))?\}|(\w+))")
_COPY = re.compile(r"^\s*(?:COPY|ADD)\s+(.*)", re.IGNORECASE | re.DOTALL)
_KEEPS = re.compile(
    r"((?:pip3?|npm|yarn) config (?:--\S+ )?set|sources\.list|apt\.conf|settings\.xml|update-ca-certificates"
    r"|^\s*ENV\s.*(?:INDEX_URL|_PROXY|REGISTRY|CA_BUNDLE|CERT_FILE))",
    re.IGNORECASE,
)
_ESCAPE = re.compile(r"^\s*#\s*escape\s*=\s*(\S)", re.IGNORECASE)
_HEREDOC = re.compile(r"<<-?\s*([\"']?)(\w+)\1")


@dataclass(frozen=True, kw_only=True)
class Dockerfile:
    """What matters of a Dockerfile before it is built."""

    bases: tuple[str, ...]
    """External references of its FROM lines, arguments resolved by their defaults, each once."""
    stages: tuple[str, ...]
    undefined: tuple[str, ...]
    """Names that a COPY --from asks for as if they were stages, and that no stage has."""


def read(text: str) -> Dockerfile:
    """Read bases and stages of a Dockerfile."""
    bases: list[str] = []
    stages: list[str] = []
    undefined: list[str] = []
    arguments: dict[str, str] = {}
    count = 0
    for instruction in instructions(text):
        found = _FROM.match(instruction)
        if found:
            reference = _resolved(found[2], arguments)
            if reference.lower() not in stages and reference != "scratch":
                bases.append(reference)
            stages.append((found[3] or str(count)).lower())
            count += 1
        elif not stages and (argument := _ARG.match(instruction)):
            arguments[argument[1]] = argument[3]
        elif copy := _COPY_FROM.match(instruction):
            name = copy[1].lower()
            if _is_stage_name(name) and name not in stages and not (name.isdigit() and int(name) < count):
                undefined.append(copy[1])
    return Dockerfile(
        bases=tuple(dict.fromkeys(bases)), stages=tuple(stages), undefined=tuple(dict.fromkeys(undefined))
    )


def keeps(text: str) -> tuple[str, ...]:
    """Lines that leave a mirror, a proxy or a certificate behind in the image, for the release engineer to know."""
    found = (line.strip() for whole in instructions(text) for line in whole.split("\n") if _KEEPS.search(line))
    return tuple(dict.fromkeys(found))


def arguments(text: str) -> tuple[str, ...]:
    """Names of the build arguments that a Dockerfile declares."""
    return tuple(
        re.split(r"[=\s]", whole.strip(), maxsplit=2)[1] for whole in instructions(text) if _ANY_ARG.match(whole)
    )


def copied(text: str) -> tuple[str, ...]:
    """What COPY and ADD take from the build context, as written: the only files that such a build can see."""
    sources: list[str] = []
    for whole in instructions(text):
        found = _COPY.match(whole.replace("\\\n", " "))
        if not found or _COPY_FROM.match(whole):
            continue
        words = json.loads(found[1]) if found[1].startswith("[") else found[1].split()
        sources += [word for word in words[:-1] if not word.startswith("--") and "://" not in word]
    return tuple(dict.fromkeys(sources))


def staged(text: str, bases: Mapping[str, str], *, secrets: bool) -> str:
    """The copy that is built: external bases replaced by local tags, LF line ends, no frontend from a registry.

    With `secrets`, every RUN in shell form sees the build's mirrors and certificates without keeping anything of them:
    a Dockerfile that brings its own secret mounts is left as it is.
    """
    text = text.replace("\r\n", "\n")
    inserting = secrets and "id=offline_env" not in text
    arguments: dict[str, str] = {}
    lines: list[str] = []
    for instruction in instructions(text, keep_comments=True):
        if argument := _ARG.match(instruction):
            arguments.setdefault(argument[1], argument[3])
        lines.append(_staged(instruction, bases, arguments, inserting=inserting))
    return "\n".join(lines) + "\n"


def _staged(instruction: str, bases: Mapping[str, str], arguments: Mapping[str, str], *, inserting: bool) -> str:
    if re.match(r"^\s*#\s*syntax\s*=", instruction, re.IGNORECASE):
        return "# (the frontend built into the engine is used)"
    if found := _FROM.match(instruction):
        reference = _resolved(found[2], arguments)
        start, end = found.span(2)
        return instruction[:start] + bases.get(reference, found[2]) + instruction[end:]
    if inserting and (found := _RUN.match(instruction)):
        keyword, flags, body = found.groups()
        if body.lstrip().startswith("["):
            return instruction
        prefix = "" if _HEREDOC.search(body) else f"{READ_ENVIRONMENT}; "
        return f"{keyword}{MOUNTS} {flags}{prefix}{body}"
    return instruction


def instructions(text: str, *, keep_comments: bool = False) -> Iterator[str]:
    """Whole instructions: continued lines joined as they stand, heredocs with their bodies.

    Comments and empty lines between them come as instructions of their own with `keep_comments`; inside a continued
    instruction they stay where they are.
    """
    directive = _ESCAPE.match(text)
    escape = directive[1] if directive else "\\"
    lines = iter(text.replace("\r\n", "\n").split("\n"))
    for line in lines:
        if not line.strip() or line.lstrip().startswith("#"):
            if keep_comments:
                yield line
            continue
        whole = [line]
        while _continues(whole[-1], escape):
            following = next(lines, None)
            if following is None:
                break
            whole.append(following)
        for _, word in _HEREDOC.findall("\n".join(whole)):
            whole += _heredoc(lines, word)
        yield "\n".join(whole)


def _continues(line: str, escape: str) -> bool:
    """Whether an instruction goes on after this line; comments and empty lines inside it do not end it."""
    stripped = line.strip()
    return stripped.endswith(escape) or not stripped or stripped.startswith("#")


def _heredoc(lines: Iterator[str], word: str) -> list[str]:
    body: list[str] = []
    for line in lines:
        body.append(line)
        if line.strip() == word:
            break
    return body


def _resolved(reference: str, arguments: Mapping[str, str]) -> str:
    """A reference with its variables replaced; one without a value stays as it is written."""
    return _VARIABLE.sub(lambda found: arguments.get(found[1] or found[3], found[2]) or found[0], reference)


def _is_stage_name(name: str) -> bool:
    """`--from` may also name an image; a bare word without `/`, `:` or `@` is taken for a stage."""
    return bool(re.fullmatch(r"[a-z0-9][a-z0-9._-]*", name))
