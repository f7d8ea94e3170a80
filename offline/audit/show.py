"""The report for people: by file, the line shown, the cure, and one line of verdict."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from offline.audit.model import Finding, Report


def render(report: Report) -> str:
    """The whole report as text; the last line is the verdict."""
    lines: list[str] = []
    for path, group in groupby(report.findings, key=lambda finding: finding.path):
        lines.append(path)
        for finding in group:
            lines += _finding(finding, report)
        lines.append("")
    lines += _inventory(report)
    if report.ignored:
        lines.append("accepted:")
        lines += [f"  {found.path}:{found.line}  {found.rule}  because {reason}" for found, reason in report.ignored]
        lines.append("")
    lines.append(report.verdict)
    return "\n".join(lines)


def _finding(finding: Finding, report: Report) -> list[str]:
    shown = report.shown.get((finding.path, finding.line), "")
    return [
        f"  {finding.line}: {finding.severity}: {finding.message}  [{finding.rule}]",
        *([f"      | {shown}"] if shown else []),
        f"      → {finding.hint}",
    ]


def _inventory(report: Report) -> list[str]:
    """How many of each type come from outside; the single lines are in the JSON."""
    if not report.inventory:
        return []
    counts: dict[str, int] = {}
    for item in report.inventory:
        counts[item.type] = counts.get(item.type, 0) + 1
    listed = ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items(), key=lambda pair: -pair[1]))
    return [f"inventory: {listed}", ""]
