"""Where a script of a build is run, and what is a script: shell text, the JSON form, what a function passes on."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from offline.audit.located import Located, concatenated, joined
from offline.audit.wrappers import name_of

if TYPE_CHECKING:
    from offline.audit.dockerfile import Instruction
    from offline.audit.placed import Placed
    from offline.audit.shell import Command
    from offline.audit.stages import Stage

_SCRIPT_SHEBANGS = ("sh", "bash", "dash", "ash", "zsh", "ksh")


@dataclass(frozen=True, kw_only=True)
class Scope:
    """Where a script is run: stage, instruction, files, variables, functions, and the scripts on the way here."""

    stage: Stage
    instruction: Instruction
    files: Placed
    known: dict[str, str]
    functions: set[str] = field(default_factory=set)
    path: str = ""
    trail: tuple[str, ...] = ()
    depth: int = 0

    def deeper(self) -> Scope:
        """The scope of a text that this one runs: `sh -c`, `eval`."""
        return replace(self, depth=self.depth + 1, files=self.files.copy())

    def running(self, path: str, own: str, *, sourced: bool) -> Scope:
        """The scope of a script that this one runs or reads in; `own` is its place in the image."""
        known = {**self.known, "BASH_SOURCE": own} | ({} if sourced else {"0": own})
        functions = self.functions if sourced else set()
        return replace(self.deeper(), path=path, trail=(*self.trail, path), known=known, functions=functions)


def passed_on(command: Command) -> Command:
    """`retry 5 curl x` for a function that runs its arguments: the first word of them that is a program's name."""
    words = command.words[1:]
    while words and (words[0].value.replace(".", "").isdigit() or words[0].value.startswith("-")):
        words = words[1:]
    return replace(command, words=words)


def is_shell(text: Located, name: str = "") -> bool:
    """A script for a shell: by its `#!` line, or with none, by its name or for want of anything else."""
    first = text.data.split(b"\n", 1)[0].decode("utf-8", "replace")
    if first.startswith("#!"):
        words = [name_of(word) for word in first[2:].split()]
        return any(word in _SCRIPT_SHEBANGS for word in words[:3])
    return not name.endswith((".py", ".pl", ".rb", ".js", ".php", ".ps1")) and b"\0" not in text.data[:1024]


def exec_text(instruction: Instruction) -> Located:
    """The JSON form as a command line: every element one quoted word, the script of `sh -c` where it stands."""
    text = instruction.text
    parts: list[Located] = []
    position = 0
    for word in instruction.words:
        spelled = word.encode("utf-8", "surrogateescape")
        at = text.data.find(spelled, position)
        start = at if at >= 0 else position
        line = text.line(start)
        quoted = "'" + word.replace("'", "'\\''") + "'"
        if at >= 0 and "'" not in word:
            edge = joined([("'", line)], text.path)
            parts += [edge, text.cut(at, at + len(spelled)), joined([("' ", text.line(at + len(spelled)))], text.path)]
        else:
            parts.append(joined([(quoted + " ", line)], text.path))
        position = start + (len(spelled) if at >= 0 else 0)
    return concatenated(parts, text.path)
