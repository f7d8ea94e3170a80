"""`invoke backup`: what hosts keep, saved while they serve, over ssh."""

from __future__ import annotations

from typing import TYPE_CHECKING

from offline.tasks.hosts import VERB_HELP, do_verb
from offline.tasks.task import task

if TYPE_CHECKING:
    from invoke.context import Context


@task(
    iterable=["host"],
    help=VERB_HELP
    | {
        "drill": "restore it for a test afterwards, beside the stack",
        "keep-last": "how many of the newest backups stay on the host; remembered there, 7 until then",
        "keep-daily": "of so many days the newest backup stays, too; 7 until it is said",
        "keep-weekly": "of so many weeks the newest backup stays, too; 4 until it is said",
        "schedule": "make none now, but one every day at that time of the host's, such as 02:00; off ends that",
        "with-secrets": "the host's .env, too, with every password in it",
    },
)
def backup(
    _context: Context,
    host: list[str],
    drill: bool = False,  # noqa: FBT001, FBT002 - Invoke makes flags of these
    keep_last: str | None = None,
    keep_daily: str | None = None,
    keep_weekly: str | None = None,
    schedule: str | None = None,
    with_secrets: bool = False,  # noqa: FBT001, FBT002
    root: str | None = None,
    config: str | None = None,
    ssh_config: str | None = None,
    json: bool = False,  # noqa: FBT001, FBT002
) -> None:
    """Make a verified backup on hosts, while they serve; its name is in the result."""
    words = (["--drill"] if drill else []) + (["--with-secrets"] if with_secrets else [])
    numbers = {"--keep-last": keep_last, "--keep-daily": keep_daily, "--keep-weekly": keep_weekly}
    for option, value in (numbers | {"--schedule": schedule}).items():
        words += [option, value] if value else []
    do_verb("backup", words, host, root, config, ssh_config, as_json=json)
