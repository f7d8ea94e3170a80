# Chooses the function that a message asks for: a scorer of letter pairs stands where upstream asks a language model.
from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from plugins_func.register import FunctionItem

AGAIN = ("再来一次", "again")
ENOUGH = 0.5  # of a phrase's weight must be in the message


def pairs(text: str) -> frozenset[str]:
    """Neighbouring letters, small and without spaces: works for Chinese and for English."""
    letters = "".join(text.lower().split())
    return frozenset(letters[at : at + 2] for at in range(len(letters) - 1))


class IntentProvider:
    """`weights`: one number for each bucket of letter pairs."""

    def __init__(self, weights: Sequence[float]) -> None:
        self.weights = weights

    def weight(self, found: Iterable[str]) -> float:
        return sum(self.weights[zlib.crc32(pair.encode()) % len(self.weights)] for pair in found)

    def score(self, text: str, phrase: str) -> float:
        """How much of the phrase is in the text, 0 to 1."""
        wanted = pairs(phrase)
        return self.weight(wanted & pairs(text)) / self.weight(wanted)

    def choose(self, text: str, recent: tuple[str, ...], functions: Mapping[str, FunctionItem]) -> str | None:
        """The name of the best function, None when none fits; "again" asks for what the latest fitting message did."""
        if text.strip().lower() in AGAIN:
            earlier = (self.choose(former, (), functions) for former in reversed(recent))
            return next((name for name in earlier if name is not None), None)
        scores = {
            name: max(self.score(text, phrase) for phrase in item.phrases) for name, item in sorted(functions.items())
        }
        best = max(scores, key=lambda name: scores[name], default=None)
        return best if best is not None and scores[best] >= ENOUGH else None
