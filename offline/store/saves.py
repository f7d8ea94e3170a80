"""Which images are read out of the engine together. Pure.

An engine writes a copy of its own before the first byte of a save, with one thread: two saves at once are sooner done,
if they have about as much to do and what images share is in one of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from offline.store.model import Inspected


def shared_out(images: Mapping[str, Inspected], most: int) -> tuple[tuple[str, ...], ...]:
    """At most `most` groups of references, about equally long; the shortest first, each in the order of `images`."""
    groups: list[list[str]] = [[] for _ in range(most)]
    for reference in sorted(images, key=lambda name: images[name].size, reverse=True):
        _best(groups, reference, images).append(reference)
    used = sorted((group for group in groups if group), key=lambda group: _bytes(group, images))
    return tuple(tuple(reference for reference in images if reference in group) for group in used)


def estimate(images: Mapping[str, Inspected]) -> int:
    """About how many bytes of distinct layers images have: what they share is known where one is below another."""
    return _bytes(images, images)


def _best(groups: Sequence[list[str]], reference: str, images: Mapping[str, Inspected]) -> list[str]:
    """The group with which the longest one, and all of them together, grow least."""
    before = [_bytes(group, images) for group in groups]

    def cost(number: int) -> int:
        after = [*before[:number], _bytes([*groups[number], reference], images), *before[number + 1 :]]
        return max(after) + sum(after)

    return groups[min(range(len(groups)), key=cost)]


def _bytes(group: Iterable[str], images: Mapping[str, Inspected]) -> int:
    """Of the layers of a group's images, each once."""
    parts: dict[tuple[str, ...], int] = {}
    for reference in group:
        below = [image for image in images.values() if _is_below(image, images[reference])]
        size = 0
        for image in sorted([*below, images[reference]], key=lambda image: len(image.diff_ids)):
            parts[image.diff_ids] = image.size - size
            size = image.size
    return sum(parts.values())


def _is_below(base: Inspected, image: Inspected) -> bool:
    return len(base.diff_ids) < len(image.diff_ids) and image.diff_ids[: len(base.diff_ids)] == base.diff_ids
