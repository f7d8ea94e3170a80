"""`invoke audit`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from offline.console import Console
from offline.tasks.task import SOURCE_HELP, load_config, task

if TYPE_CHECKING:
    from invoke.context import Context


@task(
    iterable=["path"],
    help=SOURCE_HELP
    | {
        "path": "a folder, a Dockerfile or a compose file; may be given again; without it the source",
        "json": "one JSON object on stdout",
        "strict": "warnings count as errors",
    },
)
def audit(
    _context: Context,
    path: list[str],
    source: str | None = None,
    config: str | None = None,
    json: bool = False,  # noqa: FBT001, FBT002 - Invoke makes flags of these
    strict: bool = False,  # noqa: FBT001, FBT002
) -> None:
    """Find everything that will break without internet, in a second and without running anything."""
    from offline.audit.project import audit as run_audit
    from offline.audit.show import render
    from offline.errors import AuditError
    from offline.release.auditing import accepted

    console = Console()
    if path:
        report = run_audit([Path(given) for given in path])
    else:
        resolved = load_config(config, source=source)
        report = run_audit([resolved.source], ignore=accepted(resolved))
    if json:
        console.result(report.as_json())
    else:
        console.text(render(report))
    bad = [*report.errors, *(report.warnings if strict else ())]
    if bad:
        raise AuditError(report.verdict, hint="each finding names its cure; docs/audit/ explains every rule")
