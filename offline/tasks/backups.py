"""`invoke backup`: what hosts keep, saved while they serve, over ssh."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from offline.console import Console
from offline.errors import UsageError
from offline.tasks.hosts import VERB_HELP, check_root, do_verb, run_on, targets_of
from offline.tasks.task import load_config, task

if TYPE_CHECKING:
    from collections.abc import Sequence

    from invoke.context import Context

    from offline.host.ssh import Target


@task(
    iterable=["host"],
    help=VERB_HELP
    | {
        "fetch": "make none, but bring one home into this folder, hashed; goes on where it broke off",
        "name": "which one to bring home; without it the newest",
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
    fetch: str | None = None,
    name: str | None = None,
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
    """Make a verified backup on hosts, while they serve, or bring one home; its name is in the result."""
    if fetch or name:
        bring_home(fetch, name, targets_of(host, ssh_config), root, config, as_json=json)
        return
    words = (["--drill"] if drill else []) + (["--with-secrets"] if with_secrets else [])
    numbers = {"--keep-last": keep_last, "--keep-daily": keep_daily, "--keep-weekly": keep_weekly}
    for option, value in (numbers | {"--schedule": schedule}).items():
        words += [option, value] if value else []
    do_verb("backup", words, host, root, config, ssh_config, as_json=json)


def bring_home(
    folder: str | None,
    name: str | None,
    targets: Sequence[Target],
    root: str | None,
    config: str | None,
    *,
    as_json: bool,
) -> None:
    """Fetch a backup of one host into a folder; raises Exit with the code. UsageError for none, or several."""
    from offline.host.fetch import fetch

    if not folder:
        raise UsageError("--name says which backup to bring home, and --fetch is not there", hint="add --fetch DIR")
    if len(targets) > 1:
        raise UsageError("--fetch brings home a backup of one host", hint="run it once for each host")
    where = check_root(root or load_config(config).release.host.root)
    home = Path(folder)
    run_on(targets, Console(), lambda run: fetch(name or "", home, where, run), as_json=as_json, flows="receive")
