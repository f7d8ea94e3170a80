"""What a person sees: steps with their time, progress in bytes, warnings, and one summary at the end.

Everything goes to stderr; only a result that a script may read goes to stdout (`result`). On a terminal, progress is
one live line; elsewhere it is a plain line every few seconds.
"""

from __future__ import annotations

import json
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_PLAIN_EVERY = 5.0
_LIVE_EVERY = 0.2
_ESTIMATE_AFTER = 1.0
_CLEAR = "\r\x1b[2K"


def human_bytes(count: float) -> str:
    """Bytes for people, in powers of 1000 as `docker image ls` counts: `1.37 GB`."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:  # noqa: PLR2004
            return f"{count:.0f} B" if unit == "B" else f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} TB"


def human_seconds(seconds: float) -> str:
    """Seconds for people: `0.3 s`, `42 s`, `5 min 10 s`."""
    if seconds < 10:  # noqa: PLR2004
        return f"{seconds:.1f} s"
    whole = round(seconds)
    return f"{whole} s" if whole < 60 else f"{whole // 60} min {whole % 60} s"  # noqa: PLR2004


@dataclass
class Progress:
    """Bytes done of a known or unknown total; call `add` as they flow."""

    label: str
    total: int | None
    show: IO[str]
    live: bool
    done: int = 0
    started: float = field(default_factory=time.monotonic)
    shown: float = field(default_factory=time.monotonic)

    def add(self, count: int) -> None:
        """Count bytes, and show the line when its time has come."""
        self.done += count
        now = time.monotonic()
        if now - self.shown >= (_LIVE_EVERY if self.live else _PLAIN_EVERY):
            self.shown = now
            self._print(self.line(now - self.started))

    def line(self, seconds: float) -> str:
        """The line as shown after `seconds`: bytes, rate, and time left where the total is known."""
        rate = self.done / seconds if seconds > 0 else 0.0
        text = f"  {self.label}: {human_bytes(self.done)}"
        if self.total:
            text += f" of {human_bytes(self.total)}"
        text += f", {human_bytes(rate)}/s"
        if self.total and seconds >= _ESTIMATE_AFTER and self.done * 100 > self.total:
            text += f", {human_seconds(max(self.total - self.done, 0) / rate)} left"
        return text

    def close(self) -> None:
        """Take the live line away."""
        if self.live:
            self.show.write(_CLEAR)
            self.show.flush()

    def _print(self, text: str) -> None:
        self.show.write(f"{_CLEAR}{text}" if self.live else f"{text}\n")
        self.show.flush()


class Console:
    """The one place that prints. Give it other streams to record what a person would see."""

    def __init__(self, out: IO[str] | None = None, err: IO[str] | None = None) -> None:
        self.out = out if out is not None else sys.stdout
        self.err = err if err is not None else sys.stderr
        self.live = self.err.isatty()
        self.warnings: list[str] = []

    def say(self, text: str) -> None:
        """One line for the person who waits; a live line makes room for it."""
        self.err.write(f"{_CLEAR}{text}\n" if self.live else f"{text}\n")
        self.err.flush()

    def warn(self, text: str) -> None:
        """A line to act on; kept, so that the summary can repeat it."""
        self.warnings.append(text)
        self.say(f"warning: {text}")

    def error(self, text: str) -> None:
        """The line that explains a failure."""
        self.say(f"error: {text}")

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Announce a step, and how long it took when it ends well."""
        self.say(f"==> {name}")
        started = time.monotonic()
        yield
        self.say(f"    {name}: done in {human_seconds(time.monotonic() - started)}")

    @contextmanager
    def progress(self, label: str, total: int | None = None) -> Iterator[Progress]:
        """Progress in bytes for something that may take longer than two seconds."""
        progress = Progress(label, total, self.err, self.live)
        try:
            yield progress
        finally:
            progress.close()

    def result(self, value: object) -> None:
        """One JSON object on stdout, for a script."""
        json.dump(value, self.out, ensure_ascii=False, indent=2)
        self.out.write("\n")
        self.out.flush()

    def text(self, text: str) -> None:
        """Plain text on stdout: what the command was asked for."""
        self.out.write(f"{text}\n")
        self.out.flush()

    def table(self, title: str, headings: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """A table on stdout; columns that look like numbers are set right."""
        from rich.console import Console as RichConsole
        from rich.table import Table

        table = Table(title=title, title_justify="left", box=None, pad_edge=False)
        for heading in headings:
            table.add_column(heading, overflow="fold")
        for row in rows:
            table.add_row(*(str(cell) for cell in row))
        width = None if self.out.isatty() else 140
        RichConsole(file=self.out, width=width, highlight=False, markup=False, emoji=False).print(table)
