"""`invoke build-base`, `build-offline`, `build-app`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from offline.console import Console
from offline.tasks.task import SOURCE_HELP, load_config, task

if TYPE_CHECKING:
    from invoke.context import Context


@task(help=SOURCE_HELP | {"strategy": "offline (plan A) or two-stage (plan B)"})
def build_base(
    _context: Context, source: str | None = None, config: str | None = None, strategy: str | None = None
) -> None:
    """Get the bases: pulled, loaded from an archive, bootstrapped from a mirror, or built."""
    from offline.release.run import running
    from offline.release.stages import build_base as run_build_base

    with running(load_config(config, source=source, strategy=strategy), Console(), "invoke build-base") as run:
        run_build_base(run)


@task(help=SOURCE_HELP)
def build_offline(_context: Context, source: str | None = None, config: str | None = None) -> None:
    """Plan A: build every image self-contained, without any private remote image."""
    _build("offline", source, config, "invoke build-offline")


@task(help=SOURCE_HELP)
def build_app(_context: Context, source: str | None = None, config: str | None = None) -> None:
    """Plan B: build the application on its base; after a change of code this takes seconds."""
    _build("two-stage", source, config, "invoke build-app")


def _build(strategy: str, source: str | None, config: str | None, command: str) -> None:
    from offline.release.run import running
    from offline.release.stages import build_images

    with running(load_config(config, source=source, strategy=strategy), Console(), command) as run:
        build_images(run, retry=command)
