from __future__ import annotations

import os
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from offline import run as module
from offline.errors import FailedError, PreflightError
from offline.run import CommandError, beside, follow, reading, run, writing_to

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


def python(code: str, *words: str) -> list[str]:
    return [sys.executable, "-S", "-c", f"import os, signal, sys, time\n{code}", *words]


SLEEPS = python("open(sys.argv[1], 'w').write(str(os.getpid())); time.sleep(60)")
STUBBORN = python("signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); time.sleep(60)")


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def awaited(condition: Callable[[], bool]) -> bool:
    end = time.monotonic() + 20
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def test_both_streams_and_the_code_come_back() -> None:
    result = run(python("print('out'); print('err', file=sys.stderr); sys.exit(3)"), check=False)
    assert (result.out, result.err, result.code) == ("out\n", "err\n", 3)


def test_stdin_environment_and_folder_are_handed_in(tmp_path: Path) -> None:
    code = "print(sys.stdin.read(), os.environ['OURS'], 'HOME' in os.environ, os.getcwd())"
    result = run(python(code), stdin=b"in", env={"OURS": "x"}, cwd=tmp_path)
    assert result.out == f"in x True {tmp_path}\n"


def test_a_code_other_than_0_is_a_failure_with_the_command_and_its_last_words() -> None:
    code = "print('out'); [print(f'line {n}', file=sys.stderr) for n in range(40)]; sys.exit(7)"
    with pytest.raises(CommandError) as caught:
        run(python(code))
    assert caught.value.code == 7
    assert caught.value.tail.splitlines() == [f"line {number}" for number in range(15, 40)]
    assert "ended with code 7:\n    line 15\n" in caught.value.message
    assert isinstance(caught.value, FailedError)


def test_what_failed_without_a_word_on_stderr_is_explained_by_stdout() -> None:
    with pytest.raises(CommandError, match="why"):
        run(python("print('why'); sys.exit(1)"))


def test_a_command_is_shown_so_that_it_can_be_pasted() -> None:
    assert "'two words'" in CommandError(["a", "two words"], 1, "").message
    assert CommandError(["a"], 1, "").message == "a\n  ended with code 1"


@pytest.mark.parametrize("start", [run, lambda argv: follow(argv, print)])
def test_a_program_that_is_not_there_is_named_with_the_cure(
    monkeypatch: pytest.MonkeyPatch, start: Callable[[list[str]], object]
) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(
        PreflightError, match=r"tar: this program is not on this machine\n  next: install tar"
    ) as caught:
        start(["tar"])
    assert caught.value.exit_code == 5


def test_a_file_that_is_no_program_is_named_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "tar").write_text("")
    with pytest.raises(PreflightError, match="tar: cannot be started: Permission denied"):
        run([str(tmp_path / "tar")])


def test_bytes_that_are_no_utf_8_do_not_end_the_run() -> None:
    assert run(python(r"sys.stdout.buffer.write(b'\xff')")).out == "\ufffd"


def test_a_command_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"no answer within 0\.2 s"):
        run([*SLEEPS, str(tmp_path / "pid")], timeout=0.2)


def test_a_followed_command_that_takes_too_long_is_ended_and_it_says_so(tmp_path: Path) -> None:
    code = "print('working', flush=True); time.sleep(60)"
    with pytest.raises(CommandError, match=r"working\n.*stopped: not done within 0\.2 s") as caught:
        follow(python(code), lambda _: None, timeout=0.2, log=tmp_path / "log")
    assert caught.value.evidence == tmp_path / "log"


def test_a_command_that_does_not_let_itself_be_ended_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_STOP_SECONDS", 0.2)
    started = time.monotonic()
    with pytest.raises(CommandError, match="stopped: not done within"):
        follow(STUBBORN, lambda _: None, timeout=0.5)
    assert time.monotonic() - started < 10


def test_lines_come_as_they_are_said_and_stand_in_the_log(tmp_path: Path) -> None:
    lines: list[str] = []
    code = "print('one'); print('two', file=sys.stderr, flush=True); print('三')"
    follow(python(f"sys.stdout.reconfigure(line_buffering=True); {code}"), lines.append, log=tmp_path / "log")
    assert lines == ["one", "two", "三"]
    assert (tmp_path / "log").read_text() == "one\ntwo\n三\n"


def test_a_followed_failure_keeps_its_last_lines_and_its_log(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="line 39") as caught:
        follow(python("[print(f'line {n}') for n in range(40)]; sys.exit(2)"), lambda _: None, log=tmp_path / "log")
    assert len(caught.value.tail.splitlines()) == 25
    assert caught.value.evidence == tmp_path / "log"
    assert str(caught.value).endswith(f"kept: {tmp_path / 'log'}")


def test_a_followed_command_reads_a_file(tmp_path: Path) -> None:
    (tmp_path / "in").write_text("content")
    lines: list[str] = []
    follow(python("print(sys.stdin.read())"), lines.append, stdin=tmp_path / "in")
    assert lines == ["content"]


def test_stdout_flows_while_stderr_never_blocks_the_child() -> None:
    code = "sys.stderr.write('x' * 1_000_000); sys.stdout.write('y' * 1_000_000)"
    with reading(python(code)) as stream:
        assert len(stream.read()) == 1_000_000


def test_a_reader_is_told_when_the_command_failed_after_all() -> None:
    with pytest.raises(CommandError, match="late"), reading(python("print(1); sys.exit('late')")) as stream:
        assert stream.read() == b"1\n"


def test_stdin_flows_and_the_end_is_awaited() -> None:
    with writing_to(python("sys.exit(0 if sys.stdin.read() == 'abc' else 1)")) as sink:
        sink.write(b"abc")


def test_a_writer_is_told_why_the_command_stopped_reading() -> None:
    with pytest.raises(CommandError, match="no more"), writing_to(python("sys.exit('no more')")) as sink:
        endless(sink.write)


def test_a_writer_is_told_so_too_while_bytes_wait_to_be_written() -> None:
    def drips(write: Callable[[bytes], object]) -> None:
        while True:
            write(b"x")

    with pytest.raises(CommandError, match="no more"), writing_to(python("sys.exit('no more')")) as sink:
        drips(sink.write)


def endless(write: Callable[[bytes], object]) -> None:
    while True:
        write(bytes(1 << 16))


def fail_after(pid: Path) -> None:
    assert awaited(lambda: pid.exists() and pid.read_text() != "")
    raise ZeroDivisionError


@pytest.mark.parametrize("way", ["reading", "writing_to"])
def test_a_block_that_fails_stops_the_command(tmp_path: Path, way: str) -> None:
    pid = tmp_path / "pid"
    with pytest.raises(ZeroDivisionError), getattr(module, way)([*SLEEPS, str(pid)]):
        fail_after(pid)
    assert not alive(int(pid.read_text()))


@pytest.fixture
def heard() -> Iterator[None]:
    """Ctrl-C, also where whoever started the tests in the background turned it off."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heard")
def test_ctrl_c_stops_the_command(tmp_path: Path) -> None:
    pid = tmp_path / "pid"

    def interrupt() -> None:
        awaited(lambda: pid.exists() and pid.read_text() != "")
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt).start()
    with pytest.raises(KeyboardInterrupt):
        run([*SLEEPS, str(pid)])
    assert not alive(int(pid.read_text()))


def test_ctrl_c_while_a_line_is_shown_stops_the_command(tmp_path: Path) -> None:
    pid = tmp_path / "pid"

    def stop(_: str) -> None:
        raise KeyboardInterrupt

    code = "open(sys.argv[1], 'w').write(str(os.getpid())); print('x', flush=True); time.sleep(60)"
    with pytest.raises(KeyboardInterrupt):
        follow(python(code, str(pid)), stop)
    assert not alive(int(pid.read_text()))


KILLED = """
import os, pathlib, signal, sys
from offline.run import beside
waits = [sys.executable, "-S", "-c", "import sys; sys.stdin.read(); open('gone', 'w')"]
with beside(waits, log=pathlib.Path("log")):
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_runs_beside_a_killed_kit_ends_with_it(tmp_path: Path) -> None:
    run([sys.executable, "-c", KILLED], cwd=tmp_path, check=False)
    assert awaited((tmp_path / "gone").exists)


def test_what_runs_beside_is_ended_with_the_block(tmp_path: Path) -> None:
    with beside(python("sys.stdin.read()"), log=tmp_path / "log") as runs:
        assert runs()
    assert not runs()
