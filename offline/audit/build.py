"""What a build fetches: one pass over the stages of a Dockerfile, into its RUN bodies and the scripts they run."""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from offline.audit.expand import expand
from offline.audit.model import Item
from offline.audit.network import downloads, is_index_name
from offline.audit.shell import Command, commands
from offline.audit.stages import PLATFORM_ARGS, Build, Stage, by_stages, declared, origin, unquoted
from offline.audit.tools import other_download
from offline.audit.wrappers import SHELLS, name_of, script_file, script_of, unwrapped

if TYPE_CHECKING:
    from offline.audit.dockerfile import Dockerfile, Instruction
    from offline.audit.located import Located

DEEPEST_SCRIPT = 6
_REMOTE = ("http://", "https://", "ftp://", "git://", "git@", "ssh://")
_POSIX_SHELLS = SHELLS | {"-c", "env"}
_SCRIPT_SHEBANGS = ("sh", "bash", "dash", "ash", "zsh", "ksh")

ScriptFinder = Callable[[str], "Located | None"]


@dataclass(frozen=True, kw_only=True)
class Ran:
    """A command of a build with what surrounds it, for rules that look at commands."""

    command: Command
    stage: Stage
    path: str
    instruction: Instruction
    kinds: tuple[str, ...]


@dataclass(kw_only=True)
class BuildAudit:
    """What one Dockerfile brings: its stages, items, commands, and what could not be analysed (line, reason)."""

    build: Build
    items: list[Item] = field(default_factory=list)
    ran: list[Ran] = field(default_factory=list)
    untyped: list[Ran] = field(default_factory=list)
    not_analysed: list[tuple[int, str]] = field(default_factory=list)
    scripts: set[str] = field(default_factory=set)


@dataclass(kw_only=True)
class _Files:
    """Where files of the build context are inside the image, in the order they were put there."""

    placed: list[tuple[str, str]] = field(default_factory=list)
    inline: dict[str, Located] = field(default_factory=dict)
    workdir: str = "/"


def audit_build(
    file: Dockerfile,
    *,
    find: ScriptFinder = lambda _: None,
    arguments: dict[str, str] | None = None,
    contexts: frozenset[str] = frozenset(),
) -> BuildAudit:
    """Everything that `file` fetches when it is built.

    `find` gives a file of the build context by its path there, or None. `arguments` are build arguments, `contexts`
    the named build contexts, as a compose file gives them.
    """
    result = BuildAudit(build=by_stages(file, arguments))
    if file.syntax:
        result.items.append(Item(path=file.path, line=file.syntax_line, type="syntax_frontend", value=file.syntax))
    reader = _StageReader(result, find, arguments or {}, contexts)
    for instruction in result.build.before:
        reader.indexes(instruction, result.build.global_args, None)
    for stage in result.build.stages:
        reader.read(stage)
    result.items[:] = dict.fromkeys(result.items)
    return result


class _StageReader:
    """Reads stage after stage; each inherits files, variables and what is fetched already from the stage it is on."""

    def __init__(
        self, result: BuildAudit, find: ScriptFinder, arguments: dict[str, str], contexts: frozenset[str]
    ) -> None:
        self.result = result
        self.path = result.build.file.path
        self.find = find
        self.arguments = arguments
        self.contexts = contexts
        self.files: dict[int, _Files] = {}
        self.done: dict[int, set[str]] = {}
        self.shells: dict[int, str] = {}

    def read(self, stage: Stage) -> None:
        """Add what `stage` brings."""
        parent = stage.parent
        inherited = self.files[parent.number] if parent else _Files()
        self.files[stage.number] = replace(inherited, placed=[*inherited.placed], inline={**inherited.inline})
        self.done[stage.number] = set(self.done[parent.number]) if parent else set()
        windows = (
            "windows" in stage.base.lower() or "nanoserver" in stage.base.lower() or "servercore" in stage.base.lower()
        )
        self.shells[stage.number] = self.shells[parent.number] if parent else "cmd" if windows else "sh"
        if stage.base != "scratch":
            self._item(stage.line, stage.base_type, stage.base, stage)
        for instruction in stage.instructions:
            self._instruction(instruction, stage)

    def _item(self, line: int, kind: str, value: str, stage: Stage | None, path: str = "") -> None:
        label = stage.label if stage else None
        self.result.items.append(Item(path=path or self.path, line=line, type=kind, value=value, stage=label))

    def _instruction(self, instruction: Instruction, stage: Stage) -> None:
        known = self.known(stage)
        match instruction.keyword:
            case "ARG" | "ENV":
                self.indexes(instruction, known, stage)
                self._variables(instruction, stage)
            case "SHELL":
                self.shells[stage.number] = (
                    name_of(instruction.words[0].replace("\\", "/")) if instruction.words else ""
                )
            case "WORKDIR":
                words = instruction.words
                folder = expand(unquoted(words[0]), known).text if words else ""
                files = self.files[stage.number]
                files.workdir = posixpath.normpath(posixpath.join(files.workdir, folder))
            case "COPY" | "ADD":
                self._copy(instruction, stage, known)
            case "RUN":
                self._run(instruction, stage, known)

    def known(self, stage: Stage) -> dict[str, str]:
        """The variables that a RUN of `stage` sees; ENV wins over ARG."""
        return {**stage.arguments, **stage.environment}

    def indexes(self, instruction: Instruction, known: dict[str, str], stage: Stage | None) -> None:
        """Package indexes set as variables."""
        if instruction.keyword not in {"ARG", "ENV"}:
            return
        for name, value in declared(instruction, known):
            if value and is_index_name(name) and value not in {"off", "direct"}:
                self._item(instruction.line, "index_url", value, stage)

    def _variables(self, instruction: Instruction, stage: Stage) -> None:
        for name, value in declared(instruction, self.known(stage)):
            if instruction.keyword == "ENV":
                stage.environment[name] = value or ""
            elif name in self.arguments:
                stage.arguments[name] = self.arguments[name]
            elif value is not None:
                stage.arguments[name] = value
            elif name in self.result.build.global_args:
                stage.arguments[name] = self.result.build.global_args[name]
            elif name in PLATFORM_ARGS:
                stage.arguments[name] = PLATFORM_ARGS[name]

    def _copy(self, instruction: Instruction, stage: Stage, known: dict[str, str]) -> None:
        source = instruction.flag("from")
        if source is not None:
            self._origin(unquoted(source), instruction.line, stage, mount=False)
            other = self.result.build.stage_named(source, stage.number)
            if other is not None:
                self._copied_between(instruction, stage, other, known)
            return
        words = [expand(unquoted(word), known).text for word in instruction.words]
        heredocs = {heredoc.name: heredoc.content for heredoc in instruction.heredocs}
        sources, target = words[:-1], words[-1] if words else ""
        for word in sources:
            if word.startswith("<<"):
                self._placed_inline(word.lstrip("<-").strip("\"'"), heredocs, target, stage)
            elif instruction.keyword == "ADD" and word.startswith(_REMOTE):
                self._item(instruction.line, "add_url", word, stage)
                if target.startswith(("/etc/apt/sources.list", "/etc/yum.repos.d")):
                    self._item(instruction.line, "repo_add", word, stage)
            else:
                self._placed(word, target, stage, several=len(sources) > 1)

    def _placed(self, source: str, target: str, stage: Stage, *, several: bool) -> None:
        files = self.files[stage.number]
        inside = posixpath.join(files.workdir, target)
        folder = several or target.endswith("/") or target in {".", "./"}
        clean = posixpath.normpath(source.lstrip("/") or ".")
        if folder and "*" not in clean and clean != ".":
            # A folder's content lands in the target itself, a file keeps its name there: both are looked for.
            files.placed.append((posixpath.normpath(posixpath.join(inside, posixpath.basename(clean))), clean))
        elif "*" in clean:
            clean = posixpath.dirname(clean) or "."
        files.placed.append((posixpath.normpath(inside), clean))

    def _placed_inline(self, name: str, heredocs: dict[str, Located], target: str, stage: Stage) -> None:
        content = heredocs.get(name)
        if content is None:
            return
        files = self.files[stage.number]
        inside = posixpath.join(files.workdir, target, name if target.endswith("/") else "")
        files.inline[posixpath.normpath(inside)] = content

    def _copied_between(self, instruction: Instruction, stage: Stage, other: Stage, known: dict[str, str]) -> None:
        words = [expand(unquoted(word), known).text for word in instruction.words]
        theirs, mine = self.files[other.number], self.files[stage.number]
        for source in words[:-1]:
            origin_path = self._in_context(posixpath.normpath(posixpath.join("/", source)), theirs)
            if origin_path is not None:
                target = posixpath.normpath(posixpath.join(mine.workdir, words[-1]))
                mine.placed.append((target, origin_path))
                mine.placed.append((posixpath.join(target, posixpath.basename(source)), origin_path))

    def _origin(self, name: str, line: int, stage: Stage, *, mount: bool) -> None:
        value = expand(name, {**self.result.build.global_args, **self.known(stage)}).text
        kind = origin(self.result.build, value, stage.number, mount=mount, contexts=self.contexts)
        if kind is not None and value != "scratch":
            self._item(line, kind, value, stage)

    # -- RUN ---------------------------------------------------------------------------------------------------------

    def _run(self, instruction: Instruction, stage: Stage, known: dict[str, str]) -> None:
        mounted = self._mounts(instruction, stage)
        shell = self.shells[stage.number]
        if not instruction.exec_form and shell not in _POSIX_SHELLS:
            self.result.not_analysed.append((instruction.line, f"the shell is {shell or 'not known'}"))
            return
        text = self._script_text(instruction)
        if text is None:
            return
        scope = _Scope(stage=stage, instruction=instruction, files=mounted, known=dict(known))
        self._script(text, scope)

    def _mounts(self, instruction: Instruction, stage: Stage) -> _Files:
        """The files of the stage, and what `--mount=type=bind` adds for this RUN."""
        files = self.files[stage.number]
        placed = [*files.placed]
        for mount in instruction.flag_values("mount"):
            options = dict(part.strip().partition("=")[::2] for part in mount.split(","))
            source = options.get("from", "")
            if source:
                self._origin(source, instruction.line, stage, mount=True)
            elif options.get("type", "bind") == "bind":
                target = next((options[key] for key in ("target", "dst", "destination") if key in options), "")
                start = next((options[key] for key in ("source", "src") if key in options), ".")
                inside = posixpath.normpath(posixpath.join(files.workdir, target))
                placed.append((inside, posixpath.normpath(start.lstrip("/") or ".")))
        return replace(files, placed=placed)

    def _script_text(self, instruction: Instruction) -> Located | None:
        heredoc = instruction.heredoc_script
        if heredoc is None:
            return _exec_text(instruction) if instruction.exec_form else instruction.shell_text()
        return heredoc.content if _is_shell(heredoc.content) else None

    def _script(self, text: Located, scope: _Scope) -> None:
        found = commands(text, scope.known)
        passing = {command.function for command in found if command.function and "$@" in command.text}
        for command in found:
            self._command(command, scope, passing)

    def _command(self, command: Command, scope: _Scope, passing: set[str]) -> None:
        inner = unwrapped(command)
        if inner.words and name_of(inner.words[0].value) in passing and inner.function != inner.words[0].value:
            inner = unwrapped(_passed_on(inner))
        if not inner.words:
            return
        text = script_of(inner)
        if text is not None and scope.depth < DEEPEST_SCRIPT:
            self._script(text, scope.deeper())
        kinds = tuple(downloads(inner, scope.known, self.done[scope.stage.number]))
        path = scope.path or self.path
        for kind, value in kinds:
            self._item(inner.line, kind, value, scope.stage, path)
        ran = Ran(
            command=inner,
            stage=scope.stage,
            path=path,
            instruction=scope.instruction,
            kinds=tuple(kind for kind, _ in kinds),
        )
        self.result.ran.append(ran)
        name, *words = inner.values
        if not kinds and other_download(name_of(name), words):
            self.result.untyped.append(ran)
        if text is None and not kinds:
            self._follow(inner, scope)

    def _follow(self, command: Command, scope: _Scope) -> None:
        named = script_file(command)
        if not named or "$" in named or scope.depth >= DEEPEST_SCRIPT:
            return
        script = self._file(named, scope)
        if script is None or not _is_shell(script, named) or script.path in scope.trail:
            return
        if script.path != self.path:
            self.result.scripts.add(script.path)
        self._script(script, scope.deeper(path=script.path))

    def _file(self, named: str, scope: _Scope) -> Located | None:
        inside = posixpath.normpath(posixpath.join(scope.files.workdir, named))
        if inside in scope.files.inline:
            return scope.files.inline[inside]
        for target, source in reversed(scope.files.placed):
            relative = _relative(inside, target)
            if relative is not None:
                content = self.find(posixpath.normpath(posixpath.join(source, relative)))
                if content is not None:
                    return content
        return None

    def _in_context(self, inside: str, files: _Files) -> str | None:
        for target, source in reversed(files.placed):
            relative = _relative(inside, target)
            if relative is not None:
                return posixpath.normpath(posixpath.join(source, relative))
        return None


@dataclass(frozen=True, kw_only=True)
class _Scope:
    """Where a script is run: stage, instruction, files, variables, and the scripts on the way here."""

    stage: Stage
    instruction: Instruction
    files: _Files
    known: dict[str, str]
    path: str = ""
    trail: tuple[str, ...] = ()
    depth: int = 0

    def deeper(self, path: str = "") -> _Scope:
        """The scope of a script that this one runs."""
        trail = (*self.trail, path) if path else self.trail
        return replace(self, depth=self.depth + 1, path=path or self.path, trail=trail)


def _relative(inside: str, target: str) -> str | None:
    """The path of `inside` below `target`: "." for itself, None where it is elsewhere."""
    if inside == target:
        return "."
    prefix = target.rstrip("/") + "/"
    return inside[len(prefix) :] if inside.startswith(prefix) else None


def _passed_on(command: Command) -> Command:
    """`retry 5 curl x` for a function that runs its arguments: the first word of them that is a program's name."""
    words = command.words[1:]
    while words and (words[0].value.replace(".", "").isdigit() or words[0].value.startswith("-")):
        words = words[1:]
    return replace(command, words=words)


def _is_shell(text: Located, name: str = "") -> bool:
    """A script for a shell: by its `#!` line, or with none, by its name or for want of anything else."""
    first = text.data.split(b"\n", 1)[0].decode("utf-8", "replace")
    if first.startswith("#!"):
        words = [name_of(word) for word in first[2:].split()]
        return any(word in _SCRIPT_SHEBANGS for word in words[:3])
    return not name.endswith((".py", ".pl", ".rb", ".js", ".php", ".ps1")) and b"\0" not in text.data[:1024]


def _exec_text(instruction: Instruction) -> Located:
    """The JSON form as a command line: every element one quoted word, the script of `sh -c` where it stands."""
    from offline.audit.located import concatenated, joined

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
