"""The resolved configuration as rows for people: path, value, origin; nothing secret in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from offline.config.problems import dotted, nearest
from offline.config.redact import redacted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from offline.config.load import Config


def rows(config: Config) -> list[tuple[str, str, str]]:
    """Each value with its dotted path and where it came from."""
    values = config.release.model_dump(mode="json", by_alias=True)
    return [(path, redacted(path, value), _origin(config, path)) for path, value in _leaves(values, ())]


def _leaves(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, (*path, key))
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
        for number, inner in enumerate(value):
            yield from _leaves(inner, (*path, number))
    else:
        yield dotted(path), " ".join(str(item) for item in value) if isinstance(value, list) else value


def _origin(config: Config, path: str) -> str:
    """Where a value came from. A variable may give a whole mapping; the file gives each key on a line of its own."""
    near = nearest(path, config.origins)
    given = near == path or (near and config.origins[near] != config.file.name)
    return config.origins[near] if given else "default"
