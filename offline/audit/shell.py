"""Shell text as tree-sitter-bash reads it: every simple command with its words, its line and its surroundings.

Nothing is executed and nothing is guessed from text: a name in a comment, in a string that is only printed, or in a
here-document that becomes a file is no command. Wrappers (sudo, env, xargs, `sh -c` …) are in offline.audit.wrappers.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from offline.audit.expand import by_name, expand
from offline.audit.located import Located, concatenated, joined
from offline.audit.ownfolder import own_folder

if TYPE_CHECKING:
    from tree_sitter import Node, Parser

DEEPEST = 200
LARGEST = 1 << 20

_REDIRECTS = {"file_redirect", "heredoc_redirect", "herestring_redirect"}
_LITERALS = {"word", "number", "raw_string", "string", "concatenation", "ansi_c_string", "translated_string"}
_WORDS = _LITERALS | {"simple_expansion", "expansion", "command_substitution", "process_substitution"}
_NOT_WALKED = {"comment", "word", "raw_string", "variable_name", "number", "string_content", "file_descriptor"}
# `pip install x `# why` && …`: to a shell it ends at the backquote, to the grammar at the end of the line.
_BACKQUOTED_COMMENT = re.compile(rb"(?<![^\s;&|])`[ \t]*#[^`\n]*`")
_TRANSPARENT = {"subshell", "compound_statement", "do_group", "negated_command"}


@dataclass(frozen=True, kw_only=True)
class Word:
    """One word of a command: its value with variables resolved where known, and the text inside its quotes."""

    value: str
    whole: Located
    start: int
    end: int
    quoted: bool = False

    @property
    def line(self) -> int:
        """The line that the word starts on."""
        return self.whole.line(self.start)

    @property
    def inside(self) -> Located:
        """The text between the quotes, where it stands."""
        return self.whole.cut(self.start, self.end)


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
def _parser() -> Parser | None:
    try:
        import tree_sitter
        import tree_sitter_bash
    except ImportError:
        return None
    return tree_sitter.Parser(tree_sitter.Language(tree_sitter_bash.language()))


def commands(text: Located, known: dict[str, str], documents: Mapping[str, Located] | None = None) -> list[Command]:
    """Every command of `text` in the order it stands. `known` are variables; assignments on the way are added to it.

    `documents` are texts by the file names under which commands read them (`sh </.heredoc/0`).
    """
    if not text.data.strip() or len(text.data) > LARGEST:
        return []
    parser = _parser()
    if parser is None:
        return []
    # As long as the text, so every offset still fits.
    tree = parser.parse(_BACKQUOTED_COMMENT.sub(lambda found: b" " * len(found[0]), text.data))
    walk = _Walk(text, known, documents or {})
    walk.walk(tree.root_node, _Around())
    return walk.found


@dataclass(frozen=True, kw_only=True)
class _Around:
    """What surrounds a node: redirections of the statement, earlier stages of the pipeline, the function it is in."""

    stdin: Located | None = None
    writes: tuple[str, ...] = ()
    before: tuple[Command, ...] = ()
    function: str = ""
    depth: int = 0


class _Walk:
    def __init__(self, text: Located, known: dict[str, str], documents: Mapping[str, Located]) -> None:
        self.text = text
        self.documents = documents
        self.known = known
        self.found: list[Command] = []

    def walk(self, node: Node, around: _Around) -> None:
        """Add the commands at and under `node` to what was found."""
        kind = node.type
        if kind in _NOT_WALKED or around.depth > DEEPEST:
            return
        visit = self._visits.get(kind)
        if visit is not None:
            visit(self, node, around)
        else:
            self._children(node, self._inside(node, around))

    def _inside(self, node: Node, around: _Around) -> _Around:
        keep = node.type in _TRANSPARENT
        return _Around(
            stdin=around.stdin if keep else None,
            writes=around.writes if keep else (),
            before=around.before if keep else (),
            function=around.function,
            depth=around.depth + 1,
        )

    def _children(self, node: Node, around: _Around) -> None:
        for child in node.named_children:
            self.walk(child, around)

    def _function(self, node: Node, around: _Around) -> None:
        name = node.child_by_field_name("name")
        function = _text(name) if name is not None else around.function
        self._children(node, _Around(function=function, depth=around.depth + 1))

    def _loop(self, node: Node, around: _Around) -> None:
        """A loop's variable stands for its first value, if that is written out."""
        name = node.child_by_field_name("variable")
        value = next((child for child in node.named_children if child.type in _LITERALS), None)
        if name is not None:
            self.known.pop(_text(name), None)
            if value is not None and "$" not in (spelled := self._word(value).value):
                self.known[_text(name)] = spelled
        self._children(node, self._inside(node, around))

    def _pipeline(self, node: Node, around: _Around) -> None:
        first, last = len(self.found), node.named_children[-1:]
        for child in node.named_children:
            before = (*around.before, *self.found[first:])
            writes = around.writes if child in last else ()
            self.walk(child, _Around(before=before, writes=writes, function=around.function, depth=around.depth + 1))

    def _list(self, node: Node, around: _Around) -> None:
        """`a && b > file`: the grammar gives the redirection to the list, the shell to its last command."""
        bare = _Around(before=around.before, function=around.function, depth=around.depth + 1)
        for child in node.named_children[:-1]:
            self.walk(child, bare)
        for child in node.named_children[-1:]:
            self.walk(child, replace(around, depth=around.depth + 1))

    def _redirected(self, node: Node, around: _Around) -> None:
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
        first = len(self.found)
        for child in node.named_children:
            if child.type not in _REDIRECTS:
                self.walk(child, inner)
        rest = _Around(before=tuple(self.found[first:]), function=around.function, depth=around.depth + 1)
        for redirect in redirects:
            self.walk(redirect, rest)

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
        if redirect.type == "file_redirect":
            named = (_text(child) for child in redirect.named_children if child.type in _WORDS)
            return next((self.documents[name] for name in named if name in self.documents), None)
        body = next((child for child in redirect.named_children if child.type == "heredoc_body"), None)
        if redirect.type != "heredoc_redirect" or body is None:
            return None
        return self.text.cut(body.start_byte, body.end_byte)

    def _declared(self, node: Node, around: _Around) -> None:
        self._children(node, _Around(function=around.function, depth=around.depth + 1))
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

    def _command(self, node: Node, around: _Around) -> None:
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
            command = Command(
                words=tuple(words),
                line=self.text.line(node.start_byte if offset is None else offset),
                assigned=tuple(assigned),
                stdin=stdin,
                writes=writes,
                before=around.before,
                function=around.function,
            )
            self.found.append(command)
        self._children(node, _Around(function=around.function, depth=around.depth + 1))

    def _split(self, node: Node) -> list[Word]:
        """A word, or the several that an unquoted variable of several words becomes."""
        word = self._word(node)
        if word.quoted or node.type not in {"simple_expansion", "expansion"}:
            return [word]
        return [replace(word, value=piece) for piece in word.value.split()]

    def _word(self, node: Node) -> Word:
        kind = node.type
        if kind == "word":
            text = _text(node)
            if "\\" in text:
                text = text.replace("\\\n", "").replace("\\", "")
            value = self._resolved(text) if "$" in text else text
            return Word(value=value, whole=self.text, start=node.start_byte, end=node.end_byte)
        if kind == "concatenation":
            return self._concatenated(node)
        if kind == "raw_string":
            value = _text(node)[1:-1]
            return Word(value=value, whole=self.text, start=node.start_byte + 1, end=node.end_byte - 1, quoted=True)
        if kind in {"string", "translated_string"}:
            start = node.start_byte + (2 if kind == "translated_string" else 1)
            inside = _unescaped(self.text.cut(start, node.end_byte - 1))
            value = self._resolved(inside.data.decode("utf-8", "replace"))
            return Word(value=value, whole=inside, start=0, end=len(inside.data), quoted=True)
        value = self._resolved(_text(node))
        return Word(value=value, whole=self.text, start=node.start_byte, end=node.end_byte)

    def _concatenated(self, node: Node) -> Word:
        parts = [self._word(child) for child in node.children]
        inside = concatenated((part.inside for part in parts), self.text.path)
        return Word(
            value="".join(part.value for part in parts),
            whole=inside,
            start=0,
            end=len(inside.data),
            quoted=any(part.quoted for part in parts),
        )

    def _resolved(self, text: str) -> str:
        return expand(own_folder(text, self.known), self.known, unknown=by_name).text

    _visits: ClassVar[dict[str, Callable[[_Walk, Node, _Around], None]]] = {
        "command": _command,
        "pipeline": _pipeline,
        "list": _list,
        # What follows `<<EOF` on its line is fed by the command before it.
        "heredoc_redirect": _children,
        "redirected_statement": _redirected,
        "variable_assignment": _declared,
        "declaration_command": _declared,
        "for_statement": _loop,
        "function_definition": _function,
    }


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
