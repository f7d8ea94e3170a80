"""`invoke export`, `package`, `verify`, `diff`, `store-gc`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from offline.console import Console
from offline.tasks.task import BUILD_HELP, PART_SIZE_HELP, SINCE_HELP, SOURCE_HELP, load_config, task

if TYPE_CHECKING:
    from invoke.context import Context


@task(help=SOURCE_HELP)
def export(_context: Context, source: str | None = None, config: str | None = None) -> None:
    """Bring the built images into the layer store; what it has already is not compressed again."""
    from offline.release.run import running
    from offline.release.stages import export_images

    with running(load_config(config, source=source), Console(), "invoke export") as run:
        export_images(run)


@task(
    iterable=["since"],
    help=BUILD_HELP
    | PART_SIZE_HELP
    | SINCE_HELP
    | {
        "id": "the release id, YYYYMMDD-HHMMSS; without it the present time in UTC",
        "json": "one JSON object on stdout, everything else on stderr",
    },
)
def package(
    _context: Context,
    source: str | None = None,
    config: str | None = None,
    strategy: str | None = None,
    mode: str | None = None,
    id: str | None = None,  # noqa: A002 - the flag's name
    json: bool = False,  # noqa: FBT001, FBT002 - Invoke makes flags of these
    part_size: str | None = None,
    since: list[str] | None = None,
) -> None:
    """Write the bundle from the layer store and the payload."""
    from offline.bundle import parts
    from offline.release import earlier
    from offline.release.packaging import package as run_package
    from offline.release.run import check_id, new_id, running
    from offline.tasks.show import show_outcome

    identity = check_id(id) if id else new_id()
    limit = parts.size(part_size) if part_size else None
    console = Console()
    with running(load_config(config, source=source, strategy=strategy, mode=mode), console, "invoke package") as run:
        outcome = run_package(run, identity=identity, part_size=limit, since=earlier.find(run, since or ()))
    show_outcome(console, outcome, as_json=json)


@task(
    positional=["bundle"],
    help={"bundle": "the bundle, its .parts.json or first part, or a result file such as dist/latest.json"},
)
def verify(_context: Context, bundle: str) -> None:
    """Check a bundle: every file, every blob, all images complete."""
    from offline.release.records import bundle_path
    from offline.tasks.show import verify_bundle

    verify_bundle(Console(), bundle_path(bundle))


@task(
    positional=["old", "new"],
    help={
        "old": "a bundle, its .parts.json, its release.json, or a result file such as dist/latest.json",
        "new": "the same of the later release",
        "json": "one JSON object on stdout, everything else on stderr",
    },
)
def diff(_context: Context, old: str, new: str, json: bool = False) -> None:  # noqa: FBT001, FBT002 - Invoke's flag
    """Show what changes between two releases: images, layers, payload, compose file, versions."""
    from offline.release.comparing import compare
    from offline.tasks.show import show_difference

    console = Console()
    show_difference(console, compare(old, new, console), as_json=json)


@task(help={"keep": "how many releases to keep; without it `keep` of release.yml", "config": SOURCE_HELP["config"]})
def store_gc(_context: Context, keep: int | None = None, config: str | None = None) -> None:
    """Remove layers that no kept release and no current image needs."""
    from offline.release.gc import collect
    from offline.release.run import running

    with running(load_config(config), Console(), "invoke store-gc") as run:
        collect(run, keep)
