"""The same for several hosts at once: one line each, then what became of all of them."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from offline.errors import OfflineError
from offline.host.outcome import Outcome, line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from offline.console import Console, Progress
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


class Counting:
    """The bytes of all hosts in one progress line, which grows with each plan, and is gone with the last transfer."""

    def __init__(self, console: Console, label: str) -> None:
        self._console, self._label = console, label
        self._lock = threading.Lock()
        self._shown = ExitStack()
        self._progress: Progress | None = None
        self._open = self._total = 0

    @contextmanager
    def of(self, total: int) -> Iterator[Callable[[int], None]]:
        """Count `total` bytes of one host; those that it does not send are not waited for."""
        left = total

        def add(count: int) -> None:
            nonlocal left
            left = max(left - count, 0)
            self._add(count)

        self._expect(total, opened=1)
        try:
            yield add
        finally:
            self._expect(-left, opened=-1)

    def _add(self, count: int) -> None:
        with self._lock:
            if self._progress:
                self._progress.add(count)

    def _expect(self, count: int, *, opened: int) -> None:
        with self._lock:
            if not self._open:
                self._progress, self._total = self._shown.enter_context(self._console.progress(self._label)), 0
            self._open += opened
            self._total += count
            if self._progress:
                self._progress.total = self._total
            if not self._open:
                self._shown.close()


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
