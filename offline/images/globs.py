"""Glob patterns over paths with forward slashes: `*` within a part, `**` over parts. Pure."""

from __future__ import annotations

import re
from functools import lru_cache


@lru_cache(maxsize=512)
def compiled(pattern: str) -> re.Pattern[str]:
    """A pattern as a regular expression for a whole path; hidden names need no special word."""
    parts = ["(?:[^/]+/)*" if part == "**" else _part(part) + "/" for part in pattern.strip("/").split("/")]
    return re.compile("".join(parts).removesuffix("/"))


def matches(path: str, pattern: str) -> bool:
    """Whether the pattern names the path itself or a folder above it."""
    folders = path.split("/")
    return any(compiled(pattern).fullmatch("/".join(folders[:count])) for count in range(1, len(folders) + 1))


def _part(part: str) -> str:
    text = ""
    for piece in re.split(r"(\*|\?|\[[^\]]*\])", part):
        if piece == "*":
            text += "[^/]*"
        elif piece == "?":
            text += "[^/]"
        elif piece.startswith("[") and piece.endswith("]"):
            text += piece.replace("[!", "[^")
        else:
            text += re.escape(piece)
    return text
