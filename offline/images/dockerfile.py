"""Dockerfiles as text: their external bases, their stages, and the copy that is built in their place. Pure.

Only what a build needs is read here; the audit has BuildKit's own parser. Grammar: the Dockerfile reference.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

MOUNTS = "--mount=type=secret,id=offline_env --mount=type=secret,id=offline_ca"
READ_ENVIRONMENT = ". /run/secrets/offline_env"

# What may stand between words: blanks, and the end of a line that goes on.
_GAP = r"(?:\s|\\(?=\n))+"
_FLAGS = rf"(?:--\S+{_GAP})*"
_FROM = re.compile(rf"^(\s*FROM{_GAP}{_FLAGS})(\S+)(?:{_GAP}AS{_GAP}(\S+))?", re.IGNORECASE)
_COPY = re.compile(rf"^\s*(?:COPY|ADD){_GAP}({_FLAGS})(.*)", re.IGNORECASE | re.DOTALL)
_COPY_FROM = re.compile(r"(?:^|\s)--from=(\S+)")
_RUN = re.compile(rf"^(\s*RUN\s+)((?:{_GAP}(?=--))?{_FLAGS})(.*)", re.IGNORECASE | re.DOTALL)
_ARG = re.compile(r"^\s*ARG\s+(.*)", re.IGNORECASE | re.DOTALL)
_ARGUMENT = re.compile(r"""(?<!\S)([A-Za-z_]\w*)(?:=("[^"]*"|'[^']*'|\S*))?""")
_VARIABLE = re.compile(r"\$(?:\{(\w+)(?::-([^}]*))?\}|(\w+))")
_KEEPS = re.compile(
    r"((?:pip3?|npm|yarn) config (?:--\S+ )?set|sources\.list|apt\.conf|settings\.xml|update-ca-certificates"
    r"|^\s*ENV\s.*(?:INDEX_URL|_PROXY|REGISTRY|CA_BUNDLE|CERT_FILE))",
    re.IGNORECASE,
)
_DIRECTIVE = re.compile(r"^\s*#\s*([A-Za-z]+)\s*=\s*(\S+)")
# A word of its own, as BuildKit reads it: neither `$((1<<2))` nor `<<<text`.
_HEREDOC = re.compile(r"(?<!\S)\d*<<-?([\"']?)(\w+)\1(?!\S)")
_HEREDOC_INSTRUCTION = re.compile(r"^\s*(?:RUN|COPY|ADD)\s", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Dockerfile:
    """What matters of a Dockerfile before it is built."""

    bases: tuple[str, ...]
    """External references of its FROM lines, arguments resolved by their defaults, each once."""
    stages: tuple[str, ...]
    undefined: tuple[str, ...]
    """Names that a COPY --from asks for as if they were stages, and that no stage has."""


def read(text: str, given: Mapping[str, str] | None = None) -> Dockerfile:
    """Read bases and stages of a Dockerfile; `given` are build arguments, which win over their defaults."""
    bases: list[str] = []
    stages: list[str] = []
    undefined: list[str] = []
    values = _global_arguments(text, given or {})
    for instruction in instructions(text):
        if found := _FROM.match(instruction):
            reference = _resolved(found[2], values)
            if reference.lower() not in stages and reference != "scratch":
                bases.append(reference)
            stages.append((found[3] or str(len(stages))).lower())
        elif (name := _copied_from(instruction)) and _is_undefined(name.lower(), stages):
            undefined.append(name)
    return Dockerfile(
        bases=tuple(dict.fromkeys(bases)), stages=tuple(stages), undefined=tuple(dict.fromkeys(undefined))
    )


def _global_arguments(text: str, given: Mapping[str, str]) -> dict[str, str]:
    """The values of the arguments before the first FROM: the only ones that a FROM line can use."""
    values: dict[str, str] = {}
    for instruction in instructions(text):
        if _FROM.match(instruction):
            break
        for name, default in _declared(instruction):
            values[name] = given.get(name, default)
    return values


def _declared(instruction: str) -> Iterator[tuple[str, str]]:
    """The arguments that an ARG line declares, each with its default or nothing."""
    if found := _ARG.match(instruction):
        for argument in _ARGUMENT.finditer(found[1]):
            yield argument[1], (argument[2] or "").strip("\"'")


def _copied_from(instruction: str) -> str:
    """The stage or image that a COPY takes from; nothing where it takes from the build context."""
    copy = _COPY.match(instruction)
    found = _COPY_FROM.search(copy[1]) if copy else None
    return found[1] if found else ""


def keeps(text: str) -> tuple[str, ...]:
    """Lines that leave a mirror, a proxy or a certificate behind in the image, for the release engineer to know."""
    found = (line.strip() for whole in instructions(text) for line in whole.split("\n") if _KEEPS.search(line))
    return tuple(dict.fromkeys(found))


def arguments(text: str) -> tuple[str, ...]:
    """Names of the build arguments that a Dockerfile declares."""
    return tuple(name for whole in instructions(text) for name, _ in _declared(whole))


def copied(text: str) -> tuple[str, ...]:
    """What COPY and ADD take from the build context, as written: the only files that such a build can see."""
    sources: list[str] = []
    for whole in instructions(text):
        found = _COPY.match(whole)
        if found and not _copied_from(whole) and not _HEREDOC.search(found[2]):
            words = _json_words(found[2]) or found[2].replace("\\\n", " ").split()
            sources += [word for word in words[:-1] if "://" not in word]
    return tuple(dict.fromkeys(sources))


def _json_words(text: str) -> list[str]:
    """The words of an instruction in JSON form; none where it is in shell form (`[ -f x ]` is)."""
    try:
        words = json.loads(text.replace("\\\n", " "))
    except ValueError:
        return []
    return words if isinstance(words, list) else []


def staged(text: str, bases: Mapping[str, str], given: Mapping[str, str], *, secrets: bool) -> str:
    """The copy that is built: external bases replaced by local tags, LF line ends, no frontend from a registry.

    `given` are the build arguments. With `secrets`, every RUN in shell form sees the build's mirrors and certificates
    without keeping anything of them: a Dockerfile that brings its own secret mounts is left as it is.
    """
    text = text.replace("\r\n", "\n")
    inserting = secrets and "id=offline_env" not in text
    values = _global_arguments(text, given)
    lines = [
        _staged(instruction, bases, values, inserting=inserting)
        for instruction in instructions(text, keep_comments=True)
        if not _asks_for_frontend(instruction)
    ]
    return "\n".join(lines).rstrip("\n") + "\n"


def _asks_for_frontend(line: str) -> bool:
    directive = _DIRECTIVE.match(line)
    return directive is not None and directive[1].lower() == "syntax"


def _staged(instruction: str, bases: Mapping[str, str], values: Mapping[str, str], *, inserting: bool) -> str:
    if found := _FROM.match(instruction):
        reference = _resolved(found[2], values)
        start, end = found.span(2)
        return instruction[:start] + bases.get(reference, found[2]) + instruction[end:]
    if inserting and (found := _RUN.match(instruction)):
        keyword, flags, body = found.groups()
        if _json_words(body):
            return instruction
        prefix = "" if _HEREDOC.search(body) else f"{READ_ENVIRONMENT}; "
        return f"{keyword}{MOUNTS} {flags}{prefix}{body}"
    return instruction


def instructions(text: str, *, keep_comments: bool = False) -> Iterator[str]:
    """Whole instructions: continued lines joined as they stand, heredocs with their bodies.

    Comments and empty lines between them come as instructions of their own with `keep_comments`; inside a continued
    instruction they stay where they are.
    """
    escape = _escape(text)
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
        if _HEREDOC_INSTRUCTION.match(whole[0]):
            for _, word in _HEREDOC.findall("\n".join(whole)):
                whole += _heredoc(lines, word)
        yield "\n".join(whole)


def _escape(text: str) -> str:
    """The escape character: directives stand at the very top, in any order."""
    for line in text.split("\n"):
        directive = _DIRECTIVE.match(line)
        if directive is None:
            break
        if directive[1].lower() == "escape":
            return directive[2]
    return "\\"


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


def _is_undefined(name: str, stages: Sequence[str]) -> bool:
    """Whether no stage so far is meant. `--from` may also name an image; a bare word is taken for a stage."""
    if name.isdigit():
        return int(name) >= len(stages)
    return name not in stages and re.fullmatch(r"[a-z0-9][a-z0-9._-]*", name) is not None
