"""The audit: from paths to a report. Reads below the given paths, runs nothing, reaches nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from offline.audit.build import BuildAudit, audit_build
from offline.audit.context import context_of, finder
from offline.audit.dockerfile import DockerfileError, read_dockerfile
from offline.audit.model import AuditedFile, Finding, Ignore, Item, Report
from offline.audit.source import Candidate, RefusedError, Source, looks_like_template
from offline.errors import UsageError


def audit(paths: Sequence[Path], *, ignore: Sequence[Ignore] = ()) -> Report:
    """Audit folders, Dockerfiles and Compose files.

    Paths in the report are POSIX and relative to the given path they were found under. Raises UsageError for a path
    that does not exist; whatever is wrong inside a file is a finding.
    """
    for path in paths:
        if not path.exists():
            raise UsageError(
                f"nothing to audit at {path}", hint="give a folder, a Dockerfile or a compose file that exists"
            )
    gathered = _Gathered()
    for path in paths:
        _Project(Source(path), gathered).read()
    return gathered.report(ignore)


class _Gathered:
    def __init__(self) -> None:
        self.files: dict[str, AuditedFile] = {}
        self.items: list[Item] = []
        self.findings: list[Finding] = []

    def report(self, ignore: Sequence[Ignore]) -> Report:
        kept: list[Finding] = []
        ignored: list[tuple[Finding, str]] = []
        for finding in dict.fromkeys(self.findings):
            reason = next((entry.reason for entry in ignore if entry.covers(finding)), None)
            if reason is None:
                kept.append(finding)
            else:
                ignored.append((finding, reason))
        return Report(
            files=tuple(self.files[path] for path in sorted(self.files)),
            inventory=tuple(sorted(dict.fromkeys(self.items), key=lambda item: (item.path, item.line, item.type))),
            findings=tuple(sorted(kept, key=lambda found: (found.path, found.line, found.rule))),
            ignored=tuple(ignored),
        )


class _Project:
    """One given path: its Dockerfiles and Compose files, which know of each other."""

    def __init__(self, source: Source, gathered: _Gathered) -> None:
        self.source = source
        self.gathered = gathered
        self.builds: dict[str, BuildAudit] = {}

    def read(self) -> None:
        """Read every candidate, then look at them together."""
        for candidate in self.source.candidates():
            if candidate.kind == "dockerfile":
                self._dockerfile(candidate)

    def _dockerfile(self, candidate: Candidate) -> None:
        path = candidate.path
        try:
            text = self.source.text(path)
        except RefusedError as refused:
            self._refuse(path, "dockerfile", str(refused), 1)
            return
        try:
            file = read_dockerfile(text, path)
        except DockerfileError as error:
            if looks_like_template(text):
                self.gathered.files[path] = AuditedFile(path=path, kind="template")
            else:
                self._refuse(path, "dockerfile", str(error), error.line)
            return
        self.gathered.files[path] = AuditedFile(path=path, kind="dockerfile")
        build = audit_build(file, find=finder(self.source, context_of(file, self.source, None)))
        self.builds[path] = build
        self.gathered.items += build.items

    def _refuse(self, path: str, kind: str, reason: str, line: int) -> None:
        self.gathered.files[path] = AuditedFile(path=path, kind=kind, error=reason)
        name = PurePosixPath(path).name
        self.gathered.findings.append(
            Finding(
                path=path,
                line=line,
                rule="unreadable",
                severity="error",
                message=f"{name} could not be read: {reason}",
                hint="mend the file, or leave it out of the audited paths",
                value=reason,
            )
        )
