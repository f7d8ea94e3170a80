"""Turning what pydantic found into sentences: the path, what is wrong, and the name that was probably meant."""

from __future__ import annotations

import difflib
import types
import typing
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel

from offline.config.redact import redacted

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator, Sequence

    from pydantic_core import ErrorDetails


def dotted(location: Sequence[str | int]) -> str:
    """A location as people write it: `services.web.ports[0]`."""
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def nearest(path: str, known: Container[str]) -> str:
    """The path itself, or the nearest one above it that is known; empty where none is."""
    while path and path not in known:
        path = path[: max(path.rfind("."), path.rfind("["), 0)]
    return path


def suggestion(name: str, known: Sequence[str]) -> str:
    """`; did you mean "x"?` for the nearest known name, or nothing."""
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    return f'; did you mean "{near[0]}"?' if near else f" (known here: {', '.join(known)})" if known else ""


def keys(model: type[BaseModel]) -> dict[str, Any]:
    """The keys of a part as the file writes them, with their types."""
    return {field.alias or name: field.annotation for name, field in model.model_fields.items()}


def sentences(errors: Sequence[ErrorDetails], root: type[BaseModel], where: Callable[[str], str]) -> Iterator[str]:
    """One sentence for each problem, after the place that `where` names for its path."""
    for error in errors:
        path = dotted(error["loc"])
        if path:
            yield f"{where(path)}: {path}: {_what(error, path, root)}"
        else:
            # What the check of the whole found: one line for each, with its path.
            for line in _message(error).splitlines():
                yield f"{where(line.partition(': ')[0])}: {line}"


def _what(error: ErrorDetails, path: str, root: type[BaseModel]) -> str:
    kind, message, given = error["type"], _message(error), error["input"]
    if kind == "extra_forbidden":
        *parents, name = error["loc"]
        return "unknown key" + suggestion(str(name), list(keys_at(root, parents)))
    if kind == "missing":
        return "missing; it has no default"
    if kind == "value_error":
        return message
    # A list or a mapping may hold passwords anywhere, and is long.
    shown = f" (given: {redacted(path, given)})" if isinstance(given, str | int | float) or given is None else ""
    return f"{message[0].lower()}{message[1:]}{shown}"


def _message(error: ErrorDetails) -> str:
    return error["msg"].removeprefix("Value error, ")


def keys_at(root: Any, location: Sequence[str | int]) -> dict[str, Any]:
    """The keys that may stand at a location of the configuration; empty where none are fixed."""
    kind: Any = root
    for part in location:
        kind = _step(kind, part)
    model = _model(kind)
    return keys(model) if model else {}


def _step(kind: Any, part: str | int) -> Any:
    """The type one step further down: a field of a part, a value of a mapping, an item of a list."""
    model = _model(kind)
    if model:
        return keys(model).get(str(part))
    for option in _options(kind):
        arguments = typing.get_args(option)
        if typing.get_origin(option) in {dict, tuple} and arguments:
            return arguments[1] if typing.get_origin(option) is dict else arguments[0]
    return None


def _model(kind: Any) -> type[BaseModel] | None:
    for option in _options(kind):
        if isinstance(option, type) and issubclass(option, BaseModel):
            return option
    return None


def _options(kind: Any) -> tuple[Any, ...]:
    """The types that a value may have: the members of a union, without annotations."""
    if typing.get_origin(kind) is Annotated:
        return _options(typing.get_args(kind)[0])
    if typing.get_origin(kind) in {typing.Union, types.UnionType}:
        return tuple(option for member in typing.get_args(kind) for option in _options(member))
    return (kind,)
