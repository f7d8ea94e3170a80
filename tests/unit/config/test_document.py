from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from offline.config import document
from offline.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path


def refusal(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    with pytest.raises(UsageError) as caught:
        document.read(path)
    return str(caught.value)


def test_every_key_and_item_knows_its_line(tmp_path: Path) -> None:
    file = tmp_path / "a.yml"
    file.write_text("a: 1\nb:\n  c: [x, y]\n  d:\n    - e: 1\n")
    lines = " ".join(f"{path}={line}" for path, line in document.read(file).lines.items())
    assert lines == "a=1 b=2 b.c=3 b.c[0]=3 b.c[1]=3 b.d=4 b.d[0]=5 b.d[0].e=5"


@pytest.mark.parametrize(
    ("text", "line", "path", "first"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, "a", 1),
        ("s:\n  x: 1\n  x: 1\n", 3, "s.x", 2),
        ("l:\n - {k: 1, k: 2}\n", 2, "l[0].k", 2),
    ],
)
def test_a_duplicate_key_is_refused_with_both_its_lines(
    tmp_path: Path, text: str, line: int, path: str, first: int
) -> None:
    file = tmp_path / "a.yml"
    expected = f"{file}:{line}: {path}: duplicate key; it stands already in line {first}"
    assert refusal(file, text.encode()) == expected


def test_the_same_key_in_two_mappings_is_no_duplicate(tmp_path: Path) -> None:
    file = tmp_path / "a.yml"
    file.write_text("a: {x: 1}\nb: {x: 1}\nc: [{x: 1}, {x: 1}]\n")
    assert document.read(file).values["b"] == {"x": 1}


def test_a_file_saved_by_windows_notepad_is_read(tmp_path: Path) -> None:
    file = tmp_path / "a.yml"
    file.write_bytes("a: 中文\r\nb: 2\r\n".encode("utf-8-sig"))
    assert document.read(file).values == {"a": "中文", "b": 2}


def test_utf_16_is_refused_with_the_likely_cause(tmp_path: Path) -> None:
    assert "PowerShell writes UTF-16" in refusal(tmp_path / "a.yml", "a: 1\n".encode("utf-16"))


@pytest.mark.parametrize("content", [b"", b"- a\n", b"text\n"])
def test_what_is_no_mapping_is_refused(tmp_path: Path, content: bytes) -> None:
    assert "not a mapping of keys to values" in refusal(tmp_path / "a.yml", content)


def test_broken_yaml_is_refused_with_its_place(tmp_path: Path) -> None:
    message = refusal(tmp_path / "a.yml", b"a: 1\nb: [x\n")
    assert "a.yml: not valid YAML" in message
    assert "line 3" in message


def test_yaml_that_would_run_code_is_refused(tmp_path: Path) -> None:
    assert "not valid YAML" in refusal(tmp_path / "a.yml", b"a: !!python/object/apply:os.getcwd []\n")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no\.yml: there is no such file\n.*--config FILE"):
        document.read(tmp_path / "no.yml")
