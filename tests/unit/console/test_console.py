from __future__ import annotations

import io
import json
import time

import pytest

from offline.console import Console, Progress, human_bytes, human_seconds


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def console(err: io.StringIO | None = None) -> tuple[Console, io.StringIO, io.StringIO]:
    out, err = io.StringIO(), err or io.StringIO()
    return Console(out, err), out, err


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1 kB"),
        (1_370_000_000, "1.37 GB"),
        (243_000_000, "243 MB"),
        (2e15, "2e+03 TB"),
    ],
)
def test_bytes_for_people(count: float, text: str) -> None:
    assert human_bytes(count) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.04, "0.0 s"), (0.31, "0.3 s"), (9.94, "9.9 s"), (42.4, "42 s"), (60, "1 min 0 s"), (310, "5 min 10 s")],
)
def test_seconds_for_people(seconds: float, text: str) -> None:
    assert human_seconds(seconds) == text


def progress(total: int | None, done: int) -> Progress:
    return Progress("export", total, io.StringIO(), live=False, done=done)


def test_progress_shows_bytes_rate_and_time_left() -> None:
    assert progress(1_000_000_000, 250_000_000).line(5) == "  export: 250 MB of 1 GB, 50 MB/s, 15 s left"


def test_progress_does_not_guess_the_time_left_too_early() -> None:
    assert "left" not in progress(1_000_000_000, 500_000_000).line(0.5)
    assert "left" not in progress(1_000_000_000, 1_000_000).line(60)


def test_progress_without_a_known_total_shows_bytes_and_rate() -> None:
    assert progress(None, 3_000_000).line(2) == "  export: 3 MB, 1.5 MB/s"


def test_progress_of_more_than_was_estimated_is_nearly_done() -> None:
    assert progress(1000, 1500).line(10) == "  export: 1.5 kB of 1 kB, 150 B/s, 0.0 s left"


def test_progress_at_its_very_start_divides_by_nothing() -> None:
    assert progress(1000, 0).line(0) == "  export: 0 B of 1 kB, 0 B/s"


class Clock:
    """Time as the test wants it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = time.monotonic()
        monkeypatch.setattr(time, "monotonic", lambda: self.now)


def test_elsewhere_than_on_a_terminal_a_plain_line_comes_every_few_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    shown, _, err = console()
    with shown.progress("export", 1000) as flow:
        for _ in range(12):
            clock.now += 1.01
            flow.add(50)
    lines = err.getvalue().splitlines()
    assert [line.split(",")[0] for line in lines] == ["  export: 250 B of 1 kB", "  export: 500 B of 1 kB"]
    assert "\x1b" not in err.getvalue()
    assert "\r" not in err.getvalue()


def test_on_a_terminal_one_line_lives_and_is_taken_away(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    shown, _, err = console(Terminal())
    with shown.progress("export", 1000) as flow:
        for _ in range(3):
            clock.now += 0.3
            flow.add(100)
    assert err.getvalue().count("\r\x1b[2K  export: ") == 3
    assert "\n" not in err.getvalue()
    assert err.getvalue().endswith("\r\x1b[2K")


def test_what_is_said_while_a_line_lives_stands_on_a_line_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    shown, _, err = console(Terminal())
    with shown.progress("export", 1000) as flow:
        clock.now += 1.01
        flow.add(100)
        shown.warn("careful")
    assert "\r\x1b[2Kwarning: careful\n" in err.getvalue()


def test_the_live_line_is_taken_away_when_the_work_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    Clock(monkeypatch)
    shown, _, err = console(Terminal())
    with pytest.raises(ZeroDivisionError), shown.progress("export"):
        raise ZeroDivisionError
    assert err.getvalue().endswith("\r\x1b[2K")


def test_a_step_is_announced_and_its_time_told(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    shown, out, err = console()
    with shown.step("export"):
        clock.now += 3
    assert err.getvalue() == "==> export\n    export: done in 3.0 s\n"
    assert out.getvalue() == ""


def test_a_step_that_fails_is_not_called_done() -> None:
    shown, _, err = console()
    with pytest.raises(ZeroDivisionError), shown.step("export"):
        raise ZeroDivisionError
    assert err.getvalue() == "==> export\n"


def test_words_for_people_go_to_stderr_and_results_to_stdout() -> None:
    shown, out, err = console()
    shown.say("a")
    shown.warn("b")
    shown.error("c")
    shown.result({"名": ["x"]})
    shown.text("plain")
    assert err.getvalue() == "a\nwarning: b\nerror: c\n"
    value, _, rest = out.getvalue().rpartition("}\n")
    assert json.loads(value + "}") == {"名": ["x"]}
    assert "名" in value
    assert rest == "plain\n"


def test_warnings_are_kept_for_the_summary() -> None:
    shown, _, _ = console()
    shown.warn("a")
    shown.warn("b")
    assert shown.warnings == ["a", "b"]


def test_a_table_shows_its_cells_as_they_are() -> None:
    shown, out, _ = console()
    shown.table("Images", ("role", "tag"), [("server", "shop/[bold]x[/bold]:smile:"), ("web", "中文")])
    assert "shop/[bold]x[/bold]:smile:" in out.getvalue()
    assert "中文" in out.getvalue()
    assert "\x1b" not in out.getvalue()
    assert all(len(line) <= 140 for line in out.getvalue().splitlines())
