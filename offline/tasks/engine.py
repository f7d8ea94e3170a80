"""`invoke fetch-engine`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from offline.console import Console
from offline.tasks.task import SOURCE_HELP, load_config, task

if TYPE_CHECKING:
    from invoke.context import Context


@task(
    iterable=["from_"],
    help=SOURCE_HELP
    | {
        "version": "of the Docker engine; without it as release.yml says",
        "compose-version": "of Compose; without it as release.yml says",
        "from": "a file to take instead of downloading: docker-<version>.tgz or a Compose binary; may be repeated",
    },
)
def fetch_engine(
    _context: Context,
    version: str | None = None,
    compose_version: str | None = None,
    from_: list[str] | None = None,
    source: str | None = None,
    config: str | None = None,
) -> None:
    """Bring an engine for bare hosts beside release.yml; `package` then puts it into the bundle."""
    from offline.bundle import enginefetch, enginekit
    from offline.tasks.show import show_engine

    resolved = load_config(config, source=source)
    console = Console()
    files = enginekit.wanted(
        resolved.release.engine,
        version=version,
        compose_version=compose_version,
        platform=resolved.release.platform,
        folder=resolved.file.parent,
    )
    given = [Path(name) for name in from_ or ()]
    found = enginefetch.fetch(files, given, platform=resolved.release.platform, console=console)
    show_engine(console, resolved.file, files, found)
