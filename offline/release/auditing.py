"""The audit stage: what would break without internet, before twenty minutes of build."""

from __future__ import annotations

from typing import TYPE_CHECKING

from offline.audit.model import Ignore, Report
from offline.errors import AuditError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from offline.config.load import Config
    from offline.release.run import Run


def accepted(config: Config) -> tuple[Ignore, ...]:
    """What release.yml accepts, and what the kit itself cures in the staged copy that is built. Pure."""
    named = (
        Ignore(rule=entry.rule, reason=entry.reason, path=entry.path, value=entry.value)
        for entry in config.release.audit
    )
    return (*named, *_cured(config))


def _cured(config: Config) -> Iterator[Ignore]:
    for reference in config.release.bases:
        for rule in ("private-base", "sibling-base"):
            yield Ignore(rule=rule, reason="release.yml says under `bases` where it comes from", value=reference)
    yield Ignore(rule="crlf", reason="the kit gives LF line ends to what it builds and ships")
    yield Ignore(rule="syntax-frontend", reason="the kit builds with the engine's own frontend")


def audit_source(run: Run) -> Report:
    """Audit the source. AuditError names every error; warnings are counted, `invoke audit` shows them."""
    from offline.audit.project import audit

    with run.stage("audit"):
        report = audit([run.config.source], ignore=accepted(run.config))
        run.console.say(f"    {report.verdict}")
    if report.errors:
        found = "\n".join(f"  {error.path}:{error.line}: {error.message} [{error.rule}]" for error in report.errors)
        raise AuditError(
            f"the audit found what will break:\n{found}",
            hint="invoke audit shows each with its cure; accept one under `audit` in release.yml, or give --no-audit",
        )
    run.audit = report
    return report
