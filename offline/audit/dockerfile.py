"""A Dockerfile as BuildKit's own parser reads it, every instruction with the lines it stands on.

The parser joins continued lines and drops the comments between them. The audit must name the line of one command
inside such a joined instruction, so the joined text is put together again here from the raw lines, by the same rules
(BuildKit frontend/dockerfile/parser/parser.go), and each piece remembers its line.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from offline.audit.located import Located, concatenated, joined

_DIRECTIVE = re.compile(r"^\s*#\s*([A-Za-z][A-Za-z0-9]*)\s*=\s*(.+?)\s*$")
_COMMENT = re.compile(r"^\s*#")
_HEREDOC = re.compile(r"^\s*\d*<<-?\s*([\"']?)([^\s\"'<>|&;]+)\1\s*$")
_LEADING_HEREDOC = re.compile(rb"^(\d*<<-?\s*[\"']?\w+[\"']?)\s+(?=[^\s|;&])")
_DOCUMENT = "/.heredoc/"
_ERROR_LINE = re.compile(r"line (\d+)")


class DockerfileError(Exception):
    """The file is no Dockerfile; `line` is where that shows."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


class ParserMissingError(DockerfileError):
    """The packages that parse Dockerfiles and shell text are not on this machine; Windows has no wheel of one."""


@dataclass(frozen=True, kw_only=True)
class Heredoc:
    """A here-document: its name as written, and its content where it stands."""

    name: str
    content: Located


@dataclass(frozen=True, kw_only=True)
class Instruction:
    """One instruction: keyword in upper case, flags (`--from=x`), words, and the text after the flags."""

    keyword: str
    line: int
    flags: tuple[str, ...]
    words: tuple[str, ...]
    exec_form: bool
    text: Located
    heredocs: tuple[Heredoc, ...]
    onbuild: bool = False

    def flag(self, name: str) -> str | None:
        """The value of the last `--name=value`, or None."""
        values = self.flag_values(name)
        return values[-1] if values else None

    def flag_values(self, name: str) -> list[str]:
        """The values of every `--name=value`."""
        prefix = f"--{name}="
        return [flag[len(prefix) :] for flag in self.flags if flag.startswith(prefix)]

    @property
    def heredoc_script(self) -> Heredoc | None:
        """The here-document that is itself the script of this RUN, if it is of that form."""
        only = len(self.heredocs) == 1 and _HEREDOC.match(self.text.data.decode("utf-8", "replace"))
        return self.heredocs[0] if only else None

    def _command_first(self) -> Located:
        """The text; `<<EOF bash` turned into `bash <<EOF`, the same to a shell and better known to grammars."""
        leading = _LEADING_HEREDOC.match(self.text.data) if self.heredocs else None
        if leading is None:
            return self.text
        redirect, rest = self.text.cut(0, leading.end(1)), self.text.cut(leading.end(), len(self.text.data))
        return concatenated([rest, joined([(" ", rest.lines[-1])], rest.path), redirect], self.text.path)

    @property
    def documents(self) -> dict[str, Located]:
        """Several here-documents of one RUN by the file names that `shell_text` gives them."""
        several = len(self.heredocs) > 1
        return {f"{_DOCUMENT}{at}": one.content for at, one in enumerate(self.heredocs)} if several else {}

    def _documents_named(self) -> Located:
        """The text with each `<<NAME` as `<file`: grammars lose count of several here-documents on a line."""
        parts, position = [], 0
        for at, heredoc in enumerate(self.heredocs):
            mark = re.compile(rb"(?<!<)(\d*)<<-?[ \t]*([\"']?)" + re.escape(heredoc.name.encode()) + rb"\2(?!\w)")
            found = mark.search(self.text.data, position)
            if found is None:
                break
            named = joined([(f"{found[1].decode()}<{_DOCUMENT}{at} ", self.text.line(found.start()))], self.text.path)
            parts += [self.text.cut(position, found.start()), named]
            position = found.end()
        return concatenated([*parts, self.text.cut(position, len(self.text.data))], self.text.path)

    def shell_text(self) -> Located:
        """What the shell gets: the text, and after it the here-document that it names; several become `documents`."""
        if len(self.heredocs) > 1:
            return self._documents_named()
        parts = [self._command_first()]
        for heredoc in self.heredocs:
            line = heredoc.content.lines[-1]
            parts += [
                joined([("\n", self.line)], self.text.path),
                heredoc.content,
                joined([(f"{heredoc.name}", line)], self.text.path),
            ]
        return concatenated(parts, self.text.path) if self.heredocs else self.text


@dataclass(frozen=True, kw_only=True)
class Dockerfile:
    """A read Dockerfile: where, its directives, its instructions in order."""

    path: str
    instructions: tuple[Instruction, ...]
    syntax: str = ""
    syntax_line: int = 0
    escape: str = "\\"


def read_dockerfile(text: str, path: str, *, first_line: int = 1) -> Dockerfile:
    """Parse `text`; `first_line` is where it begins in the file (an inline Dockerfile of a compose file).

    Raises DockerfileError for what BuildKit refuses, with the line; ParserMissingError where nothing can be parsed.
    """
    try:
        import dockerfile
        import tree_sitter_bash  # noqa: F401 - half of a Dockerfile is shell
    except ImportError as missing:
        raise ParserMissingError(f"this machine has no package `{missing.name}` to parse it", first_line) from missing
    text = text.removeprefix("\ufeff")
    try:
        commands = dockerfile.parse_string(text)
    except (dockerfile.GoParseError, ValueError) as error:
        raise DockerfileError(str(error), _error_line(text, str(error)) + first_line - 1) from error
    raw = text.split("\n")
    directives = _directives(raw)
    escape, _ = directives.get("escape", ("\\", 0))
    lines = _RawLines(raw, path, escape, first_line - 1)
    syntax, syntax_line = directives.get("syntax", ("", 0))
    return Dockerfile(
        path=path,
        instructions=tuple(_instruction(command, lines) for command in commands if command.cmd),
        syntax=syntax,
        syntax_line=syntax_line + first_line - 1,
        escape=escape,
    )


def _directives(raw: list[str]) -> dict[str, tuple[str, int]]:
    """Parser directives: comments of the form `# name=value` before anything else."""
    found: dict[str, tuple[str, int]] = {}
    for number, line in enumerate(raw, start=1):
        match = _DIRECTIVE.match(line)
        if match is None or match[1].lower() not in {"syntax", "escape", "check"} or match[1].lower() in found:
            break
        found[match[1].lower()] = (match[2], number)
    return found


def _error_line(text: str, message: str) -> int:
    """Where the parser stopped: it says so itself, or it is the shortest beginning that it refuses in the same way."""
    import dockerfile

    named = _ERROR_LINE.search(message)
    if named:
        return int(named[1])
    if "unterminated heredoc" in message:
        return next((number for number, line in enumerate(text.split("\n"), 1) if "<<" in line), 1)
    lines = text.split("\n")
    low, high = 1, len(lines)
    while low < high:
        middle = (low + high) // 2
        try:
            dockerfile.parse_string("\n".join(lines[:middle]))
        except (dockerfile.GoParseError, ValueError) as error:
            if str(error) == message:
                high = middle
                continue
        low = middle + 1
    return low


class _RawLines:
    """The physical lines of a file, and how BuildKit joins them."""

    def __init__(self, raw: list[str], path: str, escape: str, shift: int) -> None:
        self.raw = [line.removesuffix("\r") for line in raw]
        self.path = path
        self.shift = shift
        mark = re.escape(escape)
        self.continued = re.compile(rf"(?:(?<!{mark}){mark}|^{mark})[ \t]*$")

    def logical(self, start: int, end: int) -> tuple[Located, int]:
        """The joined text of the instruction that begins on line `start`, and the line after it."""
        pieces: list[tuple[str, int]] = []
        number = start
        while number <= min(end, len(self.raw)):
            line = self.raw[number - 1]
            number += 1
            if pieces and (not line.strip() or _COMMENT.match(line)):
                continue
            mark = self.continued.search(line)
            text = line[: mark.start()] if mark else line
            pieces.append((text if pieces else text.lstrip(), number - 1 + self.shift))
            if mark is None:
                break
        return joined(pieces, self.path), number

    def block(self, first: int, count: int) -> Located:
        """`count` lines from `first`, as they stand."""
        numbered = range(first, min(first + count, len(self.raw) + 1))
        return joined([(self.raw[number - 1] + "\n", number + self.shift) for number in numbered], self.path)


def _instruction(command: object, lines: _RawLines) -> Instruction:
    start, end = command.start_line, command.end_line  # type: ignore[attr-defined]
    keyword, flags, words = command.cmd.upper(), command.flags, command.value  # type: ignore[attr-defined]
    text, after = lines.logical(start, end)
    heredocs = []
    for heredoc in command.heredocs:  # type: ignore[attr-defined]
        count = heredoc.content.count("\n")
        heredocs.append(Heredoc(name=heredoc.name, content=lines.block(after, count)))
        after += count + 1
    onbuild = keyword == "ONBUILD"
    instruction = Instruction(
        keyword=keyword,
        line=start + lines.shift,
        flags=flags,
        words=words,
        exec_form=command.json,  # type: ignore[attr-defined]
        text=_after_flags(text, flags, 2 if onbuild else 1),
        heredocs=tuple(heredocs),
    )
    return replace(instruction, keyword=(command.sub_cmd or "").upper(), onbuild=True) if onbuild else instruction  # type: ignore[attr-defined]


def _after_flags(text: Located, flags: tuple[str, ...], keywords: int) -> Located:
    """Cut off the keyword (two after ONBUILD) and as many flags as the parser found."""
    position = 0
    for _ in range(keywords + len(flags)):
        position = _next_word(text.data, position)
    return text.cut(position, len(text.data.rstrip()))


def _next_word(data: bytes, position: int) -> int:
    """The offset after the word at `position` and the blanks behind it; quotes hold a word together."""
    quote = 0
    while position < len(data) and (quote or data[position : position + 1] not in (b" ", b"\t")):
        byte = data[position]
        if byte in b"\"'" and quote in (0, byte):
            quote = 0 if quote else byte
        position += 1
    while position < len(data) and data[position : position + 1] in (b" ", b"\t"):
        position += 1
    return position
