"""`invoke deploy`, `status`, `logs`, `restart`, `rollback`, `uninstall`: on hosts, over ssh."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from invoke.exceptions import Exit

from offline.console import Console
from offline.errors import UsageError
from offline.tasks.task import load_config, task

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from invoke.context import Context

    from offline.host.deploy import Deploy
    from offline.host.outcome import Outcome
    from offline.host.ssh import Target

HOST_HELP = {
    "host": "USER@HOST[:PORT] or an ssh alias; several: --host A --host B, in parallel",
    "ssh-config": "the ssh_config to read instead of one's own",
}
LIMIT_HELP = {
    "limit": "bytes a second that the transfer may take, to all hosts together: 10M; without it what release.yml says"
}
_ROOT = {
    "root": "the stack's folder on the host; without it what release.yml says",
    "config": "the release.yml that says it; without it the source's own, else the kit's",
    "json": "one JSON object on stdout, everything else on stderr",
}
VERB_HELP = HOST_HELP | _ROOT


@task(
    iterable=["host", "accept"],
    help=VERB_HELP
    | {
        "bundle": "the bundle, or a result file; without it the newest, dist/latest.json",
        "root": "the stack's folder on the host; without it what the bundle says",
        "mode": "the mode to run, such as all or single; without it the one that runs, else the widest",
        "accept": "turn a refusal of the preflight into a warning, by its id; repeatable",
        "adopt": "the folder on the host of a stack laid out by hand, to take over",
        "firewall": "--no-firewall leaves the host's firewall as it is",
        "backup": "--no-backup deploys without a backup of the release in service; needs --yes",
        "yes": "that --no-backup is meant",
        "plan": "show what would travel, and stop there",
        **LIMIT_HELP,
        "attach": "follow the host's newest deploy, and end as it ends",
    },
)
def deploy(
    _context: Context,
    host: list[str],
    accept: list[str],
    bundle: str | None = None,
    root: str | None = None,
    config: str | None = None,
    ssh_config: str | None = None,
    mode: str | None = None,
    adopt: str | None = None,
    firewall: bool = True,  # noqa: FBT001, FBT002 - Invoke makes flags of these
    backup: bool = True,  # noqa: FBT001, FBT002
    yes: bool = False,  # noqa: FBT001, FBT002
    plan: bool = False,  # noqa: FBT001, FBT002
    attach: bool = False,  # noqa: FBT001, FBT002
    limit: str | None = None,
    json: bool = False,  # noqa: FBT001, FBT002
) -> None:
    """Put a bundle into service on hosts: only what they lack travels, then the bundle's own script runs there."""
    from offline.host import deploy as deploying

    targets = targets_of(host, ssh_config)
    console = Console()
    if attach:
        where = check_root(root or load_config(config).release.host.root)
        run_on(targets, console, lambda run: deploying.attach(where, run), as_json=json)
        return
    words = [word for each in accept for word in ("--accept", each)]
    words += ["--mode", mode] if mode else []
    words += ["--adopt", adopt] if adopt else []
    words += [] if firewall else ["--no-firewall"]
    words += [] if backup else no_backup(sure=yes)
    rate = limit_of(limit, load_config(config).release.upload_limit)
    archive = _archive(bundle, config)
    deploy_to(targets, console, archive, root=root, words=words, plan_only=plan, limit=rate, as_json=json)


@task(iterable=["host"], help=VERB_HELP)
def status(
    _context: Context,
    host: list[str],
    root: str | None = None,
    config: str | None = None,
    ssh_config: str | None = None,
    json: bool = False,  # noqa: FBT001, FBT002
) -> None:
    """Show what runs on hosts: release, services, health, ports, disk, drift."""
    do_verb("status", [], host, root, config, ssh_config, as_json=json)


@task(iterable=["host"], help=VERB_HELP | {"service": "one service only", "tail": "how many lines of each"})
def logs(
    _context: Context,
    host: list[str],
    service: str | None = None,
    tail: int | None = None,
    root: str | None = None,
    config: str | None = None,
    ssh_config: str | None = None,
    json: bool = False,  # noqa: FBT001, FBT002
) -> None:
    """Show the services' logs on hosts."""
    words = ["--tail", str(tail)] if tail else []
    do_verb("logs", words + ([service] if service else []), host, root, config, ssh_config, as_json=json)


@task(iterable=["host"], help=VERB_HELP | {"service": "one service only"})
def restart(
    _context: Context,
    host: list[str],
    service: str | None = None,
    root: str | None = None,
    config: str | None = None,
    ssh_config: str | None = None,
    json: bool = False,  # noqa: FBT001, FBT002
) -> None:
    """Restart the services on hosts, and wait until they are healthy."""
    do_verb("restart", [service] if service else [], host, root, config, ssh_config, as_json=json)


@task(
    iterable=["host"],
    help=VERB_HELP
    | {
        "to": "the release to go back to; without it the one before",
        "with-data": "put back the data, too, from the newest backup of that release",
        "yes": "do it; without it --with-data only says what was written since and is lost",
    },
)
def rollback(
    _context: Context,
    host: list[str],
    to: str | None = None,
    with_data: bool = False,  # noqa: FBT001, FBT002
    yes: bool = False,  # noqa: FBT001, FBT002
    root: str | None = None,
    config: str | None = None,
    ssh_config: str | None = None,
    json: bool = False,  # noqa: FBT001, FBT002
) -> None:
    """Put an earlier release back into service on hosts; proved to be there before anything stops."""
    words = (["--to", to] if to else []) + (["--with-data"] if with_data else [])
    do = yes or not with_data
    do_verb("rollback", words, host, root, config, ssh_config, as_json=json, ask_only=not do)


@task(iterable=["host"], help=VERB_HELP)
def uninstall(
    _context: Context,
    host: list[str],
    root: str | None = None,
    config: str | None = None,
    ssh_config: str | None = None,
    json: bool = False,  # noqa: FBT001, FBT002
) -> None:
    """Stop the stack on hosts and take it away; data stays, and is named."""
    do_verb("uninstall", [], host, root, config, ssh_config, as_json=json)


def no_backup(*, sure: bool) -> list[str]:
    """The words for a deploy that saves nothing before. UsageError for one that is not `sure`."""
    if not sure:
        raise UsageError(
            "--no-backup is taken only together with --yes",
            hint="without a backup nobody can put the data back; leave --no-backup out, or add --yes",
        )
    return ["--no-backup"]


def targets_of(hosts: Sequence[str], ssh_config: str | None) -> tuple[Target, ...]:
    """The hosts of a command line, each once. UsageError when there is none, or one that is no host."""
    from offline.host.ssh import target

    if not hosts:
        raise UsageError("no host is named", hint="add --host USER@HOST[:PORT], once for each host")
    file = Path(ssh_config) if ssh_config else None
    if file and not file.is_file():
        raise UsageError(f"{file}: there is no such ssh_config")
    return tuple(target(each, file) for each in dict.fromkeys(hosts))


def deploy_to(
    targets: Sequence[Target],
    console: Console,
    archive: Path,
    *,
    root: str | None = None,
    words: Sequence[str] = (),
    plan_only: bool = False,
    limit: int | None = None,
    as_json: bool = False,
) -> None:
    """Verify a bundle and deploy it to hosts; raises Exit with the worst code. `limit`: bytes a second, for all."""
    from offline.host.bundle import open_verified
    from offline.host.deploy import Options
    from offline.host.deploy import deploy as deploy_one
    from offline.host.limit import Limiter

    opened = open_verified(archive, console)
    where = check_root(root or opened.fact("root"))
    options = Options(root=where, words=tuple(words), plan_only=plan_only, limiter=Limiter(limit) if limit else None)
    run_on(targets, console, lambda run: deploy_one(opened, options, run), as_json=as_json)


def run_on(
    targets: Sequence[Target],
    console: Console,
    work: Callable[[Deploy], Outcome],
    *,
    as_json: bool,
    flows: str = "send",
) -> None:
    """Do it on each host, show what became of them, raise Exit with the worst code. `flows`: what the bytes do."""
    from offline.host.deploy import Deploy
    from offline.host.outcome import show, worst
    from offline.host.several import Counting, on_each

    counting = Counting(console, flows if len(targets) == 1 else f"{flows}, {len(targets)} hosts")
    outcomes = on_each(targets, console, lambda target, say: work(Deploy(target, say, counting.of)))
    show(console, outcomes, as_json=as_json)
    code = worst([outcome.exit for outcome in outcomes])
    if code:
        raise Exit(code=code)


def limit_of(flag: str | None, configured: str | None) -> int | None:
    """Bytes a second that go to all hosts together; none: as many as the line takes. UsageError for no size."""
    from offline.bundle import parts

    text = flag or configured
    return parts.size(text, flag="--limit", example="--limit 10M, in bytes a second") if text else None


def check_root(root: str) -> str:
    """A stack's folder on a host. UsageError for one that is not an absolute, plain path."""
    if not re.fullmatch(r"(/[A-Za-z0-9._-]+)+/?", root) or "/../" in f"{root}/":
        raise UsageError(
            f"{root!r}: not a folder for a stack",
            hint="name an absolute path of letters, digits and . _ - such as /opt/xiaozhi",
        )
    return root.rstrip("/")


def do_verb(
    name: str,
    words: list[str],
    hosts: Sequence[str],
    root: str | None,
    config: str | None,
    ssh_config: str | None,
    *,
    as_json: bool = False,
    ask_only: bool = False,
) -> None:
    """Run a verb's script on hosts; raises Exit with the worst code. With `ask_only` it says what it would do."""
    from offline.host import verbs

    targets = targets_of(hosts, ssh_config)
    where = check_root(root or load_config(config).release.host.root)
    console = Console()

    def work(run: Deploy) -> Outcome:
        if not as_json and (ask_only or not verbs.VERBS[name].changes):
            before = "" if len(targets) == 1 else f"{run.target.given}: "
            run.say = lambda line: console.text(f"{before}{line}")
        return verbs.do(name, words, where, run, as_json=as_json, ask_only=ask_only)

    run_on(targets, console, work, as_json=as_json)


def _archive(bundle: str | None, config: str | None) -> Path:
    from offline.release.records import bundle_path

    return bundle_path(bundle or str(load_config(config).output / "latest.json"))
