"""`invoke restore` and `invoke drill`: data of a backup put back, or restored for a test, on hosts over ssh."""

from __future__ import annotations

from typing import TYPE_CHECKING

from offline.tasks.hosts import VERB_HELP, do_verb
from offline.tasks.task import task

if TYPE_CHECKING:
    from invoke.context import Context


@task(
    iterable=["host", "only"],
    help=VERB_HELP
    | {
        "backup": "its name in the host's backups/, or a folder on the host",
        "only": "this part only, such as database, redis, uploads or data; repeatable",
        "yes": "do it; without it only what would be replaced, and what was written since, is said",
    },
)
def restore(
    _context: Context,
    host: list[str],
    backup: str,
    only: list[str],
    yes: bool = False,  # noqa: FBT001, FBT002 - Invoke makes flags of these
    root: str | None = None,
    config: str | None = None,
    ssh_config: str | None = None,
    json: bool = False,  # noqa: FBT001, FBT002
) -> None:
    """Put the data of a backup back into service on hosts; what it replaces is kept aside."""
    words = [backup, *(word for name in only for word in ("--only", name))]
    do_verb("restore", words, host, root, config, ssh_config, as_json=json, ask_only=not yes)


@task(iterable=["host"], help=VERB_HELP | {"backup": "its name in the host's backups/; without it the newest"})
def drill(
    _context: Context,
    host: list[str],
    backup: str | None = None,
    root: str | None = None,
    config: str | None = None,
    ssh_config: str | None = None,
    json: bool = False,  # noqa: FBT001, FBT002
) -> None:
    """Restore a backup on hosts for a test, beside the stack, and throw it away: only that shows that it can be."""
    do_verb("drill", [backup] if backup else [], host, root, config, ssh_config, as_json=json)
