"""Every command that a guide shows is one that the tool takes: tasks by Invoke's own parser, scripts by their usage."""

from __future__ import annotations

import copy
import re
import shlex
from typing import TYPE_CHECKING

import pytest
from invoke.parser import Parser

from offline.paths import KIT
from offline.tasks import namespace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOST = KIT / "scripts" / "host"
PATTERNS = ("README*.md", "docs/*.md", "docs/audit/README.md", "templates/*.md.j2", "templates/*.txt.j2")
GUIDES = sorted(path for pattern in PATTERNS for path in KIT.glob(pattern))
TASK = re.compile(r"(?:sh scripts/bootstrap\.sh |\S*bin/|\S*Scripts\\)?invoke (.+)")
SCRIPT = re.compile(r"(?:sudo )?(?:bash )?(?:[\w/.{} ]*/)?([a-z-]+\.sh)\b(.*)")


def shown(guide: Path) -> Iterator[str]:
    """Lines of fenced blocks and spans of code, without what a shell does with them."""
    text = guide.read_text(encoding="utf-8")
    blocks = re.findall(r"```(?:sh|console|bash)\n(.*?)```", text, re.DOTALL)
    spans = re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    plain = text.splitlines() if guide.suffix == ".j2" and ".txt" in guide.name else []
    for line in [*(line for block in blocks for line in block.splitlines()), *spans, *plain]:
        yield re.sub(r"\{[{%].*?[%}]\}", "x", line).split(" #")[0].strip().removeprefix("$ ").removeprefix("# ")


def task_lines() -> list[tuple[str, str]]:
    """Guide and what stands behind `invoke`."""
    found = [(guide.name, TASK.match(line)) for guide in GUIDES for line in shown(guide)]
    return [(guide, match.group(1)) for guide, match in found if match]


def script_lines() -> list[tuple[str, str, str]]:
    """Guide, script of the host and what stands behind it."""
    found = [(guide.name, SCRIPT.match(line)) for guide in GUIDES for line in shown(guide)]
    return [
        (guide, match.group(1), match.group(2)) for guide, match in found if match and (HOST / match.group(1)).exists()
    ]


def usage(script: str) -> str:
    """What the script itself says it takes."""
    text = (HOST / script).read_text(encoding="utf-8")
    beside = "\n".join(path.read_text(encoding="utf-8") for path in sorted(HOST.glob("lib/messages*.en.sh")))
    alone = "usage" if script == "join.sh" else "verify_usage"  # join.sh stands alone on a stick
    (key,) = set(re.findall(r"USAGE=([a-z_]+_usage)", text)) or {alone}
    found = re.search(rf"\[{key}\]='((?:[^']|'\\'')*)'", text + beside)
    assert found, key
    return found.group(1)


@pytest.mark.parametrize(("guide", "line"), sorted(set(task_lines())))
def test_a_task_that_a_guide_shows_is_taken_with_its_flags(guide: str, line: str) -> None:
    words = shlex.split(line.replace("[", "").replace("]", ""))  # the brackets of what may be left out
    if len(words) == 1:
        assert words[0] in {"--list", *namespace.task_names}
        return
    contexts = copy.deepcopy(namespace).to_contexts()  # asked for its arguments, a task of Invoke's forgets their help
    given = Parser(contexts=contexts).parse_argv(words)
    named = [
        context.name for context in given if context.name
    ]  # one command may run several tasks, one after the other
    assert named == [word for word in words if word in namespace.task_names], guide
    assert named[0] == words[0], guide


@pytest.mark.parametrize(("guide", "script", "words"), sorted(set(script_lines())))
def test_a_script_that_a_guide_shows_takes_its_options(guide: str, script: str, words: str) -> None:
    known = set(re.findall(r"--[a-z][a-z-]*", usage(script)))
    assert set(re.findall(r"(?<!\S)--[a-z][a-z-]*", words)) <= known, guide


def test_the_guides_show_most_of_what_there_is() -> None:
    assert len(GUIDES) > 10
    assert len({line.split()[0] for _, line in task_lines()}) > 15
    assert {"offline-deploy.sh", "rollback.sh", "status.sh", "restore.sh"} <= {
        script for _, script, _ in script_lines()
    }


def test_both_guides_of_a_bundle_show_the_same_commands() -> None:
    english, chinese = (
        re.findall(r"```bash\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL)
        for path in sorted(KIT.glob("templates/*.md.j2"))
    )
    assert english == chinese
