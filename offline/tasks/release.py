"""`invoke release` and `invoke config`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from offline.console import Console
from offline.errors import UsageError
from offline.tasks.hosts import HOST_HELP, LIMIT_HELP, deploy_to, limit_of, targets_of
from offline.tasks.task import BUILD_HELP, PART_SIZE_HELP, SINCE_HELP, load_config, task

if TYPE_CHECKING:
    from invoke.context import Context

_ID_HELP = "the release id, YYYYMMDD-HHMMSS; without it the present time in UTC"
_HELP = BUILD_HELP | {"json": "one JSON object on stdout, everything else on stderr"}


@task(
    iterable=["host", "since"],
    help=_HELP
    | HOST_HELP
    | LIMIT_HELP
    | PART_SIZE_HELP
    | SINCE_HELP
    | {"id": _ID_HELP, "audit": "--no-audit skips the audit"},
)
def release(
    _context: Context,
    host: list[str],
    source: str | None = None,
    config: str | None = None,
    strategy: str | None = None,
    mode: str | None = None,
    id: str | None = None,  # noqa: A002 - the flag's name
    json: bool = False,  # noqa: FBT001, FBT002 - Invoke makes flags of these
    audit: bool = True,  # noqa: FBT001, FBT002
    part_size: str | None = None,
    ssh_config: str | None = None,
    limit: str | None = None,
    since: list[str] | None = None,
) -> None:
    """Turn a source tree into one verified offline bundle: audit, bases, build, export, package; --host deploys it."""
    from offline.bundle import parts
    from offline.release.run import check_id, new_id, running
    from offline.release.stages import release as run_release
    from offline.tasks.show import show_outcome

    if host and part_size:
        raise UsageError("--part-size is for bundles that travel by hand", hint="leave out --part-size, or --host")
    targets = targets_of(host, ssh_config) if host else ()
    resolved = load_config(config, source=source, strategy=strategy, mode=mode)
    identity = check_id(id) if id else new_id()
    rate = limit_of(limit, resolved.release.upload_limit)
    size = parts.size(part_size) if part_size else None
    console = Console()
    with running(resolved, console, "invoke release") as run:
        outcome = run_release(run, identity=identity, audited=audit, part_size=size, since=since or ())
    if not (targets and json):
        show_outcome(console, outcome, as_json=json)
    if targets:
        deploy_to(targets, console, outcome.written.path, limit=rate, as_json=json)


@task(help=_HELP)
def config(
    _context: Context,
    source: str | None = None,
    config: str | None = None,
    strategy: str | None = None,
    mode: str | None = None,
    json: bool = False,  # noqa: FBT001, FBT002 - Invoke makes flags of these
) -> None:
    """Show the resolved configuration, and where each value came from."""
    from offline.tasks.show import show_config

    show_config(Console(), load_config(config, source=source, strategy=strategy, mode=mode), as_json=json)
