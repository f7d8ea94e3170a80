"""The audit: from paths to a report. Reads below the given paths, runs nothing, reaches nothing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from offline.audit.model import AuditedFile, Finding, Ignore, Item, Report
from offline.audit.reading import Reading
from offline.audit.rules.everything import findings
from offline.audit.source import RefusedError, Source
from offline.errors import UsageError

_COMMENT = re.compile(r"#\s*audit:\s*ignore\s+([a-z, -]+?)(?:\s*(?:--|:|\()\s*(.*))?$")
_LONGEST_SHOWN = 160
# Their lines hold the secret itself.
_NOT_SHOWN = frozenset({"literal-password", "secret-in-image"})


def audit(paths: Sequence[Path], *, ignore: Sequence[Ignore] = ()) -> Report:
    """Audit folders, Dockerfiles and Compose files.

    Paths in the report are POSIX and relative to the given path they were found under. Raises UsageError for a path
    that does not exist; whatever is wrong inside a file is a finding. A finding is accepted by an entry of `ignore`,
    or by a comment `# audit: ignore <rule> -- reason` on its line or the line above.
    """
    for path in paths:
        if not path.exists():
            raise UsageError(
                f"nothing to audit at {path}", hint="give a folder, a Dockerfile or a compose file that exists"
            )
    gathered = _Gathered(ignore)
    for path in paths:
        reading = Reading(Source(path))
        reading.read()
        gathered.add(reading)
    return gathered.report()


class _Gathered:
    """What all the given paths brought, and what of it is accepted."""

    def __init__(self, ignore: Sequence[Ignore]) -> None:
        self.ignore = ignore
        self.files: dict[str, AuditedFile] = {}
        self.items: dict[Item, None] = {}
        self.kept: dict[Finding, None] = {}
        self.ignored: dict[Finding, str] = {}
        self.shown: dict[tuple[str, int], str] = {}

    def add(self, reading: Reading) -> None:
        """Take in what was read under one path."""
        self.files |= reading.files
        self.items |= dict.fromkeys(reading.sources.items)
        lines = _Lines(reading.sources.source)
        for finding in [*reading.findings, *findings(reading.sources)]:
            reason = self._reason(finding, lines)
            if reason is None:
                self.kept[finding] = None
            else:
                self.ignored[finding] = reason
            if finding.rule not in _NOT_SHOWN:
                line = lines.line(finding.path, finding.line).strip()[:_LONGEST_SHOWN]
                self.shown[finding.path, finding.line] = line

    def _reason(self, finding: Finding, lines: _Lines) -> str | None:
        """Why a finding is accepted, None where it is not."""
        for entry in self.ignore:
            if entry.covers(finding):
                return entry.reason
        for number in (finding.line, finding.line - 1):
            comment = _COMMENT.search(lines.line(finding.path, number))
            if comment and finding.rule in re.split(r"[,\s]+", comment[1].strip()):
                return comment[2] or "by a comment"
        return None

    def report(self) -> Report:
        """All of it, sorted."""
        return Report(
            files=tuple(self.files[path] for path in sorted(self.files)),
            inventory=tuple(sorted(self.items, key=lambda item: (item.path, item.line, item.type, item.value))),
            findings=tuple(sorted(self.kept, key=lambda found: (found.path, found.line, found.rule, found.value))),
            ignored=tuple(self.ignored.items()),
            shown=self.shown,
        )


class _Lines:
    """Lines of audited files, each file read once."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.texts: dict[str, list[str]] = {}

    def line(self, path: str, number: int) -> str:
        """A line by number, "" where there is none."""
        if path not in self.texts:
            try:
                self.texts[path] = self.source.text(path).split("\n")
            except RefusedError:
                self.texts[path] = []
        lines = self.texts[path]
        return lines[number - 1] if 0 < number <= len(lines) else ""
