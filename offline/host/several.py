"""The same for several hosts at once: one line each, then what became of all of them."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

from offline.errors import OfflineError
from offline.host.outcome import Outcome, line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from offline.console import Console
    from offline.host.ssh import Target

    Say = Callable[[str], None]
    Work = Callable[[Target, Say], Outcome]

_AT_ONCE = 16
_LAST_WORDS = 10


def on_each(targets: Sequence[Target], console: Console, work: Work) -> tuple[Outcome, ...]:
    """Do it on each host, in parallel; `work` gets the host and what shows a line of it.

    An expected failure becomes the host's outcome. With one host its lines are shown as they come; with several, each
    host gets one line at its end, and the last words of one that failed.
    """
    if len(targets) == 1:
        return (_guarded(targets[0], console, console.say, work),)
    with ThreadPoolExecutor(min(len(targets), _AT_ONCE)) as pool:
        return tuple(pool.map(lambda target: _quietly(target, console, work), targets))


@contextmanager
def counting(console: Console, label: str, total: int, *, alone: bool) -> Iterator[Callable[[int], None]]:
    """Count bytes in a progress line, where one host has the terminal to itself."""
    if not alone:
        yield lambda _count: None
        return
    with console.progress(label, total) as progress:
        yield progress.add


def _quietly(target: Target, console: Console, work: Work) -> Outcome:
    words: list[str] = []
    outcome = _guarded(target, console, words.append, work)
    if outcome.exit:
        for word in words[-_LAST_WORDS:]:
            console.say(f"{target.given}: {word}")
    console.say(line(outcome))
    return outcome


def _guarded(
    target: Target,
    console: Console,
    say: Say,
    work: Work,
) -> Outcome:
    started = time.monotonic()
    try:
        return work(target, say)
    except OfflineError as error:
        console.error(str(error))
        seconds = round(time.monotonic() - started, 3)
        return Outcome(host=target.given, exit=error.exit_code, seconds=seconds, error=error.message)
