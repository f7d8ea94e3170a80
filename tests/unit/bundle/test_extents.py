from __future__ import annotations

import gzip
import io
import os
import struct
import tempfile
import threading
import zlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offline.bundle import extents, targz
from offline.bundle.tarstream import DamagedError, entries
from offline.sink import sinking
from offline.store import gzip as members

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOISE = bytes(range(256)) * 2000


class Counted(io.BytesIO):
    """A file that knows how much of it was read."""

    taken = 0

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self.taken += len(data)
        return data


def stored(data: bytes) -> bytes:
    return member(members.stored(data) + members.LAST_BLOCK, data)


def deflated(data: bytes) -> bytes:
    packer = zlib.compressobj(6, zlib.DEFLATED, members.RAW_DEFLATE)
    return member(packer.compress(data) + packer.flush(), data)


def begun_stored(data: bytes) -> bytes:
    """What any compressor may write: a stored block, and then one that is not."""
    half, packer = len(data) // 2, zlib.compressobj(6, zlib.DEFLATED, members.RAW_DEFLATE)
    return member(members.stored(data[:half]) + packer.compress(data[half:]) + packer.flush(), data)


def foreign(data: bytes) -> bytes:
    return gzip.compress(data)


def member(blocks: bytes, data: bytes) -> bytes:
    return members.HEADER + blocks + struct.pack("<LL", zlib.crc32(data), len(data))


def archive_of(*parts: tuple[str, bytes]) -> bytes:
    """A bundle's archive; `packed` content is stored."""
    with tempfile.TemporaryFile() as file, sinking(file) as sink:
        tar = targz.TarGz(sink, mtime=1)
        for name, data in parts:
            tar.stream(name, len(data), iter([data]), packed=name.startswith("packed"))
        tar.finish()
        sink.close()
        file.seek(0)
        return file.read()


def by_chunks(archive: extents.Archive, size: int) -> Iterator[bytes]:
    while chunk := archive.read(size):
        yield chunk


CONTENT = st.binary(max_size=300) | st.integers(0, 200_000).map(lambda size: (NOISE * 2)[:size])
WAYS = st.sampled_from([stored, deflated, begun_stored, foreign])


@given(st.lists(st.tuples(WAYS, CONTENT), max_size=5), st.sampled_from([1_000, 65_536, 1 << 20]))
def test_it_reads_what_gzip_reads_however_it_was_packed(packed: list[tuple[object, bytes]], size: int) -> None:
    data = b"".join(way(content) for way, content in packed)  # type: ignore[operator]
    assert b"".join(by_chunks(extents.Archive(io.BytesIO(data)), size)) == gzip.decompress(data)


def test_what_is_stored_is_given_as_it_lies_and_is_not_read() -> None:
    file = Counted(archive_of(("a", b"first\n"), ("packed", NOISE), ("z", b"last\n")))
    archive, found = extents.Archive(file), {}
    for entry, content in entries(archive):
        if entry.name == b"packed":
            assert not any(isinstance(run, bytes) for run in archive.runs(content, 1000))
            found[entry.name] = b"".join(archive.bytes_of(run) for run in archive.runs(content, 100_000))
            archive.pass_over(content)
        else:
            found[entry.name] = b"".join(content)
    assert found == {b"a": b"first\n", b"packed": NOISE[1000:101_000], b"z": b"last\n"}
    assert file.taken < 250_000


@pytest.mark.parametrize("way", [stored, deflated, begun_stored])
def test_an_archive_that_ends_too_early_is_damaged(way: object) -> None:
    whole = way(NOISE)  # type: ignore[operator]
    for length in (5, 12, len(whole) // 2, len(whole) - 10):
        with pytest.raises((DamagedError, EOFError)):
            list(by_chunks(extents.Archive(io.BytesIO(whole[:length])), 1 << 20))


@pytest.mark.parametrize("length", [5000, 65_535 + 10 + 512 + 5])
def test_content_that_ends_too_early_is_damaged(length: int) -> None:
    archive = extents.Archive(io.BytesIO(archive_of(("packed", NOISE))[:length]))
    _, content = next(entries(archive))
    with pytest.raises(DamagedError, match="ends too early"):
        b"".join(archive.bytes_of(run) for run in archive.runs(content, content.left))


def test_the_kernel_moves_an_extent_from_the_file_to_a_pipe(tmp_path: Path) -> None:
    path = tmp_path / "archive"
    path.write_bytes(NOISE)
    came = bytearray()
    out, into = os.pipe()
    with path.open("rb", buffering=0) as file, open(out, "rb") as reader:  # noqa: PTH123 - a descriptor
        taking = threading.Thread(target=lambda: came.extend(reader.read()))
        taking.start()
        assert not extents.Archive(file).hand_on(extents.Extent(3, 400_000), into)
        os.close(into)
        taking.join()
    assert came == NOISE[3:400_003]


def test_what_the_kernel_cannot_move_is_left(tmp_path: Path) -> None:
    (tmp_path / "archive").write_bytes(NOISE)
    with (tmp_path / "archive").open("rb", buffering=0) as file, (tmp_path / "no pipe").open("wb") as target:
        extent = extents.Extent(3, 400_000)
        assert extents.Archive(file).hand_on(extent, target.fileno()) == extent


def test_a_file_that_became_shorter_is_damaged_and_a_reader_that_has_gone_is_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "archive"
    path.write_bytes(NOISE[:1000])
    out, into = os.pipe()
    with path.open("rb", buffering=0) as file:
        archive = extents.Archive(file)
        with pytest.raises(DamagedError, match="ends too early"):
            archive.hand_on(extents.Extent(0, 2000), into)
        os.close(out)
        with pytest.raises(BrokenPipeError):
            archive.hand_on(extents.Extent(0, 2000), into)
    os.close(into)
