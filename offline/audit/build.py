"""What a build fetches: one pass over the stages of a Dockerfile, into its RUN bodies and the scripts they run."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from offline.audit import pycode
from offline.audit.expand import by_name, expand
from offline.audit.model import Item
from offline.audit.network import downloads, is_index_name
from offline.audit.placed import Placed, ScriptFinder
from offline.audit.scope import Scope, exec_text, is_shell, passed_on
from offline.audit.shell import Command, commands
from offline.audit.stages import PLATFORM_ARGS, Build, Stage, by_stages, declared, origin, unquoted
from offline.audit.tools import other_download
from offline.audit.wrappers import SHELLS, name_of, python_script, script_file, script_of, unwrapped

if TYPE_CHECKING:
    from offline.audit.dockerfile import Dockerfile, Instruction
    from offline.audit.located import Located

DEEPEST_SCRIPT = 6
# A command of this name runs what the function or script was given.
_ARGUMENTS = frozenset({"$@", "$*", "${@}", "${*}"})
_IMAGE_CONTEXT = "docker-image://"
_REMOTE = ("http://", "https://", "ftp://", "git://", "git@", "ssh://")
_SOURCES = frozenset({".", "source"})
_MOVERS = frozenset({"mv", "cp", "ln", "install"})
_POSIX_SHELLS = SHELLS | {"-c", "env"}


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
    """What one Dockerfile brings: its stages, items, commands, and what could not be analysed (line, reason).

    `copies` are (line, path in the context); `requirements` the (path, text) that a pip command names, by its place;
    `started` the script that an ENTRYPOINT or CMD runs, by its line.
    """

    build: Build
    items: list[Item] = field(default_factory=list)
    ran: list[Ran] = field(default_factory=list)
    untyped: list[Ran] = field(default_factory=list)
    not_analysed: list[tuple[int, str]] = field(default_factory=list)
    copies: list[tuple[int, str]] = field(default_factory=list)
    requirements: dict[tuple[str, int], list[tuple[str, str]]] = field(default_factory=dict)
    started: dict[int, Located] = field(default_factory=dict)

    @property
    def healthy(self) -> bool:
        """Whether the image itself has a health check."""
        lineage = self.build.stages[-1].lineage if self.build.stages else []
        checks = [one for stage in lineage for one in stage.instructions if one.keyword == "HEALTHCHECK"]
        return bool(checks) and checks[-1].words[:1] != ("NONE",)


def audit_build(
    file: Dockerfile,
    *,
    find: ScriptFinder = lambda _: None,
    arguments: dict[str, str] | None = None,
    contexts: Mapping[str, str] | None = None,
) -> BuildAudit:
    """Everything that `file` fetches when it is built.

    `find` gives a file of the build context by its path there, or None. `arguments` are build arguments, `contexts`
    the named build contexts by what they are, as a compose file gives them.
    """
    result = BuildAudit(build=by_stages(file, arguments))
    if file.syntax:
        result.items.append(Item(path=file.path, line=file.syntax_line, type="syntax_frontend", value=file.syntax))
    reader = _StageReader(result, find, arguments or {}, contexts or {})
    for instruction in result.build.before:
        reader.indexes(instruction, result.build.global_args, None)
    for stage in result.build.stages:
        reader.read(stage)
    result.items[:] = dict.fromkeys(result.items)
    return result


class _StageReader:
    """Reads stage after stage; each inherits files, variables and what is fetched already from the stage it is on."""

    def __init__(
        self, result: BuildAudit, find: ScriptFinder, arguments: dict[str, str], contexts: Mapping[str, str]
    ) -> None:
        self.result = result
        self.path = result.build.file.path
        self.find = find
        self.arguments = arguments
        self.contexts = contexts
        self.files: dict[int, Placed] = {}
        self.done: dict[int, set[str]] = {}
        self.shells: dict[int, str] = {}

    def read(self, stage: Stage) -> None:
        """Add what `stage` brings."""
        parent = stage.parent
        self.files[stage.number] = self.files[parent.number].copy() if parent else Placed()
        self.done[stage.number] = set(self.done[parent.number]) if parent else set()
        windows = (
            "windows" in stage.base.lower() or "nanoserver" in stage.base.lower() or "servercore" in stage.base.lower()
        )
        self.shells[stage.number] = self.shells[parent.number] if parent else "cmd" if windows else "sh"
        image = stage.base if stage.parent else self._by_context(stage.base)
        if image not in {"scratch", "", None}:
            self._item(stage.line, stage.base_type, image or "", stage)
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
                self.files[stage.number].work_in(
                    expand(unquoted(words[0]), known, unknown=by_name).text if words else ""
                )
            case "COPY" | "ADD":
                self._copy(instruction, stage, known)
            case "RUN":
                self._run(instruction, stage, known)
            case "ENTRYPOINT" | "CMD":
                self._started(instruction, stage)

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
        for name, value in declared(instruction, self.known(stage), unknown=by_name):
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
            words = [expand(unquoted(word), known, unknown=by_name).text for word in instruction.words]
            if other is not None:
                for word in words[:-1]:
                    self.files[stage.number].put_from(self.files[other.number], word, words[-1])
            return
        words = [expand(unquoted(word), known, unknown=by_name).text for word in instruction.words]
        heredocs = {heredoc.name: heredoc.content for heredoc in instruction.heredocs}
        sources, target = words[:-1], words[-1] if words else ""
        for word in sources:
            name = word.lstrip("<-").strip("\"'")
            if word.startswith("<<") and name in heredocs:
                self.files[stage.number].put_inline(name, heredocs[name], target)
            elif instruction.keyword == "ADD" and word.startswith(_REMOTE):
                self._item(instruction.line, "add_url", word, stage)
                if target.startswith(("/etc/apt/sources.list", "/etc/yum.repos.d")):
                    self._item(instruction.line, "repo_add", word, stage)
            else:
                self.result.copies.append((instruction.line, word.lstrip("/") or "."))
                self._vendored(word, stage)
                self.files[stage.number].put(word, target, several=len(sources) > 1)

    def _vendored(self, source: str, stage: Stage) -> None:
        """A vendor folder that comes along has the modules of a Go build already."""
        vendor = source if source.rstrip("/").endswith("vendor") else f"{source}/vendor"
        if self.find(posixpath.normpath(f"{vendor.lstrip('/')}/modules.txt")) is not None:
            self.done[stage.number].add("go")

    def _origin(self, name: str, line: int, stage: Stage, *, mount: bool) -> None:
        value = expand(name, {**self.result.build.global_args, **self.known(stage)}).text
        staged = self.result.build.stage_named(value, stage.number) is not None
        image = value if staged else self._by_context(value)
        if image not in {"scratch", None}:
            kind = origin(self.result.build, image or "", stage.number, mount=mount, named=value in self.contexts)
            self._item(line, kind, image or "", stage)

    def _by_context(self, name: str) -> str | None:
        """The image that a name stands for: itself, that of a named build context, or None where that is a folder."""
        context = self.contexts.get(name)
        if context is None:
            return name
        return context.removeprefix(_IMAGE_CONTEXT) if context.startswith(_IMAGE_CONTEXT) else None

    def _started(self, instruction: Instruction, stage: Stage) -> None:
        """Remember the script from the context that the container starts with."""
        written = instruction.text.data.decode("utf-8", "replace").split()
        for word in instruction.words if instruction.exec_form else written:
            script = self.files[stage.number].find(word, self.find) if "/" in word or "." in word else None
            if script is not None and is_shell(script, word):
                self.result.started[instruction.line] = script
                return

    # -- RUN ---------------------------------------------------------------------------------------------------------

    def _run(self, instruction: Instruction, stage: Stage, known: dict[str, str]) -> None:
        mounted = self._mounts(instruction, stage)
        shell = self.shells[stage.number]
        if not instruction.exec_form and shell not in _POSIX_SHELLS:
            self.result.not_analysed.append((instruction.line, f"the shell is {shell or 'not known'}"))
            return
        text = self._script_text(instruction, stage)
        if text is None:
            return
        scope = Scope(stage=stage, instruction=instruction, files=mounted, known=dict(known))
        self._script(text, scope, instruction.documents)

    def _mounts(self, instruction: Instruction, stage: Stage) -> Placed:
        """The files of the stage, and what `--mount=type=bind` adds for this RUN."""
        files = self.files[stage.number].copy()
        for mount in instruction.flag_values("mount"):
            options = dict(part.strip().partition("=")[::2] for part in mount.split(","))
            if options.get("from"):
                self._origin(options["from"], instruction.line, stage, mount=True)
                other = self.result.build.stage_named(options["from"], stage.number)
                if other is not None:
                    files.mounted(options, self.files[other.number])
            elif options.get("type", "bind") == "bind":
                files.mounted(options)
        return files

    def _script_text(self, instruction: Instruction, stage: Stage) -> Located | None:
        heredoc = instruction.heredoc_script
        if heredoc is None:
            return exec_text(instruction) if instruction.exec_form else instruction.shell_text()
        if is_shell(heredoc.content):
            return heredoc.content
        if b"python" in heredoc.content.data.split(b"\n", 1)[0]:
            self._python(heredoc.content, stage)
        return None

    def _script(self, text: Located, scope: Scope, documents: Mapping[str, Located] | None = None) -> None:
        found = commands(text, scope.known, documents)
        scope.functions.update(command.function for command in found if command.function)
        passing = {command.function for command in found if command.function and command.values[0] in _ARGUMENTS}
        for command in found:
            self._command(command, scope, passing)

    def _command(self, command: Command, scope: Scope, passing: set[str]) -> None:
        inner = unwrapped(command)
        if inner.words and name_of(inner.words[0].value) in passing and inner.function != inner.words[0].value:
            inner = unwrapped(passed_on(inner))
        if not inner.words or (inner.words[0].value in scope.functions and inner.function != inner.words[0].value):
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
        if {"pkg_pip", "pkg_uv"}.intersection(ran.kinds):
            self._requirements(inner, scope, path)
        name, *words = inner.values
        if not kinds and other_download(name_of(name), words):
            self.result.untyped.append(ran)
        if text is None and not kinds:
            self._follow(inner, scope)

    def _requirements(self, command: Command, scope: Scope, path: str) -> None:
        """The requirements files that a pip command names, where they are in the context."""
        words = command.values
        named = [words[at + 1] for at, word in enumerate(words[:-1]) if word in {"-r", "--requirement"}]
        named += [word.removeprefix("-r") for word in words if word.startswith("-r") and word != "-r"]
        texts = [text for name in named if (text := scope.files.find(name, self.find)) is not None]
        entries = [(text.path, text.data.decode("utf-8", "replace")) for text in texts]
        if entries:
            self.result.requirements[path, command.line] = entries

    def _follow(self, command: Command, scope: Scope) -> None:
        """Go into a script from the context; `cd` on the way is where the next relative path starts."""
        named = script_file(command)
        first = command.values[0]
        if first == "cd" and len(command.values) > 1:
            scope.files.work_in(command.values[1].replace("${PWD}", scope.files.workdir))
        elif first in _MOVERS:
            self._moved(command, scope)
        if not named or scope.depth >= DEEPEST_SCRIPT:
            return
        bare = named == first and "/" not in named
        place = scope.files.program(named) if bare else named.replace("${PWD}", scope.files.workdir)
        script = scope.files.find(place, self.find) if place else None
        if script is None and python_script(command) is not None:
            self._follow_python(python_script(command) or "", scope)
        if script is None or not is_shell(script, named) or script.path in scope.trail:
            return
        self._script(script, scope.running(script.path, scope.files.inside(place or named), sourced=first in _SOURCES))
        given = command.words[1:] if named == first else command.words[2:]
        if given and any(arguments in script.data.split() for arguments in (b'"$@"', b"$@", b'"${@}"')):
            self._command(replace(command, words=given), replace(scope, depth=scope.depth + 1), set())

    def _moved(self, command: Command, scope: Scope) -> None:
        """`mv`, `cp`, `ln`, `install` of what came from the context: it may be run where it is now."""
        *sources, target = [word for word in command.values[1:] if not word.startswith("-")] or [""]
        for source in sources:
            start = source.partition("*")[0].rpartition("/")[0] if "*" in source else source
            if "*" in source or scope.files.find(source, self.find) is not None:
                inside, here = scope.files.inside(start), scope.files.inside(target)
                for files in (scope.files, self.files[scope.stage.number]):
                    files.put_from(scope.files.copy(), inside, here)

    def _follow_python(self, named: str, scope: Scope) -> None:
        script = scope.files.find(named, self.find)
        if script is not None:
            self._python(script, scope.stage)

    def _python(self, script: Located, stage: Stage) -> None:
        for call, line in pycode.model_downloads(script.data.decode("utf-8", "replace")):
            self._item(script.line_at(line), "model_download", call, stage, script.path)
