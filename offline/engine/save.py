"""The command line of the engine's save stream. Pure: it is run elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def save_argv(client_argv: Sequence[str], references: Sequence[str]) -> tuple[str, ...]:
    """`docker save` of all references in one tar on stdout: layers they share are in it once."""
    return (*client_argv, "image", "save", *references)
