"""`$NAME` and `${NAME:-word}` as the Dockerfile, shells and Compose know them.

Sources: Dockerfile reference "Environment replacement", Compose specification "Interpolation".
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_MODIFIER = re.compile(r":?[-+?]|##?|%%?|//?")
_DEEPEST = 20
# `A=$A$A` doubles its value at every step; no name of anything is this long.
_LONGEST = 1 << 14


@dataclass(frozen=True, kw_only=True)
class Expanded:
    """The text with every known variable put in; `missing` were neither set nor given a default."""

    text: str
    missing: tuple[str, ...] = ()
    required: tuple[str, ...] = ()


class _Reader:
    """One pass over one text; unknown variables are replaced by what `unknown` makes of their spelling."""

    def __init__(self, known: Mapping[str, str], unknown: Callable[[str], str], *, double_dollar: bool) -> None:
        self.known = known
        self.unknown = unknown
        self.double_dollar = double_dollar
        self.missing: list[str] = []
        self.required: list[str] = []

    def read(self, text: str, depth: int = 0) -> str:
        """Replace every variable of `text`."""
        pieces, position = [], 0
        while (dollar := text.find("$", position)) >= 0:
            pieces.append(text[position:dollar])
            piece, position = self._variable(text, dollar, depth)
            pieces.append(piece)
        pieces.append(text[position:])
        return "".join(pieces)

    def _variable(self, text: str, dollar: int, depth: int) -> tuple[str, int]:
        following = text[dollar + 1 : dollar + 2]
        if following == "$" and self.double_dollar:
            return "$", dollar + 2
        if following == "{":
            end = _closing(text, dollar + 2)
            if end < 0 or depth > _DEEPEST:
                return text[dollar:], len(text)
            return self._braced(text[dollar + 2 : end], text[dollar : end + 1], depth), end + 1
        name = _NAME.match(text, dollar + 1)
        if name is None:
            return "$", dollar + 1
        return self._plain(name[0], text[dollar : name.end()]), name.end()

    def _plain(self, name: str, spelling: str) -> str:
        if name in self.known:
            return self.known[name]
        self.missing.append(name)
        return self.unknown(spelling)

    def _braced(self, inside: str, spelling: str, depth: int) -> str:
        name = _NAME.match(inside)
        if name is None:
            return spelling
        modifier = _MODIFIER.match(inside, name.end())
        if modifier is None:
            return self._plain(name[0], spelling) if name.end() == len(inside) else spelling
        return self._modified(name[0], modifier[0], inside[modifier.end() :], spelling, depth)

    def _modified(self, name: str, operator: str, word: str, spelling: str, depth: int) -> str:
        value = self.known.get(name)
        given = bool(value) if operator.startswith(":") else value is not None
        if operator.endswith("-"):
            return (value or "") if given else self.read(word, depth + 1)
        if operator.endswith("+"):
            return self.read(word, depth + 1) if given else ""
        if operator.endswith("?"):
            self.required.append(name)
            return (value or "") if given else self._plain(name, spelling)
        if value is None:
            return self._plain(name, spelling)
        return _stripped(value, operator, self.read(word, depth + 1))


def expand(
    text: str,
    known: Mapping[str, str],
    *,
    unknown: Callable[[str], str] = lambda _: "",
    double_dollar: bool = False,
) -> Expanded:
    """Replace variables in `text`. `unknown` says what stands for one without a value (nothing, by default)."""
    if "$" not in text:
        return Expanded(text=text)
    reader = _Reader(known, unknown, double_dollar=double_dollar)
    return Expanded(text=reader.read(text)[:_LONGEST], missing=tuple(reader.missing), required=tuple(reader.required))


def by_name(spelling: str) -> str:
    """A variable without a value as `${NAME}`, however it was spelled: equal names stay equal text."""
    name = _NAME.search(spelling)
    return f"${{{name[0]}}}" if name else spelling


def _closing(text: str, start: int) -> int:
    depth = 1
    for position in range(start, len(text)):
        if text[position] == "{":
            depth += 1
        elif text[position] == "}":
            depth -= 1
            if depth == 0:
                return position
    return -1


def _stripped(value: str, operator: str, word: str) -> str:
    if operator in {"/", "//"}:
        pattern, _, replacement = word.partition("/")
        return value.replace(pattern, replacement, -1 if operator == "//" else 1) if pattern else value
    ends = [value[index:] for index in range(len(value), -1, -1)]
    starts = [value[:index] for index in range(len(value) + 1)]
    pieces = starts if operator.startswith("#") else ends
    if len(operator) > 1:
        pieces.reverse()
    match = next((piece for piece in pieces if fnmatch.fnmatchcase(piece, word)), "")
    return value[len(match) :] if operator.startswith("#") else value[: len(value) - len(match)]
