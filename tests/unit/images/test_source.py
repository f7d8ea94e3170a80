from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from offline.errors import PreflightError, UsageError
from offline.images import source
from offline.run import Result
from tests import builders

if TYPE_CHECKING:
    from pathlib import Path


def answers(monkeypatch: pytest.MonkeyPatch, *, head: str = "c0ffee\n", code: int = 0, changed: str = "") -> None:
    def run(argv: list[str], **_: object) -> Result:
        out = head if "rev-parse" in argv else changed
        return Result(argv=tuple(argv), code=code, out=out, err="")

    monkeypatch.setattr(source, "run", run)


def test_a_folder_that_is_not_there_is_refused_and_told_how_to_choose(tmp_path: Path) -> None:
    config = builders.config(tmp_path)
    config.source.rename(tmp_path / "elsewhere")
    with pytest.raises(UsageError, match=r"there is no such folder\n  next: give the checkout with --source DIR"):
        source.read(config)


def test_a_folder_that_is_another_application_is_refused_by_what_it_lacks(tmp_path: Path) -> None:
    config = builders.config(tmp_path, {"expects": ["app.py", "main/app.py", "x.py"]})
    with pytest.raises(UsageError, match=r"not a checkout of shop; it has no main/app\.py, x\.py"):
        source.read(config)


def test_the_text_of_every_named_dockerfile_that_exists_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers(monkeypatch)
    names = ["source:Dockerfile", "source:no", "source:app.py/x", "kit:redis/Dockerfile"]
    facts = source.read(builders.config(tmp_path, {"images.api.build.offline": names}))
    assert list(facts.dockerfiles) == ["source:Dockerfile", "kit:redis/Dockerfile"]
    assert facts.dockerfiles["source:Dockerfile"] == builders.TREE["Dockerfile"]


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch)
    config = builders.config(tmp_path)
    (config.source / "Dockerfile").write_bytes("FROM x\n".encode("utf-8-sig"))
    assert source.read(config).dockerfiles["source:Dockerfile"] == "FROM x\n"


def test_a_dockerfile_in_utf_16_is_refused(tmp_path: Path) -> None:
    config = builders.config(tmp_path)
    (config.source / "Dockerfile").write_bytes("FROM x\n".encode("utf-16"))
    with pytest.raises(UsageError, match="Dockerfile: not UTF-8"):
        source.read(config)


@pytest.mark.parametrize("name", ["Dockerfile", "source:", "https://x/Dockerfile"])
def test_a_dockerfile_named_in_another_way_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match=r"write source:PATH \(in the source\) or kit:PATH \(under docker/\)"):
        source.read(builders.config(tmp_path, {"images.api.build.offline": [name]}))


def test_the_revision_is_the_commit_and_says_when_the_tree_differs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers(monkeypatch)
    assert source.revision(tmp_path) == "c0ffee"
    answers(monkeypatch, changed=" M app.py\n")
    assert source.revision(tmp_path) == "c0ffee+changes"


def test_outside_git_and_without_git_there_is_no_revision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, code=128)
    assert source.revision(tmp_path) == ""

    def no_git(*_: object, **__: object) -> Result:
        raise PreflightError("git: this program is not on this machine")

    monkeypatch.setattr(source, "run", no_git)
    assert source.revision(tmp_path) == ""
