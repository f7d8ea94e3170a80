"""YAML as nodes with lines: anchors, merge keys and unknown tags kept, nothing constructed.

Read from the parser's events, one after another: a deep or huge document costs no stack, custom tags (`!reset`)
are just names, and an anchor that contains itself is refused with its line.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

DEEPEST = 100
MOST_EVENTS = 400_000
_MOST_MERGES = 50
# Line ends for YAML 1.1, but for no editor; they would shift every number after them.
_OTHER_BREAKS = {0x85: " ", 0x2028: " ", 0x2029: " "}


class YamlError(Exception):
    """The document is no YAML, or one that is refused; `line` is 1-based."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


@dataclass(kw_only=True, eq=False)
class Node:
    """A scalar (`text`), a sequence (`items`) or a mapping (`pairs`)."""

    kind: str
    line: int
    tag: str = ""
    text: str = ""
    plain: bool = True
    items: list[Node] = field(default_factory=list)
    pairs: list[tuple[Node, Node]] = field(default_factory=list)
    _merged: dict[str, tuple[Node, Node]] | None = field(default=None, repr=False)

    @property
    def null(self) -> bool:
        """Nothing at all, or a value that `!reset` takes away."""
        empty = self.kind == "scalar" and self.plain and self.text in {"", "~", "null", "Null", "NULL"}
        return empty or self.tag == "!reset"

    @property
    def true(self) -> bool:
        """A YAML true."""
        return self.kind == "scalar" and self.text.lower() in {"true", "yes", "on"}

    def entries(self, depth: int = 0) -> dict[str, tuple[Node, Node]]:
        """A mapping's key and value nodes by key; what `<<` merges in comes first, so that own keys win."""
        if self._merged is not None:
            return self._merged
        found: dict[str, tuple[Node, Node]] = {}
        if self.kind != "mapping" or depth > _MOST_MERGES:
            return found
        for key, value in self.pairs:
            if key.text == "<<" and key.plain:
                sources = value.items if value.kind == "sequence" else [value]
                for source in reversed(sources):
                    found |= source.entries(depth + 1)
        found |= {key.text: (key, value) for key, value in self.pairs if key.text != "<<"}
        # Kept, or aliases of aliases would double the work at every level.
        self._merged = found
        return found

    def twice(self) -> list[tuple[str, int]]:
        """(key, line) of every key that this mapping has had before; `<<` may stand several times."""
        seen: set[str] = set()
        found = []
        for key, _ in self.pairs:
            if key.text in seen and key.text != "<<":
                found.append((key.text, key.line))
            seen.add(key.text)
        return found

    def get(self, *names: str) -> Node | None:
        """The value under a path of keys, or None."""
        node: Node | None = self
        for name in names:
            entry = node.entries().get(name) if node is not None else None
            node = entry[1] if entry else None
        return node

    def string(self, *names: str) -> str:
        """The text under a path of keys, "" where there is none."""
        node = self.get(*names)
        return node.text if node is not None and node.kind == "scalar" and not node.null else ""


def documents(text: str) -> list[Node]:
    """Every document of `text` that has content. Raises YamlError."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    text = text.translate(_OTHER_BREAKS)
    last = text.rstrip("\n").count("\n") + 1
    try:
        return _Composer().compose(yaml.parse(text, Loader=loader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise YamlError(error.problem or "is no YAML", min(mark.line + 1, last) if mark else 1) from error
    except yaml.YAMLError as error:
        raise YamlError(str(error).split("\n", 1)[0], 1) from error


class _Composer:
    def __init__(self) -> None:
        self.roots: list[Node] = []
        self.open: list[Node] = []
        self.keys: list[Node | None] = []
        self.anchors: dict[str, Node] = {}

    def compose(self, events: Iterator[Any]) -> list[Node]:
        """Put the events together."""
        for count, event in enumerate(events):
            line = event.start_mark.line + 1
            if count > MOST_EVENTS or len(self.open) > DEEPEST:
                reason = "is nested too deeply" if count <= MOST_EVENTS else "has too many nodes"
                raise YamlError(f"{reason} to be a Compose file", line)
            self._take(event, type(event).__name__, line)
        return self.roots

    def _take(self, event: Any, kind: str, line: int) -> None:
        if kind == "ScalarEvent":
            plain = bool(event.implicit[0])
            self._add(Node(kind="scalar", line=line, tag=event.tag or "", text=event.value, plain=plain), event.anchor)
        elif kind in {"MappingStartEvent", "SequenceStartEvent"}:
            node = Node(kind="mapping" if kind[0] == "M" else "sequence", line=line, tag=event.tag or "")
            self._add(node, event.anchor)
            self.open.append(node)
            self.keys.append(None)
        elif kind in {"MappingEndEvent", "SequenceEndEvent"}:
            self.open.pop()
            self.keys.pop()
        elif kind == "AliasEvent":
            self._add(self._aliased(event.anchor, line), None)
        elif kind == "DocumentStartEvent":
            self.anchors = {}

    def _aliased(self, anchor: str, line: int) -> Node:
        node = self.anchors.get(anchor)
        if node is None:
            raise YamlError(f"*{anchor} is used but no anchor has that name", line)
        if any(node is parent for parent in self.open):
            raise YamlError(f"the anchor &{anchor} contains itself", line)
        return node

    def _add(self, node: Node, anchor: str | None) -> None:
        if anchor:
            self.anchors[anchor] = node
        if not self.open:
            self.roots.append(node)
        elif self.open[-1].kind == "sequence":
            self.open[-1].items.append(node)
        elif (key := self.keys[-1]) is None:
            self.keys[-1] = node
        else:
            self.open[-1].pairs.append((key, node))
            self.keys[-1] = None
