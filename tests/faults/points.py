"""The kit killed at points of its work instead of moments of time: each is a file opened or renamed, a piece written.

A run is a fork of the test's own process, which has everything imported: a hundred of them take about a minute. The
points are counted, so a seed says which one it is.
"""

from __future__ import annotations

import io
import os
import signal
import struct
import sys
import traceback
from typing import TYPE_CHECKING, Any

from offline.sink import Sink

if TYPE_CHECKING:
    from collections.abc import Callable

# Of a file by the interpreter (docs.python.org/3/library/audit_events.html); importing opens files, too.
_EVENTS = frozenset({"open", "os.rename", "os.remove", "os.mkdir", "os.chmod", "os.truncate", "subprocess.Popen"})
_CODE = (".py", ".pyc", ".so")


class Counter:
    """Counts points, and ends the process at one of them as a loss of power does."""

    def __init__(self, end: int | None) -> None:
        self.seen, self._end = 0, end

    def point(self) -> None:
        """One more; it may be the last."""
        if self.seen == self._end:
            os.kill(os.getpid(), signal.SIGKILL)
        self.seen += 1

    def event(self, name: str, arguments: tuple[Any, ...]) -> None:
        """An audit hook."""
        imported = name == "open" and str(arguments[0]).endswith(_CODE)
        nothing = name == "os.remove" and not os.path.lexists(arguments[0])
        if name in _EVENTS and not imported and not nothing:
            self.point()

    def before(self, owner: type, method: str) -> None:
        """Let each call of a method be a point."""
        real = getattr(owner, method)

        def counted(*arguments: Any) -> Any:
            self.point()
            return real(*arguments)

        setattr(owner, method, counted)


def count(work: Callable[[], object]) -> int:
    """How many points the work has; it must end well."""
    reading, writing = os.pipe()
    code = _forked(work, None, writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read()
    assert code == 0, "the work itself failed; see stderr"
    return int(struct.unpack("<Q", said)[0])


def killed_at(work: Callable[[], object], point: int) -> bool:
    """Do the work up to that point; says whether it was killed there and had not ended before."""
    code = _forked(work, point, None)
    assert code in {0, -signal.SIGKILL}, "the work failed by itself; see stderr"
    return code != 0


def done(work: Callable[[], object]) -> None:
    """Do the work to its end."""
    assert _forked(work, None, None) == 0, "the work failed; see stderr"


def _forked(work: Callable[[], object], end: int | None, report: int | None) -> int:
    child = os.fork()
    if child == 0:
        _work(work, Counter(end), report)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def _work(work: Callable[[], object], counter: Counter, report: int | None) -> None:
    """All that the child does; it never comes back to the test."""
    code = 1
    try:
        os.setsid()
        sys.stdin = io.StringIO()
        counter.before(Sink, "write")
        sys.addaudithook(counter.event)
        work()
        if report is not None:
            os.write(report, struct.pack("<Q", counter.seen))
        code = 0
    except BaseException:  # noqa: BLE001 - whatever it is: shown, and its code says so
        traceback.print_exc()
    finally:
        os._exit(code)
