"""One run of the kit in a checkout: under its lock, with its configuration, its engine and the stages done so far."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from offline.bundle.write import ID_FORMAT
from offline.engine.client import Engine, connect, find_client
from offline.errors import UsageError
from offline.paths import remove_partials
from offline.store import blobs, lock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from offline.audit.model import Report
    from offline.config.load import Config
    from offline.console import Console


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One stage that has ended, with its time and the bytes that flowed."""

    name: str
    seconds: float
    bytes: int = 0


@dataclass
class Run:
    """One run of the kit in a checkout, under its lock: configuration, console, and the stages done so far."""

    config: Config
    console: Console
    stages: list[Stage] = field(default_factory=list)
    audit: Report | None = None
    _engine: Engine | None = None

    @property
    def engine(self) -> Engine:
        """The engine, connected at first use. PreflightError when none answers."""
        if self._engine is None:
            release = self.config.release
            self._engine = connect(find_client(release.docker), timeout=release.timeouts.engine)
        return self._engine

    @property
    def store(self) -> blobs.Store:
        """The layer store of this checkout."""
        return blobs.Store(self.config.work / "store")

    @contextmanager
    def stage(self, name: str) -> Iterator[list[int]]:
        """Time a stage; the list given takes the bytes that flow."""
        flowed: list[int] = []
        started = time.monotonic()
        with self.console.step(name):
            yield flowed
        self.stages.append(Stage(name=name, seconds=round(time.monotonic() - started, 3), bytes=sum(flowed)))


@contextmanager
def running(config: Config, console: Console, command: str) -> Iterator[Run]:
    """Hold the checkout's lock for a run. LockedError when another run is at work."""
    config.work.mkdir(parents=True, exist_ok=True)
    with lock.holding(config.work / "lock", command):
        console.say(f"configuration {config.file} ({config.why})")
        run = Run(config, console)
        for folder in (config.output, config.work, run.store.root, run.store.folder):
            remove_partials(folder)
        yield run


def new_id() -> str:
    """The id of a release made now, in UTC."""
    return datetime.now(timezone.utc).strftime(ID_FORMAT)


def check_id(text: str) -> str:
    """An id given by hand; UsageError when it is not `YYYYMMDD-HHMMSS`."""
    try:
        # strptime alone also takes `202611-2100` for an id.
        written = datetime.strptime(text, ID_FORMAT).replace(tzinfo=timezone.utc).strftime(ID_FORMAT)
    except ValueError:
        written = None
    if written != text:
        raise UsageError(f"{text}: not a release id; write YYYYMMDD-HHMMSS, as in {new_id()}")
    return text
