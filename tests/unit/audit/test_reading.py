"""Whatever is in a file, the audit answers with a position and a reason."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from offline.audit.listed import listed
from offline.audit.model import Ignore, Report
from offline.audit.project import audit
from offline.audit.show import render
from offline.errors import UsageError


def audited(folder: Path, name: str, content: bytes | str) -> Report:
    (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return audit([folder])


BROKEN = {
    "binary": ("Dockerfile", b"FROM x\n\0\0\0", "binary", 1),
    "huge": ("Dockerfile", b"FROM x:1\n" + b"RUN true\n" * 6_000_000, "bytes", 1),
    "long line": ("Dockerfile", b"FROM x:1\nRUN " + b"a" * 300_000, "a line of more", 1),
    "UTF-16": ("Dockerfile", "FROM x:1\n".encode("utf-16"), "UTF-16", 1),
    "no instruction": ("Dockerfile", b"# nothing\n", "no instructions", 1),
    "open heredoc": ("Dockerfile", b"FROM x:1\nRUN <<EOF\ntrue\n", "heredoc", 2),
    "bad ENV": ("Dockerfile", b"FROM x:1\nRUN true\nENV A\n", "ENV", 3),
    "deep": ("compose.yml", b"services: " + b"[" * 5000, "deeply", 1),
    "self anchor": ("compose.yml", b"services:\n  a: &a\n    image: x\n    x-y: *a\n", "contains itself", 4),
    "unknown anchor": ("compose.yml", b"services:\n  a: *b\n", "no anchor", 2),
    "bad YAML": ("compose.yml", b"services:\n  a:\n   image: x\n  b: [\n", "", 4),
    "a list": ("compose.yml", b"- a\n- b\n", "no services", 1),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_file_is_a_finding_with_its_position(case: str, tmp_path: Path) -> None:
    name, content, reason, line = BROKEN[case]
    report = audited(tmp_path, name, content)
    [finding] = [found for found in report.findings if found.rule == "unreadable"]
    assert (finding.path, finding.line) == (name, line)
    assert reason in finding.value
    assert [file.error for file in report.files] == [finding.value]


def test_a_thousand_aliases_of_aliases_take_no_time(tmp_path: Path) -> None:
    levels = ["x-0: &l0 [a, a]"] + [f"x-{n}: &l{n} [*l{n - 1}, *l{n - 1}]" for n in range(1, 60)]
    report = audited(
        tmp_path, "compose.yml", "\n".join(levels) + "\nservices:\n  a:\n    image: x:1\n    ports: *l59\n"
    )
    assert report.files[0].error == ""


def test_merges_of_merges_and_values_that_double_take_no_time(tmp_path: Path) -> None:
    levels = ["x-0: &l0 {image: x}"] + [f"x-{n}: &l{n} {{<<: [*l{n - 1}, *l{n - 1}]}}" for n in range(1, 45)]
    audited(tmp_path, "compose.yml", "\n".join(levels) + "\nservices:\n  a: *l44\n")
    doubling = "ENV A=$A$A\n" * 80 + "RUN " + "B=$B$B; " * 80 + "\n"
    audited(tmp_path, "Dockerfile", "FROM x:1\nENV A=aa B=bb\n" + doubling)


@pytest.mark.parametrize("opening", ["(", "$(", "{ ", "if ", "a | ", "! ", '"$(', "`", "${A:-", "f() { ", "[[ "])
def test_deep_nesting_in_a_command_is_survived(opening: str, tmp_path: Path) -> None:
    report = audited(tmp_path, "Dockerfile", "FROM x:1\nRUN curl https://example.com/x; " + opening * 3000 + "\n")
    assert "from_image" in {item.type for item in report.inventory}


@pytest.mark.parametrize("package", ["dockerfile", "tree_sitter_bash"])
def test_without_its_parser_it_says_so_and_reads_the_rest(
    package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    (tmp_path / "compose.yml").write_text(
        "services:\n  a:\n    image: x:1\n    command: curl x.org\n", encoding="utf-8"
    )
    report = audited(tmp_path, "Dockerfile", "FROM debian:12\n")
    [finding] = [found for found in report.findings if found.rule == "not-analysed"]
    assert (finding.path, finding.severity) == ("Dockerfile", "warning")
    assert package in finding.message
    assert "service" in {item.type for item in report.inventory if item.path == "compose.yml"}


def test_a_link_out_of_the_source_is_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    inside = tmp_path / "inside"
    outside.mkdir()
    inside.mkdir()
    (outside / "Dockerfile").write_text("FROM secret:1\n", encoding="utf-8")
    (inside / "Dockerfile").symlink_to(outside / "Dockerfile")
    report = audit([inside])
    assert "outside" in report.files[0].error
    assert report.inventory == ()


def test_of_a_single_file_nothing_else_is_read(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("TAG=secret\n", encoding="utf-8")
    (tmp_path / "run.sh").write_text("curl https://example.com\n", encoding="utf-8")
    (tmp_path / "Dockerfile").write_text("FROM x:1\nCOPY run.sh /\nRUN /run.sh\n", encoding="utf-8")
    (tmp_path / "my.yml").write_text("services:\n  a:\n    image: x:${TAG:-1}\n", encoding="utf-8")
    assert [item.value for item in audit([tmp_path / "my.yml"]).inventory if item.type == "image"] == ["x:1"]
    assert [item.type for item in audit([tmp_path / "Dockerfile"]).inventory] == ["from_image"]


def test_a_path_that_is_not_there_is_a_mistake_in_the_call(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nothing to audit"):
        audit([tmp_path / "gone"])


def test_a_finding_is_accepted_by_a_comment_with_its_reason(tmp_path: Path) -> None:
    report = audited(tmp_path, "Dockerfile", "# audit: ignore unpinned-image -- the newest is wanted\nFROM debian\n")
    assert report.findings == ()
    assert [reason for _, reason in report.ignored] == ["the newest is wanted"]


def test_a_finding_is_accepted_by_the_list_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM debian\n", encoding="utf-8")
    other = Ignore(rule="unpinned-image", path="other/Dockerfile", reason="no")
    mine = Ignore(rule="unpinned-image", value="debian", reason="yes")
    assert len(audit([tmp_path], ignore=[other]).findings) == 1
    report = audit([tmp_path], ignore=[other, mine])
    assert report.findings == ()
    assert "because yes" in render(report)


def test_the_json_has_the_keys_of_schema_1(tmp_path: Path) -> None:
    report = audited(tmp_path, "Dockerfile", "FROM debian\nRUN apt-get update\n")
    values = json.loads(json.dumps(report.as_json()))
    assert values == {
        "schema": 1,
        "files": [{"path": "Dockerfile", "kind": "dockerfile"}],
        "inventory": [
            {"path": "Dockerfile", "line": 1, "type": "from_image", "value": "debian", "stage": "0"},
            {"path": "Dockerfile", "line": 2, "type": "pkg_apt", "value": "apt-get update", "stage": "0"},
        ],
        "findings": [report.findings[0].as_json()],
    }
    assert set(values["findings"][0]) == {"path", "line", "rule", "severity", "message", "hint", "value"}


def test_people_see_the_line_the_cure_and_the_verdict(tmp_path: Path) -> None:
    report = audited(tmp_path, "Dockerfile", "FROM debian:12\nRUN pip install a b\nCOPY --from=nowhere /a /b\n")
    shown = render(report).splitlines()
    assert shown[0] == "Dockerfile"
    assert "      | COPY --from=nowhere /a /b" in shown
    assert any(line.startswith("      → add a stage") for line in shown)
    assert shown[-1] == "builds offline: no, 1 download, 1 error"


def test_a_password_is_never_shown(tmp_path: Path) -> None:
    text = "services:\n  db:\n    image: mysql:8.0\n    environment:\n      - MYSQL_ROOT_PASSWORD=hunter2\n"
    report = audited(tmp_path, "compose.yml", text)
    assert "literal-password" in render(report)
    assert "hunter2" not in render(report) + json.dumps(report.as_json())


_WORDS = """
    FROM RUN COPY ADD ENV ARG <<EOF EOF --from=0 --mount=type=bind,from=x ${A:-$B} ${ $( ` ' " \\ && || ; | ( ) { } if
    then fi for in do done case esac curl apt-get install https://x.y/z sh -c $@ # services: image: build: - & * : [ ]
    ports: volumes: extends: include: ./a:/b "80:80" <<: &a *a !reset | > ONBUILD SHELL ["a","b"] AS x
"""
_PIECES = st.sampled_from(sorted(listed(_WORDS)))
_TEXTS = st.lists(st.one_of(_PIECES, st.sampled_from(["\n", " ", "\n  ", "\n    "]), st.text(max_size=3)), max_size=60)


@pytest.mark.parametrize("name", ["Dockerfile", "compose.yml"])
@given(pieces=_TEXTS, start=st.sampled_from(["", "FROM x:1\n", "FROM x:1\nRUN ", "services:\n  a:\n    "]))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_input_crashes_it_and_every_position_exists(
    tmp_path: Path, name: str, pieces: list[str], start: str
) -> None:
    content = (start + "".join(pieces)).encode("utf-8", "replace")
    report = audited(tmp_path, name, content)
    lines = max(1, content.count(b"\n") + 1)
    assert all(1 <= item.line <= lines for item in report.inventory)
    assert all(1 <= finding.line <= lines for finding in report.findings)
    assert render(report)
