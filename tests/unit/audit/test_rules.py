"""Each rule has a page with a bad and a good example; the pages are the fixtures."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from offline.audit.project import audit
from offline.audit.rules.catalogue import RULES

if TYPE_CHECKING:
    from offline.audit.model import Finding

PAGES = Path(__file__).parents[3] / "docs" / "audit"
_FILE = re.compile(r"^`([^`\n]+)`\n\n```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def lay_out(section: str, folder: Path) -> Path:
    for name, text in _FILE.findall(section):
        windows = name.endswith(" (CRLF)")
        place = folder / name.removesuffix(" (CRLF)")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(text.replace("\n", "\r\n" if windows else "\n").encode())
    return folder


def findings_of(rule: str, heading: str, folder: Path) -> list[Finding]:
    page = (PAGES / f"{rule}.md").read_text(encoding="utf-8")
    section = page.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    assert _FILE.search(section), f"{rule}: no example under {heading}"
    report = audit([lay_out(section, folder)])
    return [finding for finding in report.findings if finding.rule == rule]


@pytest.mark.parametrize("rule", RULES)
def test_a_page_shows_a_bad_example_that_the_rule_finds(rule: str, tmp_path: Path) -> None:
    found = findings_of(rule, "Bad", tmp_path)
    assert found
    assert all(finding.severity == RULES[rule].severity for finding in found)
    assert all(finding.hint and finding.message for finding in found)


@pytest.mark.parametrize("rule", RULES)
def test_a_page_shows_a_good_example_that_the_rule_leaves_alone(rule: str, tmp_path: Path) -> None:
    assert findings_of(rule, "Good", tmp_path) == []


def test_every_page_is_of_a_rule() -> None:
    assert {page.stem for page in PAGES.glob("*.md")} == {*RULES, "README"}


def test_a_page_states_the_severity_and_title_of_its_rule() -> None:
    for rule, meta in RULES.items():
        page = (PAGES / f"{rule}.md").read_text(encoding="utf-8")
        assert page.startswith(f"# {rule}\n\n{meta.title}. Severity: {meta.severity}.\n"), rule
