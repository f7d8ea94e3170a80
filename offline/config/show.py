"""The resolved configuration as rows for people: path, value, origin; nothing secret in them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from offline.config import checks
from offline.config.problems import dotted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from offline.config.load import Config

REDACTED = "[redacted]"
_USERINFO = re.compile(r"(?<=://)[^/@\s]+@")


def rows(config: Config) -> list[tuple[str, str, str]]:
    """Each value with its dotted path and where it came from."""
    values = config.release.model_dump(mode="json", by_alias=True)
    return [(path, redacted(path, value), _origin(config, path)) for path, value in _leaves(values, ())]


def redacted(path: str, value: Any) -> str:
    """A value as it may be printed: passwords in URLs and literal secrets are hidden."""
    text = "-" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    name = path.rsplit(".", 1)[-1]
    if checks.looks_secret(name) and text and not checks.referenced(text) and "." in path:
        return REDACTED
    return _USERINFO.sub(f"{REDACTED}@", text)


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
    """The origin of the value itself, or of the nearest key above it that was given as a whole."""
    while path:
        if path in config.origins:
            return config.origins[path]
        path = path[: max(path.rfind("."), path.rfind("["), 0)]
    return "default"
