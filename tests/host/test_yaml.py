"""The host's yaml.sh against a real YAML parser: what it sets and says is what PyYAML reads."""

from __future__ import annotations

import copy
import os
import subprocess
from pathlib import Path
from typing import Any

import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

LIBRARY = Path(__file__).parents[2] / "scripts" / "host" / "lib" / "yaml.sh"
KEY = "manager-api.secret"

words = st.text(
    st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"], exclude_characters="\ufeff\ufffe\uffff"), max_size=20
)
leaves = st.one_of(words, st.integers(), st.booleans(), st.none(), st.lists(words, max_size=3))
names = st.sampled_from(["manager-api", "secret", "url", "server", "log", "ASR"])
documents = st.dictionaries(
    names,
    st.one_of(leaves, st.dictionaries(names, st.one_of(leaves, st.dictionaries(names, leaves, max_size=2)))),
    max_size=5,
)


def run(command: str, text: str, folder: Path, value: str = "") -> subprocess.CompletedProcess[str]:
    file = folder / "config.yaml"
    file.write_text(text, encoding="utf-8")
    argv: list[str | Path] = ["bash", "-c", f'source "$1"; {command} "$2" {KEY}', "bash", LIBRARY, file]
    environment = {**os.environ, "LC_ALL": "C", "YAML_VALUE": value}
    return subprocess.run(argv, capture_output=True, check=False, env=environment, encoding="utf-8")


def at_key(document: Any) -> Any:
    """What stands at KEY; None where nothing does."""
    section = document.get("manager-api")
    return section.get("secret") if isinstance(section, dict) else None


@settings(max_examples=80, deadline=None)
@given(document=documents, value=words, indent=st.sampled_from([2, 4]))
@example(document={"manager-api": {"manager-api": None, "secret": {}}}, value="", indent=2)
def test_what_it_sets_a_parser_reads_and_nothing_else_changes(
    tmp_path_factory: Any, document: dict[str, Any], value: str, indent: int
) -> None:
    folder = tmp_path_factory.mktemp("yaml")
    text = yaml.safe_dump(document, allow_unicode=True, indent=indent, sort_keys=False, width=10_000)
    done = run("yaml_set", text if document else "", folder, value)
    said = run("yaml_get", text if document else "", folder).stdout.rstrip("\n")
    if said == "other":
        assert done.returncode == 1
        return
    kind, _, found = said.partition(" ")
    assert kind == ("unset" if at_key(document) in (None, "", {}) else "value")
    if kind == "value":
        assert yaml.safe_load(found) == at_key(document) or found == at_key(document)
    assert done.returncode == 0
    expected = copy.deepcopy(document)
    expected["manager-api"] = {**(expected.get("manager-api") or {}), "secret": value}
    assert yaml.safe_load(done.stdout) == expected
