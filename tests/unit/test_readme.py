"""The guides say what the tool does: the same commands in both languages, and every command there is."""

from __future__ import annotations

import re

import pytest

from offline.images.context import walk
from offline.paths import KIT
from offline.tasks import namespace

SUFFIXES = (".py", ".sh", ".md", ".yml", ".j2", ".toml")
READMES = ("README.md", "README.zh-CN.md")


def commands(name: str) -> set[str]:
    text = (KIT / name).read_text(encoding="utf-8")
    return set(re.findall(r"(?:`|^|bin/|\\)invoke ([a-z][a-z-]+)", text, re.MULTILINE))


@pytest.mark.parametrize("name", READMES)
def test_every_command_named_exists(name: str) -> None:
    assert commands(name) <= set(namespace.task_names)


@pytest.mark.parametrize("name", READMES)
def test_every_command_is_named(name: str) -> None:
    assert set(namespace.task_names) <= commands(name)


@pytest.mark.parametrize("name", READMES)
def test_every_file_linked_to_exists(name: str) -> None:
    links = re.findall(r"\]\(([^)#]+)\)", (KIT / name).read_text(encoding="utf-8"))
    assert links
    assert [link for link in links if not (KIT / link).exists()] == []


def test_both_languages_show_the_same_commands_and_session() -> None:
    english, chinese = (
        re.findall(r"```(?:sh|console)\n(.*?)```", (KIT / name).read_text(encoding="utf-8"), re.DOTALL)
        for name in READMES
    )
    assert english == chinese


def test_nothing_in_the_project_holds_a_path_of_one_machine() -> None:
    marks = ("/root/" + ".pyenv", "/work/" + "main", "/home/" + "runner")
    own = [KIT / name for name in walk(KIT, (".*", "dist", "*.egg-info")) if name.endswith(SUFFIXES)]
    assert own
    assert [path for path in own if any(mark in path.read_text(encoding="utf-8") for mark in marks)] == []
