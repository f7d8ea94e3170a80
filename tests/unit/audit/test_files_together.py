"""Compose files that belong together: overrides, includes, and what a build section gives to its Dockerfile."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from offline.audit.project import audit

if TYPE_CHECKING:
    from offline.audit.model import Report


def audited(folder: Path, files: dict[str, str]) -> Report:
    for name, text in files.items():
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(dedent(text).lstrip("\n"), encoding="utf-8")
    return audit([folder])


def rules_of(report: Report, *rules: str) -> list[tuple[str, int, str]]:
    return [(found.path, found.line, found.rule) for found in report.findings if found.rule in rules]


def bases_of(report: Report) -> list[tuple[int, str, str]]:
    return [(item.line, item.type, item.value) for item in report.inventory if item.path == "Dockerfile"]


ONE_BUILD = """
    services:
      app:
        build:
          context: .
          args:
            BASE: python:3.12-slim
"""


def test_an_argument_names_the_base_that_has_no_default(tmp_path: Path) -> None:
    report = audited(tmp_path, {"compose.yml": ONE_BUILD, "Dockerfile": "ARG BASE\nFROM ${BASE}\nRUN true\n"})
    assert bases_of(report) == [(2, "from_image", "python:3.12-slim")]
    assert rules_of(report, "unresolved-base") == []


def test_an_argument_names_an_image_beside_the_default(tmp_path: Path) -> None:
    report = audited(tmp_path, {"compose.yml": ONE_BUILD, "Dockerfile": "ARG BASE=debian:12\nFROM $BASE\n"})
    assert bases_of(report) == [(2, "from_image", "debian:12"), (2, "from_image", "python:3.12-slim")]


@pytest.mark.parametrize("written", ["- BASE", "- BASE=${OUTSIDE}", "- OTHER=x"])
def test_an_argument_without_a_known_value_names_nothing(written: str, tmp_path: Path) -> None:
    compose = f"services:\n  app:\n    build:\n      context: .\n      args:\n        {written}\n"
    report = audited(tmp_path, {"compose.yml": compose, "Dockerfile": "ARG BASE\nFROM ${BASE}\n"})
    assert bases_of(report) == [(2, "from_unresolved", "${BASE}")]


def test_a_health_check_in_any_layer_counts(tmp_path: Path) -> None:
    files = {
        "docker-compose.yml": "services:\n  a:\n    image: x:1\n  b:\n    image: x:1\n    healthcheck: {test: t}\n",
        "docker-compose.prod.yml": "services:\n  a:\n    healthcheck:\n      test: t\n  b:\n    restart: always\n",
    }
    assert rules_of(audited(tmp_path, files), "no-healthcheck") == []


def test_a_second_stack_in_the_folder_is_no_layer(tmp_path: Path) -> None:
    files = {
        "docker-compose.yml": "services:\n  a:\n    image: x:1\n",
        "docker-compose.dev.yml": "services:\n  a:\n    image: x:1\n    healthcheck: {test: t}\n",
    }
    assert rules_of(audited(tmp_path, files), "no-healthcheck") == [("docker-compose.yml", 2, "no-healthcheck")]


def test_an_image_that_another_layer_builds_needs_no_version(tmp_path: Path) -> None:
    files = {
        "compose.yaml": "services:\n  a:\n    image: acme/a\n  b:\n    image: acme/b\n",
        "compose.override.yaml": "services:\n  a:\n    build: .\n",
        "Dockerfile": "FROM debian:12\nHEALTHCHECK CMD true\n",
    }
    report = audited(tmp_path, files)
    assert rules_of(report, "unpinned-image") == [("compose.yaml", 5, "unpinned-image")]
    assert rules_of(report, "no-healthcheck") == [("compose.yaml", 4, "no-healthcheck")]


def test_a_port_of_the_file_below_is_taken(tmp_path: Path) -> None:
    files = {
        "compose.yaml": "services:\n  a:\n    image: x:1\n    ports: ['80:80']\n",
        "compose.override.yaml": "services:\n  b:\n    image: x:1\n    ports: ['80:8080']\n",
        "compose.other.yaml": "services:\n  b:\n    image: x:1\n    ports: ['80:8080']\n",
    }
    assert rules_of(audited(tmp_path, files), "port-twice") == [("compose.override.yaml", 4, "port-twice")]


def test_a_port_that_the_layer_above_takes_away_is_free(tmp_path: Path) -> None:
    files = {
        "compose.yaml": "services:\n  a:\n    image: x:1\n    ports: ['80:80']\n",
        "compose.override.yaml": "services:\n  a: {ports: !reset []}\n  b:\n    image: x:1\n    ports: ['80:8080']\n",
    }
    assert rules_of(audited(tmp_path, files), "port-twice") == []


PORTS = [
    ("'80:1', '80:2'", [6]),
    ("'127.0.0.1:80:1', '80:2'", [6]),
    ("'127.0.0.1:80:1', '127.0.0.2:80:2'", []),
    ("'8000-8010:8000-8010', '8005:80'", [6]),
    ("'80:1', '80:1/udp'", []),
    ("'80', '80'", []),
    ("'${PORT}:1', '${PORT}:2'", []),
    ("{published: 80, target: 1}, '80:2'", [6]),
    ("{published: 80, target: 1, host_ip: 127.0.0.1}, '127.0.0.2:80:2'", []),
]


@pytest.mark.parametrize(("ports", "lines"), PORTS)
def test_two_ports_collide_where_address_number_and_protocol_meet(ports: str, lines: list[int], tmp_path: Path) -> None:
    first, _, second = ports.rpartition(", '")
    text = f"services:\n  a:\n    image: x:1\n    ports:\n      - {first}\n      - '{second}\n"
    assert [line for _, line, _ in rules_of(audited(tmp_path, {"compose.yml": text}), "port-twice")] == lines


def test_an_included_file_has_the_folder_and_the_variables_of_its_include(tmp_path: Path) -> None:
    files = {
        "compose.yml": "include:\n  - path: db/db.yml\n    project_directory: .\n    env_file: db/defaults.env\n",
        "db/db.yml": "services:\n  db:\n    build: ./db\n    image: acme/db:${TAG}\n    volumes: ['./conf:/conf']\n",
        "db/defaults.env": "TAG=7\n",
        "db/Dockerfile": "FROM mysql:8.4\n",
        "conf/my.cnf": "",
    }
    report = audited(tmp_path, files)
    assert {
        (item.type, item.value, item.exists) for item in report.inventory if item.type in {"image", "bind_mount"}
    } == {
        ("image", "acme/db:7", None),
        ("bind_mount", "./conf", True),
    }
    assert [item.value for item in report.inventory if item.type == "from_image"] == ["mysql:8.4"]
