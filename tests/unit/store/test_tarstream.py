from __future__ import annotations

import io
import tarfile
from typing import Literal

import pytest

from offline.errors import VerifyError
from offline.store.tarstream import Source, TruncatedError, members
from tests.unit.store.streams import Entry, stream

LONG = "a-long-folder-name/" * 12 + "文件"


class Dripping(io.BytesIO):
    """A pipe gives what it has, not what was asked for."""

    def read(self, size: int | None = -1) -> bytes:
        return super().read(min(size or 0, 100) if size and size > 0 else size)


def contents(data: bytes) -> dict[str, bytes | str]:
    return {
        member.name: member.target if member.target is not None else b"".join(member.blocks())
        for member in members(Source(Dripping(data), lambda _: None))
    }


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_long_and_chinese_names_are_read_in_both_formats(form: Literal[1, 2]) -> None:
    assert contents(stream([Entry(LONG, b"x" * 700), Entry("b", link=f"../{LONG}")], form)) == {
        LONG: b"x" * 700,
        "b": f"../{LONG}",
    }


def test_links_are_given_as_paths_of_the_archive() -> None:
    assert contents(stream([Entry("two/layer.tar", link="../one/layer.tar")])) == {"two/layer.tar": "one/layer.tar"}


def test_what_the_caller_leaves_unread_is_passed_over() -> None:
    data = stream([Entry("a", b"1" * 3000), Entry("b", b"2")])
    assert [member.name for member in members(Source(io.BytesIO(data), lambda _: None))] == ["a", "b"]


def test_every_byte_is_counted_to_the_end_of_the_archive_and_nothing_after_it_is_awaited() -> None:
    counted: list[int] = []
    data = stream([Entry("a", b"1" * 3000)])
    opened = io.BytesIO(data + bytes(4096))
    list(members(Source(opened, counted.append)))
    assert (sum(counted), opened.tell()) == (len(data), len(data))


def test_every_truncation_is_refused() -> None:
    data = stream([Entry(LONG, b"x" * 700), Entry("b", b"y")])
    for length in range(len(data)):
        with pytest.raises(TruncatedError):
            contents(data[:length])


def test_what_is_no_tar_is_refused() -> None:
    with pytest.raises(VerifyError, match="no tar archive"):
        contents(b"Error response from daemon" * 100)


def test_an_empty_block_in_the_middle_is_refused() -> None:
    whole = stream([Entry("a", b"")])
    with pytest.raises(VerifyError, match="damaged"):
        contents(whole[:512] + bytes(512) + whole)


def test_a_size_that_pax_cannot_mean_is_refused() -> None:
    header = tarfile.TarInfo("a")
    header.pax_headers = {"size": "-5"}
    with pytest.raises(VerifyError, match="size"):
        contents(header.tobuf(tarfile.PAX_FORMAT) + bytes(1024))
