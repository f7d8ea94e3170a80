from __future__ import annotations

import gzip as reference
import itertools
import random
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from isal import isal_zlib

from offline.errors import VerifyError
from offline.store import gzip

CONTENT = bytes(number * number % 251 for number in range(1 << 20)) + b"the same again " * 150_000


NOISE = random.Random(1).randbytes(gzip.MEMBER)  # noqa: S311 - the same on every run


def compressed(blocks: list[bytes], threads: int = 2) -> bytes:
    with ThreadPoolExecutor(threads) as pool:
        return b"".join(gzip.members(blocks, pool))


def test_any_gzip_reader_gives_the_content_back() -> None:
    assert reference.decompress(compressed([CONTENT])) == CONTENT


def test_what_is_compressed_already_is_stored() -> None:
    packed = compressed([NOISE])
    assert NOISE[:60_000] in packed
    assert reference.decompress(packed) == NOISE


@pytest.mark.parametrize(("repeated", "level"), [(1, 3), (7, 2)])
def test_what_compresses_well_gets_the_quick_level_and_the_rest_the_better_one(repeated: int, level: int) -> None:
    words = [NOISE[start : start + 32] for start in range(0, gzip.MEMBER, 32 * (repeated + 1))]
    block = b"".join(word + b"the same thirty-two bytes again. " * repeated for word in words)[: gzip.MEMBER]
    packed = compressed([block])
    assert isal_zlib.compress(block, level, -15) in packed
    assert reference.decompress(packed) == block


def test_a_member_of_which_half_is_compressed_already_is_compressed() -> None:
    half = NOISE[: gzip.MEMBER // 2] + bytes(gzip.MEMBER // 2)
    assert len(compressed([half])) < gzip.MEMBER * 0.6


def test_nothing_is_a_gzip_file_too() -> None:
    for nothing in ([], [b""]):
        packed = compressed(nothing)
        assert packed.startswith(b"\x1f\x8b")
        assert reference.decompress(packed) == b""


@given(cuts=st.lists(st.integers(0, len(CONTENT)), max_size=8), threads=st.integers(1, 5))
@example(cuts=[1, 1 + gzip.MEMBER], threads=2)
@settings(max_examples=15, deadline=None)
def test_the_bytes_depend_on_the_content_alone(cuts: list[int], threads: int) -> None:
    edges = [0, *sorted(cuts), len(CONTENT)]
    blocks = [CONTENT[start:end] for start, end in itertools.pairwise(edges)]
    assert compressed([*blocks, NOISE], threads) == compressed([CONTENT, NOISE], 1)


def test_only_a_few_blocks_are_held_at_a_time() -> None:
    taken = 0

    def blocks() -> object:
        nonlocal taken
        for _ in range(100):
            taken += 1
            yield bytes(gzip.MEMBER)

    with ThreadPoolExecutor(1) as pool:
        next(gzip.members(blocks(), pool))  # type: ignore[arg-type]
    assert taken <= 3 * gzip.threads() + 1


@given(data=st.binary(max_size=3000), cuts=st.lists(st.integers(1, 700), min_size=1, max_size=5))
@settings(max_examples=50, deadline=None)
def test_inflating_takes_members_and_blocks_of_any_size(data: bytes, cuts: list[int]) -> None:
    packed = b"".join(reference.compress(data[at : at + 1000]) for at in range(0, len(data) + 1, 1000))
    step = cuts[0]
    blocks = [packed[at : at + step] for at in range(0, len(packed), step)]
    assert b"".join(gzip.inflated(blocks)) == data


def test_inflating_never_holds_more_than_a_piece() -> None:
    bomb = reference.compress(bytes(50 << 20))
    sizes = [len(piece) for piece in gzip.inflated([bomb])]
    assert sum(sizes) == 50 << 20
    assert max(sizes) <= gzip.MEMBER


@pytest.mark.parametrize("damage", ["cut", "flip", "tail"])
def test_damaged_gzip_is_refused(damage: str) -> None:
    packed = bytearray(reference.compress(CONTENT))
    if damage == "cut":
        del packed[-5:]
    elif damage == "flip":
        packed[len(packed) // 2] ^= 1
    else:
        packed += b"not gzip"
    with pytest.raises(VerifyError, match="damaged gzip"):
        list(gzip.inflated([bytes(packed)]))


def test_gnu_gzip_reads_it() -> None:
    done = subprocess.run(["gzip", "-dc"], input=compressed([CONTENT]), capture_output=True, check=True)
    assert done.stdout == CONTENT
