"""Lists of names, written as they read in a manual."""

from __future__ import annotations


def listed(text: str) -> frozenset[str]:
    """The blank-separated names of `text`."""
    return frozenset(text.split())
