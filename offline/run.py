"""The only place that starts processes: argv in, checked result out, children stopped on the way out."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import threading
from collections import deque
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from offline.errors import FailedError, PreflightError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

_TAIL_LINES = 25
_STOP_SECONDS = 10.0


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a finished command gave back; `out` and `err` are text."""

    argv: tuple[str, ...]
    code: int
    out: str
    err: str


class CommandError(FailedError):
    """A command ended with a code other than 0; keeps its last lines."""

    def __init__(self, argv: Sequence[str], code: int, tail: str, *, evidence: Path | None = None) -> None:
        shown = shlex.join(argv)
        super().__init__(
            f"{shown}\n  ended with code {code}" + (f":\n{_indent(tail)}" if tail.strip() else ""),
            evidence=evidence,
        )
        self.code = code
        self.tail = tail


def run(
    argv: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stdin: bytes | None = None,
    check: bool = True,
    timeout: float | None = None,
) -> Result:
    """Run to the end and capture both streams; `env` adds to this process's environment.

    Raises CommandError on a code other than 0 (with `check`) and when `timeout` seconds are over, PreflightError when
    the program is not there.
    """
    with _started(argv, env=env, cwd=cwd, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            out, err = process.communicate(stdin, timeout=timeout)
        except subprocess.TimeoutExpired:
            raise CommandError(argv, -1, f"no answer within {timeout:g} s") from None
    result = Result(
        argv=tuple(argv),
        code=process.returncode,
        out=out.decode(errors="replace"),
        err=err.decode(errors="replace"),
    )
    if check and result.code:
        raise CommandError(argv, result.code, _tail(result.err or result.out))
    return result


@contextmanager
def reading(argv: Sequence[str], *, stdin: Path | None = None) -> Iterator[IO[bytes]]:
    """Give the command's stdout as it flows; `stdin` is a file. Leaving the block awaits the end and checks the code.

    A block that raises stops the command. A block that stops reading early counts as a failure of the block, not of
    the command: read to the end.
    """
    with (
        open(stdin or os.devnull, "rb") as given,  # noqa: PTH123
        _started(argv, stdin=given, stdout=subprocess.PIPE) as process,
    ):
        if process.stdout is None or process.stderr is None:  # pragma: no cover - Popen was given both pipes
            raise AssertionError
        tail = _Tail(process.stderr)
        _widen(process.stdout)
        yield process.stdout
        code = process.wait()
        if code:
            raise CommandError(argv, code, tail.text())


def _widen(pipe: IO[bytes]) -> None:
    """Let a writer run ahead by 1 MiB where the system allows it: fewer switches make a save a sixth faster."""
    if sys.platform == "linux":
        import fcntl

        with suppress(OSError):
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, 1 << 20)


@contextmanager
def writing_to(argv: Sequence[str], *, env: Mapping[str, str] | None = None) -> Iterator[IO[bytes]]:
    """Give the command's stdin. Leaving the block closes it, waits for the end and checks the code."""
    with _started(argv, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, merge=True) as process:
        if process.stdin is None or process.stdout is None:  # pragma: no cover - Popen was given both pipes
            raise AssertionError
        tail = _Tail(process.stdout)
        _widen(process.stdin)
        try:
            yield process.stdin
            process.stdin.close()
        except BrokenPipeError:
            raise CommandError(argv, process.wait(_STOP_SECONDS), tail.text()) from None
        code = process.wait()
        if code:
            raise CommandError(argv, code, tail.text())


def follow(
    argv: Sequence[str],
    on_line: Callable[[str], None],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stdin: Path | None = None,
    log: Path | None = None,
    timeout: float | None = None,
) -> None:
    """Run to the end, handing each line of both streams to `on_line` as it comes, and to the file `log`.

    Raises CommandError on a code other than 0, and when `timeout` seconds are over.
    """
    with open(stdin or os.devnull, "rb") as source, open(log or os.devnull, "wb") as kept:  # noqa: PTH123
        with _started(argv, env=env, cwd=cwd, stdin=source, stdout=subprocess.PIPE, merge=True) as process:
            last: deque[str] = deque(maxlen=_TAIL_LINES)
            with _limited(process, timeout) as late:
                for raw in process.stdout or ():
                    kept.write(raw)
                    kept.flush()
                    line = raw.decode(errors="replace").rstrip("\r\n")
                    last.append(line)
                    on_line(line)
                code = process.wait()
        if late.is_set():
            last.append(f"(stopped: not done within {timeout:g} s)")
        if code or late.is_set():
            raise CommandError(argv, code, "\n".join(last), evidence=log)


@contextmanager
def beside(argv: Sequence[str], *, log: Path) -> Iterator[Callable[[], bool]]:
    """Keep a command running for the block, its words in the file `log`; gives what says whether it still runs.

    At the end of the block it is ended. Its stdin says nothing, and ends with this process, however that ends: what
    waits for that does not outlive a `kill -9`.
    """
    with log.open("wb") as kept, _started(argv, stdin=subprocess.PIPE, stdout=kept, merge=True) as process:
        yield lambda: process.poll() is None


@contextmanager
def _started(
    argv: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stdin: int | IO[bytes],
    stdout: int | IO[bytes],
    merge: bool = False,
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a process, and see that it is gone when the block ends, however it ends."""
    try:
        process = subprocess.Popen(
            list(argv),
            env={**os.environ, **env} if env else None,
            cwd=cwd,
            stdin=stdin,
            stdout=stdout,
            stderr=subprocess.STDOUT if merge else subprocess.PIPE,
        )
    except FileNotFoundError:
        raise PreflightError(
            f"{argv[0]}: this program is not on this machine", hint=f"install {argv[0]}, or put it on PATH"
        ) from None
    except OSError as error:
        raise PreflightError(f"{argv[0]}: cannot be started: {error.strerror or error}") from None
    with process:
        try:
            yield process
        finally:
            _stop(process)
            if process.stdin:
                # What it did not take any more is no failure of its own; Popen's own closing would make it one.
                with suppress(BrokenPipeError):
                    process.stdin.close()


@contextmanager
def _limited(process: subprocess.Popen[bytes], seconds: float | None) -> Iterator[threading.Event]:
    """End a process that takes longer than `seconds`; the event says that it did."""
    late = threading.Event()

    def end() -> None:
        late.set()
        _stop(process)

    timer = threading.Timer(seconds, end) if seconds else None
    if timer:
        timer.start()
    try:
        yield late
    finally:
        if timer:
            timer.cancel()


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Ask a process that still runs to end, then make it."""
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class _Tail:
    """Reads a stream to its end in the background, so that it never blocks the child, and keeps the last lines."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._lines: deque[bytes] = deque(maxlen=_TAIL_LINES)
        self._thread = threading.Thread(target=self._read, args=(stream,), daemon=True)
        self._thread.start()

    def _read(self, stream: IO[bytes]) -> None:
        # A block that raises has the pipe closed while this reads; nobody asks for the last words then.
        with suppress(ValueError):
            for line in stream:
                self._lines.append(line)

    def text(self) -> str:
        self._thread.join(_STOP_SECONDS)
        return b"".join(self._lines).decode(errors="replace")


def _tail(text: str) -> str:
    return "\n".join(text.splitlines()[-_TAIL_LINES:])


def _indent(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.rstrip().splitlines())
