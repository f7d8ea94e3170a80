from __future__ import annotations

import io
import time
from typing import TYPE_CHECKING

from offline.console import Console
from offline.errors import PreflightError
from offline.host import ssh
from offline.host.outcome import Outcome
from offline.host.several import Counting, on_each

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from offline.host.ssh import Target


def work(target: Target, say: Callable[[str], None]) -> Outcome:
    say("at work")
    if target.given == "bad":
        raise PreflightError("bad: no room")
    return Outcome(host=target.given, exit=0, release="1")


def test_one_host_shows_its_lines_as_they_come() -> None:
    err = io.StringIO()
    (outcome,) = on_each([ssh.target("good")], Console(io.StringIO(), err), work)
    assert (outcome.exit, err.getvalue()) == (0, "at work\n")


def test_of_several_each_gets_one_line_and_a_failed_one_its_last_words() -> None:
    err = io.StringIO()
    outcomes = on_each([ssh.target("good"), ssh.target("bad")], Console(io.StringIO(), err), work)
    assert [(each.host, each.exit, each.error) for each in outcomes] == [("good", 0, ""), ("bad", 5, "bad: no room")]
    lines = err.getvalue().splitlines()
    assert "good: done, release 1, 0 B sent, 0.0 s" in lines
    assert {"error: bad: no room", "bad: at work"} <= set(lines)
    assert "good: at work" not in lines


def test_the_bytes_of_all_hosts_are_one_line_whose_total_grows_and_loses_what_a_failed_one_did_not_send(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [time.monotonic()]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    err = io.StringIO()
    counting = Counting(Console(io.StringIO(), err), "send to 2 hosts")

    def later(add: Callable[[int], None]) -> str:
        now[0] += 6
        add(1000)
        return err.getvalue().splitlines()[-1].split(",")[0]

    with counting.of(10_000) as first:
        assert later(first) == "  send to 2 hosts: 1 kB of 10 kB"
        with counting.of(20_000) as second:
            assert later(second) == "  send to 2 hosts: 2 kB of 30 kB"
        assert later(first) == "  send to 2 hosts: 3 kB of 11 kB"
    with counting.of(4_000) as anew:
        assert later(anew) == "  send to 2 hosts: 1 kB of 4 kB"
