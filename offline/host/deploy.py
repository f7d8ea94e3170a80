"""A bundle into service on one host: facts, plan, transfer, and the bundle's own offline-deploy.sh, detached."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from offline.bundle import layout as bundle_layout
from offline.errors import FailedError, PreflightError, VerifyError
from offline.host import detached, facts, layout, plan, transfer
from offline.host.connection import LostError, connected
from offline.host.outcome import Outcome, Step

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from offline.host.bundle import Bundle
    from offline.host.connection import Connection
    from offline.host.detached import Followed
    from offline.host.facts import HostFacts
    from offline.host.limit import Limiter
    from offline.host.plan import Plan
    from offline.host.ssh import Target

LOG = "deploy"
_TRIES = 4
_SENT_ANEW = (
    "the same command again sends anew what is bad on the host; if it happens again, look at the host's disk and memory"
)
_MACHINES = {"amd64": {"x86_64", "amd64"}, "arm64": {"aarch64", "arm64"}}


@dataclass(frozen=True, kw_only=True)
class Options:
    """What a deploy was asked for. `words` are options of offline-deploy.sh, handed on as they are."""

    root: str
    words: tuple[str, ...] = ()
    limiter: Limiter | None = None
    """What all hosts of this deploy share of the line."""
    plan_only: bool = False


@dataclass
class Deploy:
    """One host's deploy while it runs. `say` shows a line, `counting` bytes of a total as they flow."""

    target: Target
    say: Callable[[str], None]
    counting: Callable[[int], AbstractContextManager[Callable[[int], None]]]
    steps: list[Step] = field(default_factory=list)
    started: float = field(default_factory=time.monotonic)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time a step that ends well."""
        started = time.monotonic()
        yield
        self.steps.append(Step(name=name, seconds=round(time.monotonic() - started, 3)))

    def outcome(
        self,
        connection: Connection,
        *,
        code: int,
        release: str = "",
        backup: str = "",
        addresses: Sequence[str] = (),
        answer: Any = None,
    ) -> Outcome:
        """What became of the host, as of now."""
        return Outcome(
            host=self.target.given,
            exit=code,
            release=release,
            bytes_sent=connection.bytes_sent,
            seconds=round(time.monotonic() - self.started, 3),
            steps=tuple(self.steps),
            addresses=tuple(addresses),
            backup=backup,
            answer=answer,
        )


def deploy(bundle: Bundle, options: Options, run: Deploy) -> Outcome:
    """Put a bundle into service on a host; gives what became of it, a failure of offline-deploy.sh included.

    Raises what `connected`, `transfer.send` and `detached.watch` raise, and PreflightError for a machine of another
    kind and for a disk without room; nothing was changed then.
    """
    with connected(run.target) as connection:
        found, made = _planned(bundle, options.root, run, connection)
        for line in plan.describe(made):
            run.say(line)
        if options.plan_only:
            return run.outcome(connection, code=0, release=found.release)
        with run.step("transfer"):
            _transfer(bundle, made, options, run, connection)
        folder = f"{options.root}/{layout.incoming(bundle.top)}"
        command = ("bash", f"./{bundle_layout.DEPLOY_SCRIPT}", "--yes", "--root", options.root, *options.words)
        log = detached.launch(connection, options.root, LOG, folder, command)
        ended = _watched(log, options.root, run, connection)
        where = found.address or found.name
        addresses = bundle.addresses(where, ended.mode) if ended.code == 0 else ()
        return run.outcome(connection, code=ended.code, release=ended.release, backup=ended.backup, addresses=addresses)


def attach(root: str, run: Deploy) -> Outcome:
    """Follow the host's newest deploy from its first line on; gives what became of it."""
    with connected(run.target) as connection:
        ended = _watched(LOG, root, run, connection)
        return run.outcome(connection, code=ended.code, release=ended.release, backup=ended.backup)


def _watched(log: str, root: str, run: Deploy, connection: Connection) -> Followed:
    """Follow it to its end; where the bundle did not verify there, say what helps."""
    ended = detached.watch(connection, root, log, run.say)
    run.steps += ended.steps
    if ended.code == VerifyError.exit_code:
        run.say(_SENT_ANEW)
    return ended


def _planned(bundle: Bundle, root: str, run: Deploy, connection: Connection) -> tuple[HostFacts, Plan]:
    with run.step("facts"):
        found = facts.read(connection, root)
        machine = bundle.fact("platform").split("/")[1]
        if found.machine not in _MACHINES.get(machine, {machine}):
            raise PreflightError(
                f"{run.target.given}: the bundle is for {machine}, and this host is {found.machine}",
                hint="make the release for that platform: `platform` in release.yml",
            )
        return found, plan.plan(bundle, found)


def _transfer(bundle: Bundle, made: Plan, options: Options, run: Deploy, connection: Connection) -> None:
    """Send; after a broken connection look again at what is there, and go on from it."""
    with run.counting(made.bytes) as on_bytes:
        if _sent(bundle, made, options, run, connection, on_bytes):
            return
        for attempt in range(1, _TRIES):
            time.sleep(attempt)
            with connected(run.target) as anew:
                again = plan.plan(bundle, facts.read(anew, options.root))
                sent = _sent(bundle, again, options, run, anew, on_bytes)
                connection.bytes_sent += anew.bytes_sent
            if sent:
                return
    raise FailedError(
        f"{run.target.given}: the connection broke {_TRIES} times while the bundle was sent",
        hint="run the same command again: it goes on where it broke off; the host's release was not touched",
    )


def _sent(  # noqa: PLR0917 - transfer.send's own, and who to tell
    bundle: Bundle, made: Plan, options: Options, run: Deploy, connection: Connection, on_bytes: Callable[[int], None]
) -> bool:
    try:
        transfer.send(bundle, made, connection, options.root, on_bytes=on_bytes, limiter=options.limiter)
    except LostError as error:
        run.say(f"{error.message}; going on where it broke off")
        return False
    return True
