"""Hot modules of the source into service on a host: only what differs there travels, then the host's own hot-update.sh
compiles it, puts it in its place, and takes it back where a service does not work with it.
"""

from __future__ import annotations

import io
import secrets
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from offline.bundle import payload
from offline.config import problems
from offline.errors import FailedError, PreflightError, UsageError
from offline.host import detached, layout
from offline.host.connection import connected
from offline.images import plan
from offline.run import CommandError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from offline.bundle.payload import File
    from offline.config.load import Config
    from offline.host.connection import Connection
    from offline.host.deploy import Deploy
    from offline.host.outcome import Outcome

NAME = "hot-update"
_SCRIPT = "hot-update.sh"
_ABSENT = "-"
_DUE = "due"


@dataclass(frozen=True, kw_only=True)
class Module:
    """A hot file on a host, below one service's payload: sha256 of what is live, and of what the service works with."""

    service: str
    path: str
    live: str = ""
    proved: str = ""


@dataclass(frozen=True, kw_only=True)
class Listed:
    """What a host says of its hot modules; `due` are services that a killed run left to be restarted."""

    modules: tuple[Module, ...]
    due: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Difference:
    """The source against a host. Paths are those of the bundle."""

    changed: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    unproved: tuple[str, ...] = ()
    """Live there already with the source's content, but no service has been seen to work with it."""
    edited: tuple[str, ...] = ()
    """Of `changed`: what is live there was edited there and not proved; the host keeps that edit."""
    only_there: tuple[str, ...] = ()
    due: tuple[str, ...] = ()

    @property
    def sent(self) -> tuple[str, ...]:
        """What travels."""
        return tuple(sorted((*self.changed, *self.added)))


def modules_of(config: Config, names: Sequence[str]) -> dict[str, File]:
    """The hot modules of the source by their path in the bundle, as a release would ship them; all, or those named.

    A name is a path in the source, from here, or in the bundle. UsageError, with the nearest, for one that no hot
    module has; what `payload.collect` raises.
    """
    specs = [spec for spec in config.release.payload if spec.hot]
    items = payload.collect(config.source, specs, plan.services_of(config.release))
    files = {file.name: file for item in items for file in item.files}
    if not files:
        raise UsageError(
            f"{config.source}: nothing in it is a hot module", hint="mark payload items with hot: true in release.yml"
        )
    if not names:
        return files
    known = {origin: name for name, origin in payload.origins(config.source, specs).items() if name in files}
    wanted = [_named(name, config.source, known) for name in names]
    return {name: files[name] for name in wanted}


def _named(given: str, source: Path, known: Mapping[str, str]) -> str:
    here = Path(given).resolve()
    below = here.relative_to(source).as_posix() if here.is_relative_to(source) else given
    for name in (below, given):
        if name in known:
            return known[name]
    if given in known.values():
        return given
    near = problems.suggestion(given, [*known, *known.values()])
    raise UsageError(f"{given}: no hot module of {source} has this name{near}", hint="see `hot: true` in release.yml")


def parse(text: str) -> Listed:
    """Read what `hot-update.sh --list` printed. Pure. FailedError when a line is neither a module nor what is due."""
    modules: list[Module] = []
    due: list[str] = []
    for line in text.splitlines():
        match line.split("\t"):
            case [service, path, live, proved]:
                live, proved = (each if each != _ABSENT else "" for each in (live, proved))
                modules.append(Module(service=service, path=path, live=live, proved=proved))
            case [kind, service] if kind == _DUE:
                due.append(service)
            case _:
                raise FailedError("the host's hot modules could not be read", hint=f"it said: {line[:300]}")
    return Listed(modules=tuple(modules), due=tuple(due))


def compare(sums: Mapping[str, str], listed: Listed, *, whole: bool) -> Difference:
    """What of the source a host lacks; `sums` are by path. Pure. `whole`: these are all hot modules of the source."""
    there: dict[str, list[Module]] = {}
    for module in listed.modules:
        there.setdefault(module.path, []).append(module)
    changed = [path for path in sums if any(module.live not in {"", sums[path]} for module in there.get(path, []))]
    absent = [path for path in sums if not any(module.live for module in there.get(path, []))]
    same = [path for path in sums if path not in {*changed, *absent}]
    return Difference(
        changed=tuple(changed),
        added=tuple(absent),
        unproved=tuple(path for path in same if any(module.proved != module.live for module in there[path])),
        edited=tuple(path for path in changed if any(module.proved != module.live for module in there[path])),
        only_there=tuple(path for path in there if whole and path not in sums),
        due=listed.due,
    )


def describe(difference: Difference) -> tuple[str, ...]:
    """For people, a line each. Pure."""
    lines = [f"{path}: changed" for path in difference.changed if path not in difference.edited]
    lines += [f"{path}: changed; the host's own edit of it is kept there" for path in difference.edited]
    lines += [f"{path}: new" for path in difference.added]
    lines += [f"{path}: there already, and not proved yet" for path in difference.unproved]
    lines += [f"{path}: on the host and not in the source; it stays" for path in difference.only_there]
    return tuple(lines)


def update(files: Mapping[str, File], root: str, run: Deploy, *, whole: bool) -> Outcome:
    """Put these modules into service on a host; gives what became of it, a failure of its hot-update.sh included.

    Raises what `connected` and `detached.watch` raise; FailedError when the files do not arrive.
    """
    with connected(run.target) as connection:
        with run.step("compare"):
            listed = _listed(connection, root)
            found = compare({path: file.sha256 for path, file in files.items()}, listed, whole=whole)
        for line in describe(found):
            run.say(line)
        answer = {"sent": list(found.sent), "only_there": list(found.only_there)}
        if not found.sent and not found.unproved and not found.due:
            run.say("nothing differs from what the services work with")
            return run.outcome(connection, code=0, answer=answer)
        words: tuple[str, ...] = found.unproved
        if found.sent:
            words = ("--from", _send([files[path] for path in found.sent], root, run, connection))
        command = ("bash", f"{layout.SCRIPTS}/{_SCRIPT}", *words)
        log = detached.launch(connection, root, NAME, f"{root}/{layout.CURRENT}", command)
        ended = detached.watch(connection, root, log, run.say)
        run.steps += ended.steps
        return run.outcome(connection, code=ended.code, release=ended.release, answer=answer)


def _listed(connection: Connection, root: str) -> Listed:
    result = connection.run(layout.VERB_SCRIPT, root, _SCRIPT, "--list", codes=range(9))
    said = f"{connection.target.given}: {result.err.strip()[-300:]}"
    if result.code == PreflightError.exit_code:
        raise PreflightError(said)
    if result.code:
        raise FailedError(said, hint="see to that, and run again; nothing was changed")
    return parse(result.out)


def _send(files: Sequence[File], root: str, run: Deploy, connection: Connection) -> str:
    """Put the files into a folder of their own on the host; gives it."""
    name = f"{layout.HOT_SENT}{secrets.token_hex(6)}"
    data = packed(files)
    with run.step("send"):
        try:
            with connection.sending(layout.HOT_SCRIPT, root, name) as sink:
                sink.write(data)
        except CommandError as error:
            raise FailedError(
                f"{run.target.given}: the files did not arrive: {error.tail.strip()[-300:]}",
                hint="see to that, and run again; nothing was changed",
            ) from None
    connection.bytes_sent += len(data)
    return f"{root}/{name}"


def packed(files: Sequence[File]) -> bytes:
    """A tar.gz of files by their paths in the bundle."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz", format=tarfile.GNU_FORMAT) as tar:
        for file in files:
            data = file.data if file.data is not None else Path(file.path or "").read_bytes()
            member = tarfile.TarInfo(file.name)
            member.size, member.mode = len(data), 0o755 if file.executable else 0o644
            tar.addfile(member, io.BytesIO(data))
    return stream.getvalue()
