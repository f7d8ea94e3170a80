"""The audit of a release: what release.yml accepts, what the staged copy cures, what stops it."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest

from offline.config.load import load
from offline.console import Console
from offline.errors import AuditError
from offline.release.auditing import accepted, audit_source
from offline.release.run import Run

if TYPE_CHECKING:
    from pathlib import Path

    from offline.config.load import Config

RELEASE = """schema: 1
stack: s
bundle: b
source: .
mode: all
network: {subnet: 172.30.1.0/24}
host: {root: /opt/s}
bases: {"ghcr.io/private/base:1": {from: [registry]}}
images: {a: {build: {offline: ["source:Dockerfile"]}}}
services: {a: {image: a}}
"""


def config(folder: Path, dockerfile: str, extra: str = "") -> Config:
    (folder / "release.yml").write_text(RELEASE + extra, encoding="utf-8")
    (folder / "Dockerfile").write_text(dockerfile, encoding="utf-8")
    return load(environ={}, config=str(folder / "release.yml"))


def run(folder: Path, dockerfile: str, extra: str = "") -> Run:
    return Run(config(folder, dockerfile, extra), Console(io.StringIO(), io.StringIO()))


def test_an_error_stops_the_release_and_names_file_line_and_rule(tmp_path: Path) -> None:
    with pytest.raises(AuditError, match=r"Dockerfile:2: .*\[undefined-stage\]") as caught:
        audit_source(run(tmp_path, "FROM debian:12\nCOPY --from=builder /a /b\n"))
    assert caught.value.exit_code == 9
    assert "--no-audit" in caught.value.hint


def test_an_error_accepted_in_release_yml_with_a_reason_does_not(tmp_path: Path) -> None:
    extra = 'audit: [{rule: undefined-stage, reason: "made elsewhere"}]\n'
    report = audit_source(run(tmp_path, "FROM debian:12\nCOPY --from=builder /a /b\n", extra))
    assert [reason for _, reason in report.ignored] == ["made elsewhere"]


def test_a_private_base_that_release_yml_provides_is_no_error(tmp_path: Path) -> None:
    done = run(tmp_path, "FROM ghcr.io/private/base:1\n")
    assert audit_source(done).errors == ()
    assert [stage.name for stage in done.stages] == ["audit"]


def test_windows_line_ends_are_cured_by_the_staged_copy(tmp_path: Path) -> None:
    assert {"crlf", "syntax-frontend"} <= {entry.rule for entry in accepted(config(tmp_path, "FROM debian:12\n"))}


def test_its_figures_go_into_the_release(tmp_path: Path) -> None:
    done = run(tmp_path, "FROM debian:12\nRUN apt-get update\n")
    audit_source(done)
    assert done.audit is not None
    assert done.audit.summary()["downloads"] == 1
