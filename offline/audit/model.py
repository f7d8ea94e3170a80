"""What an audit returns: plain frozen values, and nothing that knows how they are shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from offline.audit.listed import listed

Severity = Literal["error", "warning", "info"]

SCHEMA = 1

# The build types that reach out of the machine, whatever the image store already holds.
NETWORK_TYPES = listed(
    """
    from_image from_unresolved copy_from_image copy_from_undefined mount_from_image syntax_frontend add_url
    net_curl net_wget net_git pkg_apt pkg_apk pkg_dnf pkg_zypper pkg_pip pkg_uv pkg_poetry pkg_pipenv pkg_conda
    pkg_npm pkg_yarn pkg_pnpm pkg_bun corepack pkg_go pkg_cargo pkg_gem pkg_composer pkg_maven pkg_gradle
    pkg_pecl gpg_keyserver model_download browser_download toolchain_download
    """
)
IMAGE_TYPES = frozenset({"from_image", "from_unresolved", "copy_from_image", "copy_from_undefined", "mount_from_image"})
DOWNLOAD_TYPES = NETWORK_TYPES - IMAGE_TYPES


@dataclass(frozen=True, kw_only=True)
class Item:
    """One thing that comes from outside, or that a service needs. `line` is 1-based; `exists` is for bind mounts."""

    path: str
    line: int
    type: str
    value: str
    stage: str | None = None
    service: str | None = None
    exists: bool | None = None

    def as_json(self) -> dict[str, object]:
        """The item as in the JSON of issue E: `stage` or `service` only where there is one."""
        values: dict[str, object] = {"path": self.path, "line": self.line, "type": self.type, "value": self.value}
        optional = {"stage": self.stage, "service": self.service, "exists": self.exists}
        return values | {name: value for name, value in optional.items() if value is not None}


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One flaw, where it stands, and its cure."""

    path: str
    line: int
    rule: str
    severity: Severity
    message: str
    hint: str
    value: str = ""

    def as_json(self) -> dict[str, object]:
        """The finding as in the JSON of issue E."""
        return {
            "path": self.path,
            "line": self.line,
            "rule": self.rule,
            "severity": self.severity,
            "message": self.message,
            "hint": self.hint,
            "value": self.value,
        }


@dataclass(frozen=True, kw_only=True)
class AuditedFile:
    """A file that was looked at; `error` says why it was refused or could not be read as its kind."""

    path: str
    kind: str
    error: str = ""

    def as_json(self) -> dict[str, object]:
        """The file as in the JSON of issue E: `error` only where there is one."""
        values: dict[str, object] = {"path": self.path, "kind": self.kind}
        return values | ({"error": self.error} if self.error else {})


@dataclass(frozen=True, kw_only=True)
class Ignore:
    """A finding that somebody accepts, and why. `path` and `value` narrow it; empty means any."""

    rule: str
    reason: str
    path: str = ""
    value: str = ""

    def covers(self, finding: Finding) -> bool:
        """Whether this accepts `finding`."""
        return (
            self.rule == finding.rule
            and self.path in {"", finding.path}
            and (not self.value or self.value == finding.value)
        )


@dataclass(frozen=True, kw_only=True)
class Report:
    """The whole audit: what was read, what comes from outside, what is wrong, and what was accepted with a reason."""

    files: tuple[AuditedFile, ...]
    inventory: tuple[Item, ...]
    findings: tuple[Finding, ...]
    ignored: tuple[tuple[Finding, str], ...] = ()
    shown: dict[tuple[str, int], str] = field(default_factory=dict, repr=False, compare=False)

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that stop a release."""
        return tuple(found for found in self.findings if found.severity == "error")

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """The findings that stop a release under --strict."""
        return tuple(found for found in self.findings if found.severity == "warning")

    @property
    def downloads(self) -> tuple[Item, ...]:
        """What a build would fetch, images apart: the kit resolves those itself."""
        return tuple(item for item in self.inventory if item.type in DOWNLOAD_TYPES)

    @property
    def verdict(self) -> str:
        """One line: does it build offline?"""
        answer = "no" if self.downloads or self.errors else "yes"
        counts = [_count(self.downloads, "download"), _count(self.errors, "error")]
        if self.warnings:
            counts.append(_count(self.warnings, "warning"))
        return f"builds offline: {answer}, {', '.join(counts)}"

    def as_json(self) -> dict[str, object]:
        """The report for machines, schema 1 (issue E.2)."""
        return {
            "schema": SCHEMA,
            "files": [file.as_json() for file in self.files],
            "inventory": [item.as_json() for item in self.inventory],
            "findings": [finding.as_json() for finding in self.findings],
        }

    def summary(self) -> dict[str, object]:
        """The few figures for release.json."""
        return {
            "verdict": self.verdict,
            "files": len(self.files),
            "downloads": len(self.downloads),
            "errors": len(self.errors),
            "warnings": len(self.warnings),
            "ignored": [
                {"path": found.path, "line": found.line, "rule": found.rule, "reason": reason}
                for found, reason in self.ignored
            ],
        }


def _count(things: Sequence[object], word: str) -> str:
    return f"{len(things)} {word}{'' if len(things) == 1 else 's'}"
