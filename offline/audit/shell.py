"""Shell text as tree-sitter-bash reads it: every simple command with its words, its line and its surroundings.

Nothing is executed and nothing is guessed from text: a name in a comment, in a string that is only printed, or in a
here-document that becomes a file is no command. Wrappers (sudo, env, xargs, `sh -c` …) are in offline.audit.wrappers.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from offline.audit.expand import expand
from offline.audit.located import Located, joined

if TYPE_CHECKING:
    from tree_sitter import Node, Parser

DEEPEST = 200
LARGEST = 1 << 20

_REDIRECTS = {"file_redirect", "heredoc_redirect", "herestring_redirect"}
_LITERALS = {"word", "number", "raw_string", "string", "concatenation", "ansi_c_string", "translated_string"}
_WORDS = _LITERALS | {"simple_expansion", "expansion", "command_substitution", "process_substitution"}
_NOT_WALKED = {"comment", "word", "raw_string", "variable_name", "number", "string_content"}


@dataclass(frozen=True, kw_only=True)
class Word:
    """One word of a command: its value with variables resolved where known, and the text inside its quotes."""

    value: str
    inside: Located
    quoted: bool = False


@dataclass(frozen=True, kw_only=True)
class Command:
    """One simple command. `writes` are the files its output goes to; `before` the commands that feed its input."""

    words: tuple[Word, ...]
    line: int
    assigned: tuple[tuple[str, str], ...] = ()
    stdin: Located | None = None
    writes: tuple[str, ...] = ()
    before: tuple[Command, ...] = ()
    function: str = ""

    @property
    def values(self) -> tuple[str, ...]:
        """The words as text."""
        return tuple(word.value for word in self.words)

    @property
    def text(self) -> str:
        """The command on one line, for people."""
        return " ".join(self.values)


@functools.cache
def _parser() -> Parser:
    import tree_sitter
    import tree_sitter_bash

    return tree_sitter.Parser(tree_sitter.Language(tree_sitter_bash.language()))


def commands(text: Located, known: dict[str, str]) -> list[Command]:
    """Every command of `text` in the order it stands. `known` are variables; assignments on the way are added to it."""
    if not text.data.strip() or len(text.data) > LARGEST:
        return []
    tree = _parser().parse(text.data)
    return list(_Walk(text, known).walk(tree.root_node, _Around()))


@dataclass(frozen=True, kw_only=True)
class _Around:
    """What surrounds a node: redirections of the statement, earlier stages of the pipeline, the function it is in."""

    stdin: Located | None = None
    writes: tuple[str, ...] = ()
    before: tuple[Command, ...] = ()
    function: str = ""
    depth: int = 0


class _Walk:
    def __init__(self, text: Located, known: dict[str, str]) -> None:
        self.text = text
        self.known = known

    def walk(self, node: Node, around: _Around) -> Iterator[Command]:
        """The commands at and under `node`."""
        if around.depth > DEEPEST:
            return
        kind = node.type
        if kind == "command":
            yield from self._command(node, around)
        elif kind == "pipeline":
            yield from self._pipeline(node, around)
        elif kind == "redirected_statement":
            yield from self._redirected(node, around)
        elif kind in {"variable_assignment", "declaration_command"}:
            yield from self._declared(node, around)
        elif kind == "for_statement":
            self._loop(node)
            yield from self._children(node, self._inside(node, around))
        elif kind not in _NOT_WALKED:
            yield from self._children(node, self._inside(node, around))

    def _inside(self, node: Node, around: _Around) -> _Around:
        function = around.function
        if node.type == "function_definition":
            name = node.child_by_field_name("name")
            function = _text(name) if name is not None else function
        keep = node.type in {"subshell", "compound_statement", "list", "do_group", "negated_command"}
        return _Around(
            stdin=around.stdin if keep else None,
            writes=around.writes if keep else (),
            before=around.before if keep else (),
            function=function,
            depth=around.depth + 1,
        )

    def _children(self, node: Node, around: _Around) -> Iterator[Command]:
        for child in node.named_children:
            yield from self.walk(child, around)

    def _pipeline(self, node: Node, around: _Around) -> Iterator[Command]:
        before = around.before
        for child in node.named_children:
            found = list(self.walk(child, _Around(before=before, function=around.function, depth=around.depth + 1)))
            yield from found
            before = (*before, *found)

    def _redirected(self, node: Node, around: _Around) -> Iterator[Command]:
        redirects = [child for child in node.named_children if child.type in _REDIRECTS]
        writes = tuple(target for redirect in redirects for target in self._targets(redirect))
        stdin = next((body for redirect in redirects if (body := self._body(redirect)) is not None), around.stdin)
        inner = _Around(
            stdin=stdin,
            writes=around.writes + writes,
            before=around.before,
            function=around.function,
            depth=around.depth + 1,
        )
        found: list[Command] = []
        for child in node.named_children:
            if child.type not in _REDIRECTS:
                found += self.walk(child, inner)
        yield from found
        rest = _Around(before=tuple(found), function=around.function, depth=around.depth + 1)
        for redirect in redirects:
            yield from self.walk(redirect, rest)

    def _targets(self, redirect: Node) -> list[str]:
        if redirect.type == "heredoc_redirect":
            return [target for child in redirect.named_children for target in self._targets(child)]
        if redirect.type != "file_redirect":
            return []
        operator = next((child.type for child in redirect.children if not child.is_named), "")
        names = [self._word(child).value for child in redirect.named_children if child.type in _WORDS]
        return names if ">" in operator and "&" not in operator else []

    def _body(self, redirect: Node) -> Located | None:
        if redirect.type == "herestring_redirect":
            word = next((child for child in redirect.named_children if child.type in _WORDS), None)
            return self._word(word).inside if word is not None else None
        body = next((child for child in redirect.named_children if child.type == "heredoc_body"), None)
        if redirect.type != "heredoc_redirect" or body is None:
            return None
        return self.text.cut(body.start_byte, body.end_byte)

    def _loop(self, node: Node) -> None:
        """A loop's variable stands for its first value, if that is written out."""
        name = node.child_by_field_name("variable")
        value = next((child for child in node.named_children if child.type in _LITERALS), None)
        if name is not None:
            self.known.pop(_text(name), None)
            if value is not None and "$" not in (spelled := self._word(value).value):
                self.known[_text(name)] = spelled

    def _declared(self, node: Node, around: _Around) -> Iterator[Command]:
        inner = _Around(function=around.function, depth=around.depth + 1)
        yield from self._children(node, inner)
        assignments = [node] if node.type == "variable_assignment" else _of_type(node, "variable_assignment")
        for assignment in assignments:
            name, value = self._assignment(assignment)
            if value is None or "$(" in value or "`" in value:
                self.known.pop(name, None)
            else:
                self.known[name] = value

    def _assignment(self, node: Node) -> tuple[str, str | None]:
        name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
        spelled = _text(name) if name is not None else ""
        if value is None:
            return spelled, ""
        return spelled, self._word(value).value if value.type in _WORDS else None

    def _command(self, node: Node, around: _Around) -> Iterator[Command]:
        words: list[Word] = []
        assigned: list[tuple[str, str]] = []
        offset: int | None = None
        writes, stdin = around.writes, around.stdin
        for child in node.named_children:
            if child.type == "variable_assignment":
                name, value = self._assignment(child)
                assigned.append((name, value or ""))
            elif child.type in _REDIRECTS:
                writes += tuple(self._targets(child))
                stdin = self._body(child) or stdin
            else:
                spelled = child.named_children[0] if child.type == "command_name" and child.named_children else child
                offset = spelled.start_byte if offset is None else offset
                words += self._split(spelled)
        if words:
            yield Command(
                words=tuple(words),
                line=self.text.line(node.start_byte if offset is None else offset),
                assigned=tuple(assigned),
                stdin=stdin,
                writes=writes,
                before=around.before,
                function=around.function,
            )
        inner = _Around(function=around.function, depth=around.depth + 1)
        for child in node.named_children:
            if child.type != "word":
                yield from self.walk(child, inner)

    def _split(self, node: Node) -> list[Word]:
        """A word, or the several that an unquoted variable of several words becomes."""
        word = self._word(node)
        if word.quoted or node.type not in {"simple_expansion", "expansion"}:
            return [word]
        return [Word(value=piece, inside=word.inside) for piece in word.value.split()]

    def _word(self, node: Node) -> Word:
        kind = node.type
        if kind == "concatenation":
            parts = [self._word(child) for child in node.children]
            inside = joined(
                ((part.inside.data.decode("utf-8", "surrogateescape"), part.inside.lines[0]) for part in parts),
                self.text.path,
            )
            return Word(
                value="".join(part.value for part in parts), inside=inside, quoted=any(part.quoted for part in parts)
            )
        if kind == "raw_string":
            inside = self.text.cut(node.start_byte + 1, node.end_byte - 1)
            return Word(value=inside.data.decode("utf-8", "replace"), inside=inside, quoted=True)
        if kind in {"string", "translated_string"}:
            start = node.start_byte + (2 if kind == "translated_string" else 1)
            inside = _unescaped(self.text.cut(start, node.end_byte - 1))
            return Word(value=self._resolved(inside.data.decode("utf-8", "replace")), inside=inside, quoted=True)
        text = _text(node)
        inside = self.text.cut(node.start_byte, node.end_byte)
        if kind == "word":
            text = text.replace("\\\n", "").replace("\\", "") if "\\" in text else text
        return Word(value=self._resolved(text) if "$" in text else text, inside=inside)

    def _resolved(self, text: str) -> str:
        return expand(text, self.known, unknown=lambda spelling: spelling).text


def _text(node: Node) -> str:
    return (node.text or b"").decode("utf-8", "replace")


def _of_type(node: Node, kind: str) -> list[Node]:
    return [child for child in node.named_children if child.type == kind]


def _unescaped(text: Located) -> Located:
    r"""The inside of a double-quoted string: `\"`, `\\`, `\$`, backquotes and joined lines as the shell sees them."""
    data = text.data
    if b"\\" not in data:
        return text
    pieces: list[tuple[str, int]] = []
    position = 0
    while position < len(data):
        slash = data.find(b"\\", position)
        if slash < 0 or slash + 1 >= len(data):
            break
        following = data[slash + 1 : slash + 2]
        kept = b"" if following == b"\n" else following if following in b'"\\$`' else b"\\" + following
        pieces += _by_line(text, position, slash)
        pieces.append((kept.decode("utf-8", "surrogateescape"), text.line(slash)))
        position = slash + 2
    return joined([*pieces, *_by_line(text, position, len(data))], text.path)


def _by_line(text: Located, start: int, end: int) -> list[tuple[str, int]]:
    piece = text.cut(start, end)
    bounds = [*piece.starts, len(piece.data)]
    return [
        (piece.data[bounds[index] : bounds[index + 1]].decode("utf-8", "surrogateescape"), piece.lines[index])
        for index in range(len(piece.starts))
    ]
