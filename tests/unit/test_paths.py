from __future__ import annotations

import itertools
import os
import stat
import sys
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING

import pytest

from offline import paths

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import FrameType

    from _typeshed import TraceFunction


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_appears_whole_with_its_mode(tmp_path: Path) -> None:
    with paths.writing(tmp_path / "new" / "a", mode=0o600) as file:
        file.write(b"content")
        assert not (tmp_path / "new" / "a").exists()
    assert (tmp_path / "new" / "a").read_bytes() == b"content"
    assert stat.S_IMODE((tmp_path / "new" / "a").stat().st_mode) == 0o600
    assert left(tmp_path / "new") == ["a"]


def write_half(file: IO[bytes], error: type[BaseException]) -> None:
    file.write(b"half")
    raise error


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt, OSError])
def test_on_any_failure_the_old_file_stays_and_no_half_is_left(tmp_path: Path, error: type[BaseException]) -> None:
    (tmp_path / "a").write_text("old")
    with pytest.raises(error), paths.writing(tmp_path / "a") as file:
        write_half(file, error)
    assert (tmp_path / "a").read_text() == "old"
    assert left(tmp_path) == ["a"]


@contextmanager
def interrupted_at(line: int) -> Iterator[list[int]]:
    """Ctrl-C before the line with that number of those that `paths.partial` runs; gives the lines it came to."""
    seen: list[int] = []

    def trace(frame: FrameType, event: str, _: object) -> TraceFunction | None:
        if frame.f_code is not paths.partial.__wrapped__.__code__:  # type: ignore[attr-defined]
            return None
        if event == "line":
            seen.append(frame.f_lineno)
            if len(seen) == line:
                raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield seen
    finally:
        sys.settrace(before)


def test_an_interruption_at_any_line_leaves_no_half(tmp_path: Path) -> None:
    for line in itertools.count(1):
        with suppress(KeyboardInterrupt), interrupted_at(line) as seen, paths.writing(tmp_path / "a") as file:
            file.write(b"content")
        assert left(tmp_path) in ([], ["a"]), f"line {seen[-1]}"
        (tmp_path / "a").unlink(missing_ok=True)
        if len(seen) < line:
            break
    assert line > 4


def test_the_content_is_on_disk_before_the_name_and_the_name_before_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    fsync = os.fsync

    def recorded(descriptor: int) -> None:
        kind = "folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file"
        seen.append(f"{kind}, {'named' if (tmp_path / 'a').exists() else 'not named'}")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", recorded)
    paths.write_text(tmp_path / "a", "x")
    assert seen == ["file, not named", "folder, named"]


def test_text_is_utf_8_with_lf(tmp_path: Path) -> None:
    paths.write_text(tmp_path / "a", "名\n")
    assert (tmp_path / "a").read_bytes() == "名\n".encode()


def test_what_a_killed_run_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    for name in (".partial-x1", ".partial-x2", "a.partial-x", ".partially", "bundle.tar.gz"):
        (tmp_path / name).touch()
    assert paths.remove_partials(tmp_path) == 2
    assert left(tmp_path) == [".partially", "a.partial-x", "bundle.tar.gz"]
    assert paths.remove_partials(tmp_path / "none") == 0
