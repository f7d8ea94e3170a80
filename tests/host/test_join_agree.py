"""join.sh and `invoke verify` on one set of damaged sticks: the same parts named, in the same lines."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from offline.bundle.verify import verify
from offline.console import Console
from offline.errors import VerifyError
from tests.bundles import small_bundle
from tests.parts import NAME, cut, part

if TYPE_CHECKING:
    from collections.abc import Callable

BASH = os.environ.get("OLD_BASH") or shutil.which("bash") or "bash"
COUNT = 6
NUMBERS = st.integers(1, COUNT)

Files = dict[str, bytes]


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_bundle().pack(tmp_path_factory.mktemp("archive"))


def stick(archive: Path, folder: Path) -> Path:
    """Six parts of the bundle on a stick; gives the parts file."""
    data = archive.read_bytes()
    return cut(data, folder, -(-len(data) // COUNT))


def in_python(file: Path) -> tuple[int, list[str]]:
    """Code and lines, of the parts alone."""
    out = io.StringIO()
    try:
        verify(file, Console(out, io.StringIO()))
        code = 0
    except VerifyError as error:
        code = error.exit_code
    return code, [line for line in out.getvalue().splitlines() if line.startswith("bad\tpart-")]


def in_bash(file: Path, *arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([BASH, file.parent / "join.sh", *arguments], cwd=cwd, capture_output=True, check=False)


def name(number: int) -> str:
    return f"{NAME}.tar.gz.{number:03d}"


# --- what can happen to a part; each takes what is on the stick and changes it


def gone(number: int, _: int, files: Files) -> None:
    files.pop(name(number), None)


def flipped(number: int, at: int, files: Files) -> None:
    if data := bytearray(files.get(name(number), b"")):
        data[at % len(data)] ^= 1 + at % 255
        files[name(number)] = bytes(data)


def truncated(number: int, at: int, files: Files) -> None:
    if data := files.get(name(number)):
        files[name(number)] = data[: at % len(data)]


def longer(number: int, at: int, files: Files) -> None:
    if name(number) in files:
        files[name(number)] += b"x" * (1 + at % 9)


def swapped(number: int, other: int, files: Files) -> None:
    first, second = name(number), name(1 + other % COUNT)
    if first in files and second in files:
        files[first], files[second] = files[second], files[first]


def overwritten(number: int, other: int, files: Files) -> None:
    if data := files.get(name(1 + other % COUNT)):
        files[name(number)] = data


def renamed(number: int, kind: int, files: Files) -> None:
    if name(number) in files:
        files[strange(number, kind)] = files.pop(name(number))


def copied(number: int, kind: int, files: Files) -> None:
    if name(number) in files:
        files[strange(number, kind)] = files[name(number)]


def added(number: int, kind: int, files: Files) -> None:
    files[strange(number, kind)] = b"%d" % kind


def strange(number: int, kind: int) -> str:
    """Names that systems and people give to copies."""
    names = (
        f"{NAME}.tar.gz (1).{number:03d}",
        f"{NAME}.tar.gz - 副本.{number:03d}",
        f"{name(number)}.tmp",
        f"{name(number)}\n",
        f"{NAME}.tar.gz.$(touch owned)",
        f"{NAME}.tar.gz]",
        f"{NAME}.tar.gz.*",
        name(COUNT + number),
        f"{NAME}.tar.gz.\udcff",
        f"{NAME}.tar.gz.{number}\\",
    )
    return names[kind % len(names)]


HARMS: tuple[Callable[[int, int, Files], None], ...] = (
    *(gone, flipped, truncated, longer, swapped),
    *(overwritten, renamed, copied, added),
)


@settings(max_examples=50, deadline=None)
@given(harms=st.lists(st.tuples(st.sampled_from(HARMS), NUMBERS, st.integers(0, 1 << 20)), max_size=5))
@example(harms=[(swapped, 1, 1)])
@example(harms=[(gone, number, 0) for number in range(1, COUNT + 1)])
@example(harms=[(copied, 1, kind) for kind in range(10)])
def test_any_damage_is_named_alike_and_exactly(
    harms: list[tuple[Callable[[int, int, Files], None], int, int]],
    archive: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    file = stick(archive, tmp_path_factory.mktemp("stick"))
    good = {path.name: path.read_bytes() for path in file.parent.glob(f"{NAME}.tar.gz.*")}
    files = dict(good)
    for harm, number, value in harms:
        harm(number, value, files)
    for path in file.parent.glob(f"{NAME}.tar.gz.*"):
        path.unlink()
    for path_name, data in files.items():
        (file.parent / path_name).write_bytes(data)
    done = in_bash(file, "--check")
    lines = [line for line in done.stdout.decode().splitlines() if line.startswith("bad\t")]
    assert (done.returncode, lines) == in_python(file), done.stderr.decode()
    assert done.returncode == (0 if files == good else 3)
    # Exactly: every part that is not as it was made has its number in a line, and every line has a cause.
    numbers = {
        int(line.split("\t")[3]) for line in lines if not line.startswith(("bad\tpart-surplus", "bad\tpart-dup"))
    }
    assert numbers == {number for number in range(1, COUNT + 1) if files.get(name(number)) != good[name(number)]}
    assert not (Path.cwd() / "owned").exists()


@pytest.mark.parametrize("harm", HARMS, ids=lambda harm: harm.__name__)
def test_nothing_is_unpacked_from_a_bad_stick(
    harm: Callable[[int, int, Files], None], archive: Path, tmp_path: Path
) -> None:
    file = stick(archive, tmp_path / "stick")
    files = {path.name: path.read_bytes() for path in file.parent.glob(f"{NAME}.tar.gz.*")}
    harm(2, 2, files)
    for path in file.parent.glob(f"{NAME}.tar.gz.*"):
        path.unlink()
    for path_name, data in files.items():
        (file.parent / path_name).write_bytes(data)
    host = tmp_path / "host"
    host.mkdir()
    done = in_bash(file, cwd=host)
    assert done.returncode == 3, done.stderr.decode()
    assert list(host.iterdir()) == []


def test_what_it_unpacks_is_what_tar_makes_of_the_whole(archive: Path, tmp_path: Path) -> None:
    file = stick(archive, tmp_path / "stick")
    for folder in ("whole", "host"):
        (tmp_path / folder).mkdir()
    subprocess.run(["tar", "-xzf", archive, "-C", tmp_path / "whole"], check=True)
    done = in_bash(file, cwd=tmp_path / "host")
    assert done.returncode == 0, done.stderr.decode()
    subprocess.run(["diff", "-r", tmp_path / "whole", tmp_path / "host"], check=True)
    subprocess.run([BASH, tmp_path / "host" / NAME / "scripts" / "verify.sh"], check=True, capture_output=True)


def test_a_part_that_is_a_folder_lacks_and_one_behind_a_link_is_good(archive: Path, tmp_path: Path) -> None:
    file = stick(archive, tmp_path / "stick")
    moved = part(file.parent, 1).rename(tmp_path / "elsewhere")
    part(file.parent, 1).symlink_to(moved)
    assert (in_bash(file, "--check").returncode, in_python(file)) == (0, (0, []))
    part(file.parent, 2).unlink()
    part(file.parent, 2).mkdir()
    expected = f"bad\tpart-missing\t{name(2)}\t2"
    assert in_bash(file, "--check").stdout.decode().splitlines() == [expected]
    assert in_python(file) == (3, [expected])
