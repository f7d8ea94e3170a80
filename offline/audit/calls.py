"""One call of a program, as the functions that judge it see it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableSet, Sequence
from dataclasses import dataclass

LOCAL_ARCHIVES = (".whl", ".tar.gz", ".tgz", ".zip", ".tar.bz2", ".apk", ".gem")


@dataclass(frozen=True, kw_only=True)
class Call:
    """The words after the program's name, the variables around it, and what the stage has fetched already."""

    words: Sequence[str]
    known: Mapping[str, str]
    done: MutableSet[str]

    def has(self, *options: str) -> bool:
        """Whether any of `options` is among the words."""
        return any(option in self.words for option in options)


Judge = Callable[[Call], "str | None"]


def split_verb(words: Sequence[str], valued: frozenset[str] = frozenset()) -> tuple[str, list[str]]:
    """The verb among `words`, and what follows it; options before it (with their values) are passed over."""
    position = 0
    while position < len(words):
        word = words[position]
        if word in valued:
            position += 2
        elif word.startswith(("-", "+")) or not word:
            position += 1
        else:
            return word, list(words[position + 1 :])
    return "", []


def positional(words: Sequence[str], valued: frozenset[str]) -> list[str]:
    """The words that are neither options nor the value of one of `valued`."""
    found, position = [], 0
    while position < len(words):
        word = words[position]
        if word in valued:
            position += 1
        elif not word.startswith("-"):
            found.append(word)
        position += 1
    return found


def local_archive(word: str) -> bool:
    """A package file that is there already."""
    return "://" not in word and word.split("[", maxsplit=1)[0].rstrip("*").endswith(LOCAL_ARCHIVES)


def local_path(word: str) -> bool:
    """A path, not a name to look up."""
    return word.startswith((".", "/")) and "://" not in word
