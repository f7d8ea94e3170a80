"""Parts are written as the bytes flow, and appear only as a whole set."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offline import paths
from offline.bundle import parts, split, write
from offline.bundle.verify import verify
from offline.console import Console
from offline.errors import FailedError
from offline.paths import HOST_SCRIPTS
from tests import builders
from tests.parts import NAME, cut, part

if TYPE_CHECKING:
    from collections.abc import Callable

    from offline.bundle.write import Written

TOP = f"shop-bundle-{builders.ID}"
SIZE = 5000


def made(tmp_path: Path, part_size: int | None = SIZE, into: str = "dist", **options: Any) -> Written:
    facts, items, store = builders.facts(tmp_path)
    options = {"on_bytes": lambda _: None} | options
    return write.write(facts, items, store=store, folder=tmp_path / into, part_size=part_size, **options)


def left_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_the_parts_in_order_are_the_bundle_byte_for_byte(tmp_path: Path) -> None:
    whole = made(tmp_path, None, "whole")
    in_parts = made(tmp_path)
    assert len(in_parts.parts) > 2
    joined = b"".join((tmp_path / "dist" / part.name).read_bytes() for part in in_parts.parts)
    assert joined == whole.path.read_bytes()
    assert (in_parts.size, in_parts.sha256, in_parts.sums_sha256) == (whole.size, whole.sha256, whole.sums_sha256)


def test_what_lies_there_is_the_parts_their_two_lists_and_join_sh(tmp_path: Path) -> None:
    written = made(tmp_path)
    numbered = [f"{TOP}.tar.gz.{number:03d}" for number in range(1, len(written.parts) + 1)]
    assert left_in(tmp_path / "dist") == sorted([*numbered, "join.sh", f"{TOP}.parts.json", f"{TOP}.parts.sha256"])
    assert written.path == tmp_path / "dist" / f"{TOP}.parts.json"
    assert [part.bytes for part in written.parts[:-1]] == [SIZE] * (len(numbered) - 1)
    script = tmp_path / "dist" / "join.sh"
    assert script.read_bytes() == (HOST_SCRIPTS / "join.sh").read_bytes()
    assert os.access(script, os.X_OK)


def test_the_parts_file_and_the_list_say_what_is_there(tmp_path: Path) -> None:
    written = made(tmp_path)
    found = parts.read(written.path.read_bytes(), written.path.name)
    assert found.parts == written.parts
    assert (found.archive, found.bytes, found.sha256) == (f"{TOP}.tar.gz", written.size, written.sha256)
    for named in found.parts:
        data = (tmp_path / "dist" / named.name).read_bytes()
        assert (len(data), hashlib.sha256(data).hexdigest()) == (named.bytes, named.sha256)
    assert (tmp_path / "dist" / f"{TOP}.parts.sha256").read_bytes() == parts.as_list(found.parts)


def test_join_sh_is_the_one_script_that_the_bundle_has_not(tmp_path: Path) -> None:
    with tarfile.open(made(tmp_path, None).path) as tar:
        shipped = {Path(name).name for name in tar.getnames() if name.endswith(".sh")}
    assert shipped >= {path.name for path in HOST_SCRIPTS.rglob("*.sh")} - {"join.sh"}
    assert "join.sh" not in shipped


@settings(max_examples=50, deadline=None)
@given(pieces=st.lists(st.binary(max_size=40), min_size=1, max_size=12).filter(any), part_size=st.integers(1, 60))
def test_however_the_bytes_come_the_parts_are_cut_at_the_size(
    pieces: list[bytes], part_size: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("cut")
    data = b"".join(pieces)
    with split.splitting(folder / f"{NAME}.tar.gz", part_size) as target:
        for piece in pieces:
            assert target.write(piece) == len(piece)
        _, named = target.publish(hashlib.sha256(data).hexdigest())
    assert [(folder / part.name).read_bytes() for part in named] == [
        data[start : start + part_size] for start in range(0, len(data), part_size)
    ]


def test_a_bundle_smaller_than_a_part_is_one_part(tmp_path: Path) -> None:
    assert [part.bytes for part in made(tmp_path, 1 << 30).parts] == [made(tmp_path, None).size]


def test_an_interruption_leaves_nothing(tmp_path: Path) -> None:
    def interrupt(_: int) -> NoReturn:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        made(tmp_path, 100, on_bytes=interrupt)
    assert left_in(tmp_path / "dist") == []


def test_a_disk_that_is_full_at_a_later_part_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    finish = split.Splitter._finish
    finished: list[None] = []

    def full(self: split.Splitter) -> None:
        if len(finished) == 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        finish(self)
        finished.append(None)

    monkeypatch.setattr(split.Splitter, "_finish", full)
    with pytest.raises(FailedError, match=r"cannot write .*: No space left on device"):
        made(tmp_path)
    assert len(finished) == 2
    assert left_in(tmp_path / "dist") == []


def failing_at(wanted: str) -> Callable[..., Any]:
    """`paths.writing` that fails when a file of this suffix is to be written."""
    writing = paths.writing

    def fail(path: Path, *, mode: int = 0o644) -> Any:
        if path.name.endswith(wanted):
            raise OSError(errno.EIO, "Input/output error")
        return writing(path, mode=mode)

    return fail


@pytest.mark.parametrize("wanted", ["join.sh", ".parts.sha256", ".parts.json"])
def test_a_failure_while_the_set_gets_its_names_takes_them_all_back(
    wanted: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "writing", failing_at(wanted))
    with pytest.raises(FailedError, match="Input/output error"):
        made(tmp_path)
    assert left_in(tmp_path / "dist") == []


def test_a_failure_while_parts_get_their_names_takes_them_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replace = Path.replace

    def fail(self: Path, target: Path) -> Path:
        if target.name.endswith(".003"):
            raise OSError(errno.EIO, "Input/output error")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(FailedError, match="Input/output error"):
        made(tmp_path)
    assert left_in(tmp_path / "dist") == []


def test_the_parts_file_appears_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    replace = Path.replace

    def record(self: Path, target: Path) -> Path:
        if target.parent.name == "dist":
            order.append(target.name.removeprefix(TOP))
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", record)
    numbered = [part.name.removeprefix(TOP) for part in made(tmp_path).parts]
    assert order == [*numbered, "join.sh", ".parts.sha256", ".parts.json"]


def test_join_sh_of_an_earlier_set_stays_when_a_later_set_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = cut(b"another release", tmp_path / "dist", 4)
    there = left_in(tmp_path / "dist")
    monkeypatch.setattr(paths, "writing", failing_at(".parts.json"))
    with pytest.raises(FailedError):
        made(tmp_path)
    assert left_in(tmp_path / "dist") == there
    assert first.exists()


def test_a_set_of_the_same_name_is_replaced_parts_beyond_it_too(tmp_path: Path) -> None:
    cut(b"x" * 100, tmp_path, 1)
    assert len(left_in(tmp_path)) == 103
    file = cut(b"y" * 100, tmp_path, 60)
    assert len(left_in(tmp_path)) == 5
    assert part(tmp_path, 2).read_bytes() == b"y" * 40
    assert parts.read(file.read_bytes(), file.name).bytes == 100


def test_more_parts_than_three_digits_count_are_refused_and_nothing_is_left(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="more than 999 parts of 1 bytes"):
        cut(b"x" * 1000, tmp_path, 1)
    assert left_in(tmp_path) == []
    cut(b"x" * 999, tmp_path, 1)


def test_the_parts_verify_as_the_bundle_does(tmp_path: Path) -> None:
    out = io.StringIO()
    report = verify(made(tmp_path).path, Console(out, io.StringIO()))
    assert (report.bad, out.getvalue()[:3]) == ((), "ok\t")
