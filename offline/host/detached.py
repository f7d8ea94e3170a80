"""Commands that outlive the session: started on the host, followed from here for as long as it takes."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from offline.errors import FailedError, NeedsHandError, OfflineError, UsageError
from offline.host import layout
from offline.host.connection import LostError, connected
from offline.host.outcome import Step

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from offline.host.connection import Connection

_TRIES = 5
_WAIT = 2.0
_LATER = {"deploy": "deploy --attach"}  # what tells how it ended, by what was started


@dataclass
class Followed:
    """What a log said so far: its name, its lines, the steps in it, and at its end code, release and backup made."""

    name: str
    on_line: Callable[[str], None]
    lines: int = 0
    steps: list[Step] = field(default_factory=list)
    code: int = 1
    release: str = ""
    mode: str = ""
    backup: str = ""

    def take(self, line: str) -> None:
        """Sort one line of follow.sh."""
        first, *fields = line.split("\t")
        if first == "log" and len(fields) == 1:
            self.name = fields[0]
        elif first == "end" and len(fields) == 3:  # noqa: PLR2004 - code, release and mode
            self.release, self.mode = fields[1:]
        elif first == "step" and len(fields) == 2:  # noqa: PLR2004 - name and seconds
            self.steps.append(Step(name=fields[0], seconds=float(fields[1])))
        elif first == "backup" and len(fields) == 1:
            self.backup = fields[0]
        else:
            self.lines += 1
            self.on_line(line)


def launch(connection: Connection, root: str, name: str, folder: str, command: Sequence[str]) -> str:
    """Start a command in a folder of the host; gives the name of its log.

    Raises FailedError where it does not start, and OfflineError, code 1, where the connection was lost meanwhile.
    """
    try:
        answer = connection.run(layout.LAUNCH_SCRIPT, root, name, folder, *command).out
    except LostError as error:
        raise OfflineError(
            f"{error.message}; whether {name} has started there is not known",
            hint=f"{_to_follow(name, connection.target.given, root)}; if nothing has started, the same command again",
        ) from None
    logs = [line.partition("\t")[2] for line in answer.splitlines() if line.startswith("log\t")]
    if not logs:
        raise FailedError(f"{connection.target.given}: {name} did not start: {answer.strip()[-300:]}")
    return logs[-1]


def watch(connection: Connection, root: str, name: str, on_line: Callable[[str], None]) -> Followed:
    """Follow a log, or the newest whose name begins so, to its end; a lost connection is made anew.

    Raises UsageError when there is no such log, NeedsHandError when what wrote it was killed, and OfflineError, code
    1, when the host stays out of reach: it goes on there.
    """
    followed = Followed(name, on_line)
    given = connection.target.given
    for attempt in range(_TRIES):
        try:
            code = _once(connection, root, followed, again=attempt > 0)
        except LostError as error:
            on_line(f"({error.message}; trying again)")
            time.sleep(_WAIT * attempt)
            continue
        return _ended(followed, code, given, root)
    raise OfflineError(
        f"{given}: the connection is lost; what was started goes on there",
        hint=_to_follow(followed.name, given, root),
    )


def _to_follow(name: str, given: str, root: str) -> str:
    """The command that tells how it ended."""
    return f"invoke {_LATER.get(name.partition('-')[0], 'status')} --host {given} --root {root}"


def _once(connection: Connection, root: str, followed: Followed, *, again: bool) -> int:
    if not again:
        return _follow(connection, root, followed)
    with connected(connection.target) as anew:
        return _follow(anew, root, followed)


def _follow(connection: Connection, root: str, followed: Followed) -> int:
    words = (root, followed.name, str(followed.lines + 1))
    return connection.follow(layout.FOLLOW_SCRIPT, *words, on_line=followed.take)


def _ended(followed: Followed, code: int, given: str, root: str) -> Followed:
    if code == layout.NO_LOG:
        raise UsageError(f"{given}: nothing was started under {root} that could be followed", hint="see --root")
    if code == layout.NO_END:
        raise NeedsHandError(
            f"{given}: what was started ended without a word: killed, or the host went down",
            hint="run the same command again: it finishes or takes back what was begun",
        )
    followed.code = code
    return followed
