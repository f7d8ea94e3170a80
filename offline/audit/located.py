"""Text that knows where it came from: every byte has a line in a file, through joins, cuts and unquoting."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Located:
    """UTF-8 text; `starts[i]` is the first offset that stands on line `lines[i]` of the file at `path`."""

    data: bytes
    path: str
    starts: tuple[int, ...] = (0,)
    lines: tuple[int, ...] = (1,)

    def line(self, offset: int) -> int:
        """The 1-based line of the byte at `offset`."""
        return self.lines[max(0, bisect_right(self.starts, offset) - 1)]

    def line_at(self, number: int) -> int:
        """The line in the file of the text's own line `number`, both from 1."""
        return self.lines[min(number, len(self.lines)) - 1]

    def cut(self, start: int, end: int) -> Located:
        """The piece from `start` to `end`, its lines kept."""
        first = max(0, bisect_right(self.starts, start) - 1)
        starts, lines = [0], [self.lines[first]]
        for index in range(first + 1, len(self.starts)):
            if self.starts[index] >= end:
                break
            starts.append(self.starts[index] - start)
            lines.append(self.lines[index])
        return Located(data=self.data[start:end], path=self.path, starts=tuple(starts), lines=tuple(lines))


def whole(text: str, path: str, *, first_line: int = 1) -> Located:
    """A text that stands in the file as it is, from `first_line` on."""
    pieces = re.findall(r"[^\n]*\n|[^\n]+", text)
    return joined([(piece, first_line + index) for index, piece in enumerate(pieces)], path)


def joined(pieces: Iterable[tuple[str, int]], path: str) -> Located:
    """Pieces, each with its line, put together as one text."""
    data = bytearray()
    starts: list[int] = []
    lines: list[int] = []
    for piece, line in pieces:
        starts.append(len(data))
        lines.append(line)
        data += piece.encode("utf-8", "surrogateescape")
    return Located(data=bytes(data), path=path, starts=tuple(starts) or (0,), lines=tuple(lines) or (1,))


def concatenated(parts: Iterable[Located], path: str) -> Located:
    """Several located texts as one; each keeps its lines."""
    data = bytearray()
    starts: list[int] = []
    lines: list[int] = []
    for part in parts:
        starts += [len(data) + start for start in part.starts]
        lines += part.lines
        data += part.data
    return Located(data=bytes(data), path=path, starts=tuple(starts) or (0,), lines=tuple(lines) or (1,))
