"""Reading a YAML file so that a mistake can be pointed at: line numbers kept, duplicate keys refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from offline.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Document:
    """A YAML mapping, and the 1-based line of each of its keys by dotted path."""

    values: dict[str, Any]
    lines: Mapping[str, int]


def read(path: Path) -> Document:
    """Read one mapping; UsageError names file and line of what is wrong."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise UsageError(f"{path}: there is no such file", hint="give another with --config FILE") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path}: not UTF-8", hint="save it as UTF-8 (Windows PowerShell writes UTF-16)") from None
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        if not isinstance(node, yaml.MappingNode):
            raise UsageError(f"{path}: not a mapping of keys to values")
        lines = dict(_lines(node, "", str(path)))
        values = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise UsageError(f"{path}: not valid YAML: {error}") from None
    return Document(values=values, lines=lines)


def _lines(node: yaml.Node, prefix: str, file: str) -> Iterator[tuple[str, int]]:
    if isinstance(node, yaml.MappingNode):
        seen: dict[str, int] = {}
        for key, value in node.value:
            name, line = str(key.value), key.start_mark.line + 1
            path = f"{prefix}.{name}" if prefix else name
            if name in seen:
                raise UsageError(f"{file}:{line}: {path}: duplicate key; it stands already in line {seen[name]}")
            seen[name] = line
            yield path, line
            yield from _lines(value, path, file)
    elif isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            yield f"{prefix}[{number}]", item.start_mark.line + 1
            yield from _lines(item, f"{prefix}[{number}]", file)
