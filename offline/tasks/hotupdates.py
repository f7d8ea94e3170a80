"""`invoke hot-update`: changed hot modules into service on hosts, over ssh."""

from __future__ import annotations

from typing import TYPE_CHECKING

from offline.console import Console
from offline.tasks.hosts import VERB_HELP, check_root, run_on, targets_of
from offline.tasks.task import SOURCE_HELP, load_config, task

if TYPE_CHECKING:
    from invoke.context import Context


@task(
    iterable=["host", "file"],
    help=VERB_HELP
    | {
        "file": "a hot module, by its path in the source or in the bundle; repeatable. Without it all that differ",
        "source": SOURCE_HELP["source"],
    },
)
def hot_update(
    _context: Context,
    host: list[str],
    file: list[str],
    source: str | None = None,
    root: str | None = None,
    config: str | None = None,
    ssh_config: str | None = None,
    json: bool = False,  # noqa: FBT001, FBT002 - Invoke makes flags of these
) -> None:
    """Put changed hot modules into service on hosts: compiled there first, and taken back where a service fails."""
    from offline.host import hotupdate

    targets = targets_of(host, ssh_config)
    read = load_config(config, source=source)
    where = check_root(root or read.release.host.root)
    modules = hotupdate.modules_of(read, file)
    run_on(targets, Console(), lambda run: hotupdate.update(modules, where, run, whole=not file), as_json=json)
