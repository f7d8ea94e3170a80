"""What a rule finds beside its page's example, and what only looks like it."""

from __future__ import annotations

from pathlib import Path

import pytest

from offline.audit.project import audit


def lines_of(folder: Path, rule: str, **files: str) -> list[tuple[str, int]]:
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text, encoding="utf-8")
    return [(found.path, found.line) for found in audit([folder]).findings if found.rule == rule]


REFUSED = [
    ("FROM\n", [1]),
    ("FROM a:1 AS\n", [1]),
    ("FROM Apache Spark 3.4.1\n", [1]),
    ("FROM a:1 as b\n", []),
    ("FROM --platform=$BUILDPLATFORM a:1\n", []),
    ("RUN true\nFROM a:1\n", [1]),
    ("ARG A\nFROM a:1\n", []),
    ("FROM a:1\nCOPY x\n", [2]),
    ("FROM a:1\nCOPY <<EOF /x\nEOF\n", []),
]


@pytest.mark.parametrize(("text", "lines"), REFUSED)
def test_what_buildkit_refuses_after_parsing_is_said(text: str, lines: list[int], tmp_path: Path) -> None:
    assert [line for _, line in lines_of(tmp_path, "unreadable", Dockerfile=text)] == lines


BROKEN_COMPOSE = [
    ("", [1]),
    ("services: [a, b]\n", [1]),
    ("services:\n  a: 5\n", [2]),
    ("services:\n  a: {image: 'x:1'}\n  a: {image: 'y:1'}\n", [3]),
    ("services:\n  a:\n    image: x:1\n    image: y:1\n", [4]),
    ("x-a: &a {init: true}\nservices:\n  a:\n    <<: *a\n    <<: *a\n    image: x:1\n", []),
    ("include: [gone.yml]\nservices: {}\n", [1]),
    ("services:\n  a:\n    extends: {file: gone.yml, service: a}\n", [3]),
]


@pytest.mark.parametrize(("text", "lines"), BROKEN_COMPOSE)
def test_what_compose_refuses_although_it_is_yaml_is_said(text: str, lines: list[int], tmp_path: Path) -> None:
    assert [line for _, line in lines_of(tmp_path, "unreadable", compose_yml=text)] == lines


@pytest.mark.parametrize(
    ("image", "templates"),
    [("{{ .Image }}", 1), ("'{{ registry }}/x:1'", 1), ("x:1\n    hostname: '{{.Node.ID}}'", 0), ("{$I}", 0)],
)
def test_an_image_with_marks_makes_a_template(image: str, templates: int, tmp_path: Path) -> None:
    found = lines_of(tmp_path, "template", compose_yml=f"services:\n  a:\n    image: {image}\n")
    assert len(found) == templates


OUTSIDE = [
    "    env_file: ../x.env\n",
    "    build: {context: ., dockerfile: ../x/Dockerfile}\n",
    "    build: ..\n",
    "    extends: {file: ../x.yml, service: a}\n",
    "    volumes: ['../x:/x']\n",
    "    init: true\nsecrets:\n  s: {file: ../x.txt}\n",
    "    init: true\ninclude: [/etc/x.yml]\n",
]


@pytest.mark.parametrize("text", OUTSIDE)
def test_whatever_leads_outside_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    assert len(lines_of(tmp_path / "in", "outside-source", compose_yml=f"services:\n  a:\n{text}")) == 1


def test_a_way_out_and_in_again_is_inside(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    text = "services:\n  a:\n    build: {context: ., dockerfile: ../in/Dockerfile}\n"
    assert lines_of(tmp_path / "in", "outside-source", compose_yml=text, Dockerfile="FROM a:1\n") == []


PASSWORDS = [
    ("MYSQL_PASSWORD: x", 1),
    ("MYSQL_PASSWORD: ${P}", 0),
    ("MYSQL_PASSWORD: ${P:-x}", 1),
    ("MYSQL_PASSWORD_FILE: /run/secrets/x", 0),
    ("MYSQL_RANDOM_ROOT_PASSWORD: 'yes'", 0),
    ("MYSQL_ALLOW_EMPTY_PASSWORD: 'yes'", 1),
    ("DB_URL: postgres://app:secret@db/app", 1),
    ("DB_URL: postgres://app:${P}@db/app", 0),
    ("DB_URL: http://db:5432/a@b", 0),
]


@pytest.mark.parametrize(("line", "count"), PASSWORDS)
def test_a_password_is_known_by_its_name_or_its_place_in_an_address(line: str, count: int, tmp_path: Path) -> None:
    text = f"services:\n  a:\n    image: x:1\n    environment:\n      {line}\n"
    assert len(lines_of(tmp_path, "literal-password", compose_yml=text)) == count


def test_a_password_of_redis_stands_in_its_command(tmp_path: Path) -> None:
    text = "services:\n  a:\n    image: redis:7\n    command: redis-server --requirepass {}\n"
    assert lines_of(tmp_path, "literal-password", compose_yml=text.format("x")) == [("compose.yml", 4)]
    assert lines_of(tmp_path, "literal-password", compose_yml=text.format("$${P}")) == []


NEWER = [
    ("    command: ${A:+x}\n", 1),
    ("    command: ${A:-${B:-c}}\n", 1),
    ("    command: ${A:-b}${C:?}\n", 0),
    ("    command: $${A:+x}\n", 0),
    ("    init: true\nconfigs:\n  c: {content: x}\n", 1),
    ("    init: true\nconfigs:\n  c: {file: ./x}\n", 0),
]


@pytest.mark.parametrize(("text", "count"), NEWER)
def test_what_came_after_compose_1_29_is_said(text: str, count: int, tmp_path: Path) -> None:
    found = lines_of(tmp_path, "needs-newer-compose", compose_yml=f"services:\n  a:\n    image: x:1\n{text}")
    assert len(found) == count


@pytest.mark.parametrize(("url", "count"), [("https://x.org/a.git#v1", 1), ("https://x.org/a.tgz", 0)])
def test_a_git_repository_in_an_add_wants_a_newer_engine(url: str, count: int, tmp_path: Path) -> None:
    assert len(lines_of(tmp_path, "needs-newer-engine", Dockerfile=f"FROM a:1\nADD {url} /a\n")) == count


@pytest.mark.parametrize(("target", "count"), [("/data", 0), ("/data/", 0), ("/other", 1)])
def test_a_volume_of_the_image_wants_a_mount_with_a_name(target: str, count: int, tmp_path: Path) -> None:
    text = f"services:\n  a:\n    build: .\n    volumes: ['kept:{target}']\n"
    found = lines_of(tmp_path, "anonymous-volume", compose_yml=text, Dockerfile='FROM a:1\nVOLUME ["/data"]\n')
    assert len(found) == count


@pytest.mark.parametrize(("line", "count"), [("ENV DISABLE_TOKEN=true", 0), ("ENV A_TOKEN=x", 1), ("ARG A_TOKEN", 1)])
def test_a_switch_is_no_secret(line: str, count: int, tmp_path: Path) -> None:
    assert len(lines_of(tmp_path, "secret-in-image", Dockerfile=f"FROM a:1\n{line}\n")) == count


def test_services_that_are_only_extended_do_not_run_together(tmp_path: Path) -> None:
    service = "    image: x:1\n    ports: ['80:80']\n"
    base = f"services:\n  a:\n{service}  b:\n{service}"
    files = {"common_yml": base, "compose_yml": "services:\n  a:\n    extends: {file: common.yml, service: a}\n"}
    assert lines_of(tmp_path, "port-twice", **files) == []
    assert lines_of(tmp_path, "port-twice", compose_yml=base) != []


REPOSITORIES = [
    ("echo '[a]' > /etc/yum.repos.d/a.repo && echo baseurl=https://x.org >> /etc/yum.repos.d/a.repo", 1),
    ("{ echo '[a]'; echo baseurl=https://x.org; } > /etc/yum.repos.d/a.repo", 1),
    ("echo deb https://x.org a b >> /etc/apt/sources.list; echo deb https://y.org a >> /etc/apt/sources.list", 2),
]


@pytest.mark.parametrize(("command", "count"), REPOSITORIES)
def test_a_repository_written_line_by_line_is_one(command: str, count: int, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(f"FROM a:1\nRUN {command}\n", encoding="utf-8")
    assert [item.type for item in audit([tmp_path]).inventory].count("repo_add") == count


def test_each_of_several_here_documents_goes_where_it_is_named(tmp_path: Path) -> None:
    text = 'FROM a:1\nRUN <<"A" cat > /x.sh && bash <<B\ncurl https://x.org/1\nA\ncurl https://x.org/2\nB\n'
    (tmp_path / "Dockerfile").write_text(text, encoding="utf-8")
    found = [(item.line, item.value) for item in audit([tmp_path]).inventory if item.type == "net_curl"]
    assert found == [(5, "https://x.org/2")]


def test_python_in_a_here_document_by_its_first_line_fetches_models(tmp_path: Path) -> None:
    text = "FROM a:1\nRUN <<EOF\n#!/usr/bin/env python3\nimport nltk\nnltk.download('punkt')\nEOF\n"
    (tmp_path / "Dockerfile").write_text(text, encoding="utf-8")
    assert [(item.line, item.type) for item in audit([tmp_path]).inventory][1:] == [(5, "model_download")]
