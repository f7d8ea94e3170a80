# Where functions make themselves known.
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Call:
    """What a function is told: the message, who sent it, what was said before, where the server's files are."""

    text: str
    device: str
    recent: tuple[str, ...]
    root: Path


Function = Callable[[Call], str]


@dataclass(frozen=True)
class FunctionItem:
    name: str
    phrases: tuple[str, ...]
    function: Function


all_function_registry: dict[str, FunctionItem] = {}


def register_function(name: str, *phrases: str) -> Callable[[Function], Function]:
    """Makes a function callable by messages that resemble one of its phrases (two letters or more each)."""

    def decorator(function: Function) -> Function:
        if name in all_function_registry:
            message = f"function {name} is registered twice"
            raise ValueError(message)
        all_function_registry[name] = FunctionItem(name=name, phrases=phrases, function=function)
        return function

    return decorator
