"""`invoke backup`: what hosts keep, saved while they serve, over ssh."""

from __future__ import annotations

from typing import TYPE_CHECKING

from offline.tasks.hosts import VERB_HELP, do_verb
from offline.tasks.task import task

if TYPE_CHECKING:
    from invoke.context import Context


@task(
    iterable=["host"],
    help=VERB_HELP | {"with-secrets": "the host's .env, too, with every password in it"},
)
def backup(
    _context: Context,
    host: list[str],
    with_secrets: bool = False,  # noqa: FBT001, FBT002 - Invoke makes flags of these
    root: str | None = None,
    config: str | None = None,
    ssh_config: str | None = None,
    json: bool = False,  # noqa: FBT001, FBT002
) -> None:
    """Make a verified backup on hosts, while they serve; its name is in the result."""
    words = ["--with-secrets"] if with_secrets else []
    do_verb("backup", words, host, root, config, ssh_config, as_json=json)
