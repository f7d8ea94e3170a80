"""What became of each host, in the shape that scripts read and as people see it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from offline.console import human_bytes, human_seconds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from offline.console import Console

_WORST_FIRST = (8, 1, 7, 6, 3, 5, 4)


@dataclass(frozen=True, kw_only=True)
class Step:
    """A step with its time."""

    name: str
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One host at the end. `exit` as docs/architecture.md, "Exit codes"; `release` is what is in service then."""

    host: str
    exit: int
    release: str = ""
    bytes_sent: int = 0
    seconds: float = 0.0
    steps: tuple[Step, ...] = ()
    addresses: tuple[str, ...] = ()
    backup: str = ""
    """The backup that was made."""
    error: str = ""
    answer: Any = None
    """What the host's own script answered in JSON."""

    def as_json(self) -> dict[str, Any]:
        """One host in the result of a task."""
        value: dict[str, Any] = {
            "host": self.host,
            "exit": self.exit,
            "release": self.release or None,
            "bytes_sent": self.bytes_sent,
            "seconds": self.seconds,
            "steps": [{"name": step.name, "seconds": step.seconds} for step in self.steps],
            "addresses": list(self.addresses),
        }
        if self.backup:
            value["backup"] = self.backup
        if self.error:
            value["error"] = self.error
        if self.answer is not None:
            value["answer"] = self.answer
        return value


def worst(codes: Sequence[int]) -> int:
    """The exit code that stands for several hosts (design: 8, 1, 7, 6, 3, 5, 4, then any other, then 0). Pure."""
    for code in _WORST_FIRST:
        if code in codes:
            return code
    return max(codes, default=0)


def line(outcome: Outcome) -> str:
    """One host's end in one line. Pure."""
    result = "done" if outcome.exit == 0 else f"failed with {outcome.exit}"
    return (
        f"{outcome.host}: {result}, release {outcome.release or 'none'}, {human_bytes(outcome.bytes_sent)} sent, "
        f"{human_seconds(outcome.seconds)}"
    )


def show(console: Console, outcomes: Sequence[Outcome], *, as_json: bool) -> None:
    """The result of a task: one JSON object, or a table and what to do next."""
    if as_json:
        console.result({"hosts": [outcome.as_json() for outcome in outcomes]})
        return
    rows = [
        (each.host, each.exit, each.release or "none", human_bytes(each.bytes_sent), human_seconds(each.seconds))
        for each in outcomes
    ]
    console.table("Hosts", ("host", "exit", "release", "sent", "time"), rows)
    for each in outcomes:
        if each.steps:
            steps = ", ".join(f"{step.name} {human_seconds(step.seconds)}" for step in each.steps)
            console.text(f"Steps    {each.host}: {steps}")
        if each.backup:
            console.text(f"Backup   {each.host}: {each.backup}")
        for address in each.addresses:
            console.text(f"Open     {address}")
