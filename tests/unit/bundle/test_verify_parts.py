"""`invoke verify` on parts: the archive's own report, and every bad part by name and number."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest

from offline.bundle.verify import verify
from offline.console import Console
from offline.errors import UsageError, VerifyError
from tests.bundles import small_bundle
from tests.parts import NAME, cut, part

if TYPE_CHECKING:
    from pathlib import Path

SIZE = 4000


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The parts file of a small bundle."""
    archive = small_bundle().pack(tmp_path)
    made = cut(archive.read_bytes(), tmp_path / "stick", SIZE)
    assert part(made.parent, 3).exists()
    return made


def verified(path: Path) -> tuple[int, list[str], str]:
    out, err = io.StringIO(), io.StringIO()
    try:
        verify(path, Console(out, err))
    except VerifyError as error:
        return error.exit_code, out.getvalue().splitlines(), err.getvalue()
    return 0, out.getvalue().splitlines(), err.getvalue()


def test_the_parts_file_any_part_and_the_whole_get_the_same_report(file: Path, tmp_path: Path) -> None:
    expected = verified(tmp_path / f"{NAME}.tar.gz")
    assert expected[0] == 0
    assert verified(file) == verified(part(file.parent, 1)) == verified(part(file.parent, 2)) == expected


def test_a_flipped_byte_names_the_part_and_what_it_did_to_the_bundle(file: Path) -> None:
    data = bytearray(part(file.parent, 2).read_bytes())
    data[100] ^= 1
    part(file.parent, 2).write_bytes(data)
    code, lines, err = verified(file)
    assert code == 3
    assert f"bad\tpart-changed\t{NAME}.tar.gz.002\t2" in lines
    assert [line for line in lines if not line.startswith("bad\tpart-")]
    assert f"{NAME}.tar.gz.002: part 2: its bytes are not those that were made: copy it again" in err


def test_where_a_part_lacks_only_the_parts_are_judged(file: Path) -> None:
    part(file.parent, 2).unlink()
    part(file.parent, 3).write_bytes(b"cut")
    code, lines, _ = verified(file)
    assert (code, lines) == (
        3,
        [f"bad\tpart-changed\t{NAME}.tar.gz.003\t3", f"bad\tpart-missing\t{NAME}.tar.gz.002\t2"],
    )


def test_parts_after_the_one_where_reading_stopped_are_judged_too(file: Path) -> None:
    part(file.parent, 1).write_bytes(b"not gzip at all")
    last = part(file.parent, 3)
    last.write_bytes(last.read_bytes() + b"x")
    _, lines, _ = verified(file)
    assert [line for line in lines if "\tpart-" in line] == [
        f"bad\tpart-changed\t{NAME}.tar.gz.001\t1",
        f"bad\tpart-changed\t{NAME}.tar.gz.003\t3",
    ]


def test_a_copy_beside_the_parts_is_named_though_all_parts_are_good(file: Path) -> None:
    (file.parent / f"{NAME}.tar.gz (1).002").write_bytes(part(file.parent, 2).read_bytes())
    assert verified(file)[:2] == (3, [f"bad\tpart-duplicate\t{NAME}.tar.gz (1).002\t2"])


def test_the_whole_archive_and_other_files_beside_the_parts_are_no_fault(file: Path, tmp_path: Path) -> None:
    (file.parent / f"{NAME}.tar.gz").write_bytes((tmp_path / f"{NAME}.tar.gz").read_bytes())
    (file.parent / "photo.jpg").write_bytes(b"x")
    (file.parent / f"{NAME}.tar.gz.d").mkdir()
    assert verified(file)[0] == 0


@pytest.mark.parametrize(("harm", "reason"), [(b"", "changed"), (None, "missing")])
def test_the_list_that_join_sh_goes_by_is_held_against_the_parts_file(
    harm: bytes | None, reason: str, file: Path
) -> None:
    listed = file.with_name(f"{NAME}.parts.sha256")
    listed.unlink()
    if harm is not None:
        listed.write_bytes(harm)
    assert verified(file)[:2] == (3, [f"bad\t{reason}\t{NAME}.parts.sha256"])


def test_a_damaged_parts_file_is_refused_with_its_name(file: Path) -> None:
    file.write_bytes(b"{}")
    with pytest.raises(VerifyError, match=r"parts\.json: it is not what") as caught:
        verify(file, Console(io.StringIO(), io.StringIO()))
    assert "copy it again" in caught.value.hint


def test_a_part_without_its_parts_file_is_a_usage_error_that_names_it(file: Path) -> None:
    file.unlink()
    with pytest.raises(UsageError, match=r"\.parts\.json: there is no such file"):
        verify(part(file.parent, 1), Console(io.StringIO(), io.StringIO()))


def test_progress_counts_every_byte_of_the_parts_once(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from offline.console import Progress

    counted: list[int] = []
    monkeypatch.setattr(Progress, "add", lambda _, count: counted.append(count))
    verified(file)
    assert sum(counted) == sum(path.stat().st_size for path in file.parent.glob("*.tar.gz.*"))
