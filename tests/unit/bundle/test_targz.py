from __future__ import annotations

import gzip
import hashlib
import os
import subprocess
import tarfile
import tracemalloc
import zlib
from typing import TYPE_CHECKING

import pytest

from offline.bundle import targz
from offline.errors import VerifyError
from offline.sink import sinking

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RANDOM = os.urandom(200_000)


def pieces(data: bytes, size: int = 70_000) -> Iterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


def written(path: Path, mtime: int = 1_600_000_000) -> str:
    with path.open("wb") as file, sinking(file) as sink:
        tar = targz.TarGz(sink, mtime=mtime)
        tar.folder("top")
        tar.data("top/small.txt", b"small\n")
        tar.data("top/run.sh", b"#!/bin/sh\n", executable=True)
        tar.stream("top/packed", len(RANDOM), pieces(RANDOM), packed=True)
        tar.stream("top/plain", 100_000, pieces(b"x" * 100_000), packed=False)
        tar.data("top/空 名" + "长" * 60, b"")
        tar.finish()
        return sink.close()


def test_plain_tar_unpacks_it(tmp_path: Path) -> None:
    written(tmp_path / "a.tar.gz")
    subprocess.run(["tar", "-xzf", tmp_path / "a.tar.gz", "-C", tmp_path], check=True)
    assert (tmp_path / "top" / "packed").read_bytes() == RANDOM
    assert (tmp_path / "top" / "plain").read_bytes() == b"x" * 100_000
    assert (tmp_path / "top" / "small.txt").read_text() == "small\n"
    assert (tmp_path / "top" / ("空 名" + "长" * 60)).exists()


def test_plain_gzip_tests_it(tmp_path: Path) -> None:
    written(tmp_path / "a.tar.gz")
    subprocess.run(["gzip", "-t", tmp_path / "a.tar.gz"], check=True)


def test_what_lies_between_stored_entries_is_one_member_and_alike_names_cost_nothing(tmp_path: Path) -> None:
    written(tmp_path / "a.tar.gz")
    data, count = (tmp_path / "a.tar.gz").read_bytes(), 0
    while data:
        member = zlib.decompressobj(31)
        member.decompress(data)
        data, count = member.unused_data, count + 1
    assert count == 3
    with (tmp_path / "b.tar.gz").open("wb") as file, sinking(file) as sink:
        tar = targz.TarGz(sink, mtime=0)
        for number in range(1000):
            tar.data(f"a-folder-with-a-long-name/{number}", b"alike\n")
        tar.finish()
        sink.close()
    assert (tmp_path / "b.tar.gz").stat().st_size < 30_000


def test_owner_modes_and_times_are_fixed(tmp_path: Path) -> None:
    written(tmp_path / "a.tar.gz", mtime=1_500_000_000)
    with tarfile.open(tmp_path / "a.tar.gz") as tar:
        members = tar.getmembers()
    assert {(member.uid, member.gid, member.uname, member.gname) for member in members} == {(0, 0, "root", "root")}
    assert {member.mtime for member in members} == {1_500_000_000}
    modes = {member.name.rpartition("/")[2]: member.mode for member in members[:4]}
    assert modes == {"top": 0o755, "small.txt": 0o644, "run.sh": 0o755, "packed": 0o644}


def test_the_same_input_gives_the_same_bytes_and_their_digest(tmp_path: Path) -> None:
    digest = written(tmp_path / "a.tar.gz")
    written(tmp_path / "b.tar.gz")
    data = (tmp_path / "a.tar.gz").read_bytes()
    assert data == (tmp_path / "b.tar.gz").read_bytes()
    assert digest == hashlib.sha256(data).hexdigest()


def test_how_the_pieces_fall_makes_no_difference_to_what_is_unpacked(tmp_path: Path) -> None:
    for size in (1, 65_535, 65_536, 1 << 20):
        with (tmp_path / "a").open("wb") as file, sinking(file) as sink:
            tar = targz.TarGz(sink, mtime=0)
            tar.stream("x", 70_001, pieces(RANDOM[:70_001], size), packed=True)
            tar.finish()
            sink.close()
        with tarfile.open(tmp_path / "a") as opened:
            file_ = opened.extractfile("x")
            assert file_ is not None
            assert file_.read() == RANDOM[:70_001]


def test_what_is_packed_already_is_stored_and_not_compressed_again(tmp_path: Path) -> None:
    blob = gzip.compress(b"layer" * 50_000)
    with (tmp_path / "a").open("wb") as file, sinking(file) as sink:
        targz.TarGz(sink, mtime=0).stream("x", len(blob), [blob], packed=True)
        sink.close()
    # Small enough for one stored block: the very bytes are in the file.
    assert blob in (tmp_path / "a").read_bytes()


@pytest.mark.parametrize(("size", "data"), [(5, b"1234"), (5, b"123456"), (5, b""), (0, b"1")])
def test_a_file_of_another_length_than_announced_is_refused(tmp_path: Path, size: int, data: bytes) -> None:
    with (tmp_path / "a").open("wb") as file, pytest.raises(VerifyError, match=r"x: \d bytes came, \d were announced"):  # noqa: SIM117 - two subjects
        with sinking(file) as sink:
            targz.TarGz(sink, mtime=0).stream("x", size, [data] if data else [], packed=True)


def test_memory_stays_bounded_whatever_the_size(tmp_path: Path) -> None:
    piece = bytes(1 << 20)
    tracemalloc.start()
    try:
        with (tmp_path / "a").open("wb") as file, sinking(file) as sink:
            tar = targz.TarGz(sink, mtime=0)
            tar.stream("packed", 96 << 20, (piece for _ in range(96)), packed=True)
            sink.close()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 32 << 20
