"""One host over ssh: scripts run there from stdin, data flows behind them, and what breaks is told apart.

A script is sent each time and kept nowhere on the host. Bytes are counted, so that a deploy can say what travelled.
"""

from __future__ import annotations

import os
import re
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING

from offline.errors import OfflineError, PreflightError, UsageError
from offline.host import layout, ssh
from offline.run import CommandError, beside, follow, reading, run, writing_to

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from offline.host.ssh import Target
    from offline.run import Result

_MASTER_SECONDS = 60.0
_LOOK_EVERY = 0.02
_NO_BASH = 127
_PROCESSORS = Path("/proc/cpuinfo")


class LostError(OfflineError):
    """The connection broke in the middle of something; the host may still be at work."""


@dataclass
class Connection:
    """A host that answered. `bytes_sent` is what went into ssh: scripts, orders and data."""

    target: Target
    folder: Path
    socket: Path | None
    bytes_sent: int = field(default=0)

    def run(self, script: Sequence[Path], *arguments: str, codes: Sequence[int] = (0,)) -> Result:
        """Run a script to its end and capture what it prints; other codes than `codes` raise."""
        text = _text(script)
        self.bytes_sent += len(text)
        result = run(self._argv(arguments), stdin=text, check=False)
        if result.code not in codes:
            raise self.explain(CommandError(result.argv, result.code, (result.err or result.out)[-4000:]))
        return result

    @contextmanager
    def sending(self, script: Sequence[Path], *arguments: str) -> Iterator[IO[bytes]]:
        """Run a script and give its stdin behind it; CommandError for its own codes, LostError where ssh failed."""
        with self._explained(), writing_to(self._argv(arguments)) as sink:
            text = _text(script)
            self.bytes_sent += len(text)
            sink.write(text)
            yield sink

    @contextmanager
    def receiving(self, script: Sequence[Path], *arguments: str) -> Iterator[IO[bytes]]:
        """Run a script and give its stdout as it flows; CommandError for its own codes, LostError where ssh failed."""
        with self._explained(), reading(self._argv(arguments), stdin=self._written(script)) as source:
            yield source

    def follow(self, script: Sequence[Path], *arguments: str, on_line: Callable[[str], None]) -> int:
        """Run a script, handing on each line as it comes; gives its code. LostError where ssh failed."""
        try:
            follow(self._argv(arguments), on_line, stdin=self._written(script))
        except CommandError as error:
            if error.code in {ssh.FAILED, -1}:
                raise self.explain(error) from None
            return error.code
        return 0

    def _written(self, script: Sequence[Path]) -> Path:
        """The script as a file, which becomes a stdin; counted as sent."""
        text = _text(script)
        self.bytes_sent += len(text)
        file = self.folder / "script"
        file.write_bytes(text)
        return file

    def explain(self, error: CommandError) -> OfflineError:
        """What a failed command means where ssh, sudo or bash itself failed; else the error as it is."""
        given = self.target.given
        if error.code == ssh.FAILED:
            last = error.tail.strip().splitlines()[-1:] or ["ssh said nothing"]
            return LostError(f"{given}: the connection is lost: {last[0]}")
        if error.code == layout.NO_SUDO:
            return PreflightError(
                f"{given}: this user is not root and may not become root without a password: {error.tail.strip()}",
                hint="log in as root, or let this user use sudo without a password (sudo -n true must work)",
            )
        if error.code == layout.NO_FOLDER:
            return UsageError(f"{given}: no release is in service under that root", hint="name another with --root")
        if error.code == _NO_BASH:
            return PreflightError(f"{given}: the host has no bash: {error.tail.strip()}")
        return error

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except CommandError as error:
            raise self.explain(error) from None

    def _argv(self, arguments: Sequence[str]) -> tuple[str, ...]:
        return ssh.command(self.target, *arguments, socket=self.socket)


@contextmanager
def connected(target: Target) -> Iterator[Connection]:
    """Connect to a host for the block: once for everything where the platform can share a connection.

    Raises PreflightError for a key that is unknown or has changed and for a login that is refused, FailedError where
    nothing answers: ssh has said why.
    """
    target = replace(target, ciphers=_ciphers(target))
    with tempfile.TemporaryDirectory(prefix="offline-", dir=_short_folder()) as name:
        folder = Path(name)
        if os.name != "posix":  # pragma: no cover - Windows' ssh shares no connection
            _try(target)
            yield Connection(target, folder, None)
            return
        socket, log = folder / "ssh", folder / "log"
        with beside(ssh.master(target, socket), log=log) as runs:
            _await(socket, runs)
            if not socket.exists():
                raise _refused(target, log.read_text(errors="replace"))
            yield Connection(target, folder, socket)


def _ciphers(target: Target) -> str:
    """The ciphers to offer; empty: what ssh offers by itself."""
    if not _has_aes():
        return ""
    own, plain = (run(ssh.asking_for_settings(target, plain=plain), check=False).out for plain in (False, True))
    return ssh.faster_ciphers(own, plain)


def _has_aes() -> bool:
    """Whether this processor has instructions for AES; that of every Mac, and of every PC with Windows 10, has."""
    try:
        return re.search(r"^(flags|Features)\s*:.* aes\b", _PROCESSORS.read_text(), re.MULTILINE) is not None
    except OSError:
        return True


def _short_folder() -> str | None:
    """A socket's whole path has room for about 100 bytes (unix(7)); a Mac's own temporary folder fills half of it."""
    return "/tmp" if os.name == "posix" else None  # noqa: S108 - a folder of its own is made in it


def _await(socket: Path, runs: Callable[[], bool]) -> None:
    end = time.monotonic() + _MASTER_SECONDS
    while runs() and not socket.exists() and time.monotonic() < end:
        time.sleep(_LOOK_EVERY)


def _try(target: Target) -> None:  # pragma: no cover - Windows only
    result = run(ssh.command(target), stdin=b"exit\n", check=False)
    if result.code == ssh.FAILED:
        raise _refused(target, result.err)


def _refused(target: Target, complaint: str) -> OfflineError:
    asked = ""
    if ssh.is_unknown_key(complaint):
        asked = run(ssh.asking_for_key(target), check=False).err
    return ssh.failure(target, complaint, asked=asked)


def _text(script: Sequence[Path]) -> bytes:
    return ssh.ESCALATION.encode() + b"".join(part.read_bytes() for part in script)
