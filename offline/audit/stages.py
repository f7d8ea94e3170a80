"""Stages of a Dockerfile: what each is built on, what it takes from elsewhere, and the variables it sees.

Scoping as in the Dockerfile reference, "Understand how ARG and FROM interact": an ARG before the first FROM counts
in FROM lines only, until a stage repeats it; ENV and ARG of a stage are inherited by stages built on it (ENV only).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from offline.audit.expand import by_name, expand
from offline.audit.references import OFFICIAL, is_plain_word

if TYPE_CHECKING:
    from offline.audit.dockerfile import Dockerfile, Instruction

# What BuildKit knows of itself in every FROM (Dockerfile reference, "Automatic platform ARGs").
PLATFORM_ARGS = {
    "TARGETPLATFORM": "linux/amd64",
    "TARGETOS": "linux",
    "TARGETARCH": "amd64",
    "TARGETVARIANT": "",
    "BUILDPLATFORM": "linux/amd64",
    "BUILDOS": "linux",
    "BUILDARCH": "amd64",
    "BUILDVARIANT": "",
}


@dataclass(kw_only=True)
class Stage:
    """One FROM and what follows it. `parent` is an earlier stage that it is built on."""

    number: int
    name: str
    line: int
    base: str
    base_type: str
    platform_written: str = ""
    parent: Stage | None = None
    instructions: list[Instruction] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)
    arguments: dict[str, str] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """The name, or the number where there is none."""
        return self.name or str(self.number)

    @property
    def lineage(self) -> list[Stage]:
        """This stage and those it is built on, the nearest first."""
        return [self, *(self.parent.lineage if self.parent else [])]


@dataclass(kw_only=True)
class Build:
    """A Dockerfile by stages; `before` are its ARG instructions ahead of the first FROM."""

    file: Dockerfile
    stages: list[Stage]
    global_args: dict[str, str]
    before: list[Instruction] = field(default_factory=list)

    def stage_named(self, name: str, below: int) -> Stage | None:
        """An earlier stage by name (in any case) or number."""
        for stage in reversed(self.stages[:below]):
            if stage.name.lower() == name.lower() or name == str(stage.number):
                return stage
        return None


def by_stages(file: Dockerfile, arguments: dict[str, str] | None = None) -> Build:
    """Sort the instructions of `file` into stages. `arguments` are build arguments given from outside."""
    build = Build(file=file, stages=[], global_args={})
    given = arguments or {}
    for instruction in file.instructions:
        if instruction.keyword == "FROM" and not instruction.onbuild:
            build.stages.append(_stage(instruction, build))
        elif build.stages or instruction.keyword != "ARG":
            # Without a FROM it is no Dockerfile, and is said to be none; what it would fetch is listed all the same.
            build.stages = build.stages or [
                Stage(number=0, name="", line=instruction.line, base="scratch", base_type="")
            ]
            build.stages[-1].instructions.append(instruction)
        else:
            build.before.append(instruction)
            for name, value in declared(instruction, build.global_args, unknown=by_name):
                if name in given or value is not None:
                    build.global_args[name] = given.get(name, value or "")
    return build


def declared(
    instruction: Instruction, known: dict[str, str], *, unknown: Callable[[str], str] = lambda _: ""
) -> list[tuple[str, str | None]]:
    """The (name, value) pairs of an ARG or ENV; the value is None where an ARG has no default.

    `unknown` says what stands for a variable without a value (nothing, by default).
    """
    if instruction.keyword == "ENV":
        words = instruction.words
        pairs: list[tuple[str, str | None]] = list(zip(words[::2], words[1::2], strict=False))
    else:
        split = [word.partition("=") for word in instruction.words]
        pairs = [(name, value if equals else None) for name, equals, value in split]
    return [
        (name, None if value is None else expand(unquoted(value), known, unknown=unknown).text) for name, value in pairs
    ]


def unquoted(value: str) -> str:
    """A Dockerfile word without its quotes."""
    if '"' not in value and "'" not in value:
        return value
    kept, quote = [], ""
    for letter in value:
        if letter in "\"'" and quote in {"", letter}:
            quote = "" if quote else letter
        else:
            kept.append(letter)
    return "".join(kept)


def _stage(instruction: Instruction, build: Build) -> Stage:
    words = instruction.words
    written = unquoted(words[0]) if words else ""
    known = PLATFORM_ARGS | build.global_args
    expanded = expand(written, known)
    name = words[2] if len(words) > 2 and words[1].lower() == "as" else ""  # noqa: PLR2004 - image AS name
    number = len(build.stages)
    parent = build.stage_named(expanded.text, number) if not expanded.text.isdigit() else None
    if parent is not None:
        kind = "from_stage"
    elif expanded.missing or not expanded.text or "$" in expanded.text:
        kind = "from_unresolved"
    else:
        kind = "from_image"
    return Stage(
        number=number,
        name=name,
        line=instruction.line,
        base=written if kind == "from_unresolved" else expanded.text,
        base_type=kind,
        platform_written=instruction.flag("platform") or "",
        parent=parent,
        environment=dict(parent.environment) if parent else {},
    )


def origin(build: Build, name: str, below: int, *, mount: bool, named: bool = False) -> str:
    """The type of `COPY --from=name` (or of a mount) in stage number `below`; `named`: it is an image for certain."""
    if build.stage_named(name, below) is not None:
        return "mount_from_stage" if mount else "copy_from_stage"
    if mount:
        return "mount_from_image"
    undefined = not named and (name.isdigit() or (is_plain_word(name) and name.lower() not in OFFICIAL))
    return "copy_from_undefined" if undefined else "copy_from_image"
