"""A host's backup brought home: each file goes on at the byte where it broke off, and the folder gets its name last."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from offline.errors import FailedError, UsageError, VerifyError
from offline.host import backups, layout
from offline.host.connection import LostError, connected
from offline.paths import sync_folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from offline.host.backups import Member
    from offline.host.connection import Connection
    from offline.host.deploy import Deploy
    from offline.host.outcome import Outcome

_TRIES = 4
_CHUNK = 1 << 20


@dataclass
class _Coming:
    """A backup on its way. `folder` is where it will be, `bytes` what has come in this run."""

    name: str
    folder: Path
    bytes: int = field(default=0)

    @property
    def partial(self) -> Path:
        return self.folder.with_name(f".partial-{self.name}")


def fetch(name: str, home: Path, root: str, run: Deploy) -> Outcome:
    """Bring a backup (the newest where `name` is empty) into a folder of `home` that is called like it.

    Raises UsageError where the host has no such backup or that folder is something else, VerifyError for bytes that
    are not those that were made (they come again the next time), FailedError where the connection breaks again and
    again, and what `connected` raises.
    """
    if name and not backups.is_name(name):
        raise UsageError(f"{name!r}: not the name of a backup", hint="see backups/ on the host")
    with connected(run.target) as connection:
        coming = _Coming(name := _named(connection, root, name), home / name)
        if coming.folder.exists():
            _is_there(coming.folder)
            run.say(f"{coming.folder}: is there already, and whole")
        else:
            with run.step("fetch"):
                _bring(coming, root, run, connection)
            run.say(f"{coming.folder}: fetched, and whole")
        answer = {"folder": str(coming.folder), "bytes_received": coming.bytes}
        return run.outcome(connection, code=0, backup=name, answer=answer)


def _named(connection: Connection, root: str, name: str) -> str:
    result = connection.run(layout.GIVE_SCRIPT, root, name, codes=(0, layout.NO_BACKUP))
    if result.code:
        raise UsageError(
            f"{connection.target.given}: {root}/backups has no backup {name}".rstrip(), hint="make one: invoke backup"
        )
    return next(line[7:] for line in result.out.splitlines() if line.startswith("backup\t"))


def _is_there(folder: Path) -> None:
    manifest = folder / backups.MANIFEST
    bad = backups.flaws(folder, backups.members(manifest.read_bytes())) if manifest.is_file() else [backups.MANIFEST]
    if bad:
        raise UsageError(
            f"{folder} is there already and is not that backup: {', '.join(bad)}", hint="move it away, then run again"
        )


def _bring(coming: _Coming, root: str, run: Deploy, connection: Connection) -> None:
    """All of it; after a broken connection with a new one, from what has come."""
    coming.partial.mkdir(mode=0o700, parents=True, exist_ok=True)
    for attempt in range(_TRIES):
        time.sleep(attempt)
        try:
            if attempt == 0:
                _receive(coming, root, run, connection)
            else:
                with connected(run.target) as anew:
                    _receive(coming, root, run, anew)
        except LostError as error:
            run.say(f"{error.message}; going on where it broke off")
            continue
        return
    raise FailedError(
        f"{run.target.given}: the connection broke {_TRIES} times while the backup was fetched",
        hint="run the same command again: it goes on where it broke off",
    )


def _receive(coming: _Coming, root: str, run: Deploy, connection: Connection) -> None:
    # A drill writes into these two: they come anew, so that they fit each other and what they name.
    for file in (backups.MANIFEST, backups.MANIFEST_JSON):
        (coming.partial / file).unlink(missing_ok=True)
        _append(coming, file, root, connection, lambda _count: None)
    wanted = backups.members((coming.partial / backups.MANIFEST).read_bytes())
    with run.counting(sum(_lacking(coming, member) for member in wanted)) as on_bytes:
        for member in wanted:
            if _lacking(coming, member):
                _append(coming, member.file, root, connection, on_bytes)
    _put_in_place(coming, wanted)


def _lacking(coming: _Coming, member: Member) -> int:
    """Bytes of a file that have not come. One that is too long is not its beginning, and goes."""
    path = coming.partial / member.file
    size = path.stat().st_size if path.is_file() else 0
    if size > member.size:
        path.unlink()
        size = 0
    return member.size - size


def _append(coming: _Coming, file: str, root: str, connection: Connection, on_bytes: Callable[[int], None]) -> None:
    path = coming.partial / file
    size = path.stat().st_size if path.is_file() else 0
    with (
        path.open("ab") as target,
        connection.receiving(layout.GIVE_SCRIPT, root, coming.name, file, str(size)) as source,
    ):
        while data := source.read(_CHUNK):
            target.write(data)
            coming.bytes += len(data)
            on_bytes(len(data))
        target.flush()
        os.fsync(target.fileno())


def _put_in_place(coming: _Coming, wanted: tuple[Member, ...]) -> None:
    bad = backups.flaws(coming.partial, wanted)
    if bad:
        for file in bad:
            (coming.partial / file).unlink(missing_ok=True)
        raise VerifyError(
            f"backup {coming.name} did not come as it was made: {', '.join(bad)}",
            hint="run this again: those come anew. If it happens again, the host's copy is bad: drill it there",
        )
    sync_folder(coming.partial)
    coming.partial.rename(coming.folder)
    sync_folder(coming.folder.parent)
