from __future__ import annotations

import pytest

from offline.images.globs import matches


@pytest.mark.parametrize(
    ("path", "pattern"),
    [
        ("a", "a"),
        ("a/b/c", "a/b"),
        ("a/b/c", "/a/b/"),
        ("data/.config.yaml", "data/.*"),
        ("data/x", "data/*"),
        ("a/b/__pycache__/c", "**/__pycache__"),
        ("__pycache__/c", "**/__pycache__"),
        ("a/b/c.pyc", "**/*.pyc"),
        ("a1", "a?"),
        ("ab", "a[bc]"),
        ("ad", "a[!bc]"),
        ("数据/配 置", "数据/*"),
        ("a+b(c)", "a+b(c)"),
    ],
)
def test_a_pattern_names_the_path_or_a_folder_above_it(path: str, pattern: str) -> None:
    assert matches(path, pattern)


@pytest.mark.parametrize(
    ("path", "pattern"),
    [
        ("ab", "a"),
        ("x/a", "a"),
        ("a", "a/b"),
        ("data/config.yaml", "data/.*"),
        ("a/b/c", "a/*/d"),
        ("x/a/b", "*/b"),
        ("a/x", "a?"),
        ("ab", "a[!bc]"),
        ("aab", "a+b"),
        ("main/data", "data"),
    ],
)
def test_a_pattern_names_nothing_else(path: str, pattern: str) -> None:
    assert not matches(path, pattern)
