from __future__ import annotations

from pathlib import Path

from offline.audit.project import audit
from offline.audit.show import render

SEED = Path(__file__).parents[2] / "fixtures" / "audit" / "seed"


def test_the_broken_dockerfile_of_the_seed_has_exactly_its_four_flaws() -> None:
    report = audit([SEED])
    assert [(finding.path, finding.line, finding.rule) for finding in report.findings] == [
        ("Dockerfile-server", 2, "sibling-base"),
        ("Dockerfile-server", 8, "heavy-twice"),
        ("Dockerfile-server", 12, "undefined-stage"),
        ("main/xiaozhi-server/requirements.txt", 1, "requirements-line"),
    ]


def test_without_its_base_the_same_file_has_a_private_base_and_a_second_installation(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_bytes((SEED / "Dockerfile-server").read_bytes())
    report = audit([tmp_path])
    assert [finding.rule for finding in report.findings] == ["private-base", "mixed-base", "undefined-stage"]


def test_the_guide_shows_what_the_audit_says_of_the_seed() -> None:
    guide = (SEED.parents[3] / "docs" / "audit" / "README.md").read_text(encoding="utf-8")
    assert f"```text\n{render(audit([SEED]))}\n```" in guide
