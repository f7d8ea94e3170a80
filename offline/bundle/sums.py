"""SHA256SUMS: the list of every file in a bundle, in the form that `sha256sum -c` reads."""

from __future__ import annotations

import re
from dataclasses import dataclass

from offline.bundle.names import is_safe

_LINE = re.compile(rb"([0-9a-f]{64})  ([^\x00-\x1f\x7f]+)")


@dataclass(frozen=True, kw_only=True)
class Sums:
    """The digests by path, safe paths only; what else was listed, to be refused by name."""

    digests: dict[bytes, str]
    unsafe: frozenset[bytes]
    duplicates: frozenset[bytes]


class MalformedError(ValueError):
    """Not a list of sums; says which line."""


def parse(text: bytes) -> Sums:
    """Read the list; of a path listed twice the first line counts.

    Raises MalformedError where a line is not `<64 hex>  <path>` and a line feed, or when there is none.
    """
    if not text.endswith(b"\n"):
        raise MalformedError("it is empty, or its last line is cut")
    digests: dict[bytes, str] = {}
    unsafe: set[bytes] = set()
    duplicates: set[bytes] = set()
    for number, line in enumerate(text[:-1].split(b"\n"), start=1):
        match = _LINE.fullmatch(line)
        if match is None:
            raise MalformedError(f"line {number} is not «<64 hex digits>  <path>»")
        digest, path = match.groups()
        if not is_safe(path):
            unsafe.add(path)
        elif path in digests:
            duplicates.add(path)
        else:
            digests[path] = digest.decode()
    return Sums(digests=digests, unsafe=frozenset(unsafe), duplicates=frozenset(duplicates))
