"""What a parts file says, and how files are held against it."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from offline.bundle import parts
from offline.errors import UsageError
from tests.parts import NAME

ARCHIVE = f"{NAME}.tar.gz"
FILE = f"{NAME}.parts.json"


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def of(*contents: str) -> parts.Parts:
    """Parts of these contents."""
    made = tuple(
        parts.Part(name=f"{ARCHIVE}.{number:03d}", bytes=len(content), sha256=sha256(content))
        for number, content in enumerate(contents, 1)
    )
    return parts.Parts(archive=ARCHIVE, bytes=sum(part.bytes for part in made), sha256=sha256("all"), parts=made)


def judged(found: dict[str, str], *contents: str) -> set[str]:
    """The lines for files by the end of their name and their content, without what all lines have."""
    files = {ARCHIVE + end: sha256(content) if content else "" for end, content in found.items()}
    bad = parts.judge(of(*contents or ("one", "two", "three")).parts, files)
    return {line.line().removeprefix("bad\tpart-").replace(ARCHIVE, "") for line in bad}


@pytest.mark.parametrize(
    ("text", "size"), [("3900M", 3900 << 20), ("1", 1), ("10k", 10240), ("4G", 4 << 30), ("500m", 500 << 20)]
)
def test_a_size_is_read_as_split_reads_it(text: str, size: int) -> None:
    assert parts.size(text) == size


@pytest.mark.parametrize("text", ["", "0", "0M", "-1", "1.5G", "3900 M", "3900MB", "M", "1T", "٣M"])
def test_no_other_size_is_taken(text: str) -> None:
    with pytest.raises(UsageError, match="not a size") as caught:
        parts.size(text)
    assert "3900M" in caught.value.hint


def test_3900m_fits_fat32_which_ends_below_4_gib() -> None:
    assert parts.size("3900M") < (4 << 30) - 1


def test_a_size_that_makes_too_many_parts_is_refused_with_one_that_does_not() -> None:
    total = 5_000_000_000
    with pytest.raises(UsageError, match="more than 999") as caught:
        parts.check_count(1 << 20, total)
    offered = caught.value.hint.split()[1]
    parts.check_count(parts.size(offered), total)
    parts.check_count(total, total)


def test_a_parts_file_is_read_as_it_was_written() -> None:
    made = of("one", "two")
    assert parts.read(parts.as_json(made), FILE) == made


def test_the_list_is_one_that_sha256sum_reads() -> None:
    assert parts.as_list(of("one", "two").parts).decode() == (
        f"{sha256('one')}  {ARCHIVE}.001\n{sha256('two')}  {ARCHIVE}.002\n"
    )


def edited(**changes: Any) -> bytes:
    return json.dumps(json.loads(parts.as_json(of("one", "two"))) | changes).encode()


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"\xff",
        b"[]",
        b"null",
        edited(format=None),
        edited(archive="other.tar.gz"),
        edited(archive=f"../{ARCHIVE}"),
        edited(parts=[]),
        edited(parts=None),
        edited(bytes=5),
        edited(parts=[{"name": f"{ARCHIVE}.002", "bytes": 6, "sha256": sha256("x")}]),
        edited(parts=[{"name": "/etc/passwd", "bytes": 6, "sha256": sha256("x")}]),
        edited(parts=[{"name": f"{ARCHIVE}.001", "bytes": 6, "sha256": "0"}]),
        edited(parts=[{"name": f"{ARCHIVE}.001", "bytes": 6, "sha256": None}]),
        edited(parts=[{"name": f"{ARCHIVE}.001", "bytes": "6", "sha256": sha256("x")}], bytes="6"),
        edited(parts=[{"name": f"{ARCHIVE}.001", "bytes": 6}]),
        edited(parts=[{"name": f"{ARCHIVE}.001", "bytes": -1, "sha256": sha256("x")}], bytes=-1),
    ],
)
def test_a_damaged_parts_file_is_refused(text: bytes) -> None:
    with pytest.raises(parts.MalformedError):
        parts.read(text, FILE)


def test_a_newer_parts_file_is_refused_as_such() -> None:
    with pytest.raises(parts.MalformedError, match=r"format is 2.*newer kit"):
        parts.read(edited(format=2), FILE)


def test_a_renamed_parts_file_is_refused() -> None:
    with pytest.raises(parts.MalformedError, match="renamed"):
        parts.read(edited(), "other.parts.json")


@pytest.mark.parametrize(
    ("name", "leads_to"),
    [
        (FILE, FILE),
        (f"{ARCHIVE}.001", FILE),
        (f"{ARCHIVE}.017", FILE),
        (ARCHIVE, None),
        (f"{ARCHIVE}.1", None),
        ("release.json", None),
        ("latest.json", None),
    ],
)
def test_a_part_leads_to_its_parts_file(name: str, leads_to: str | None) -> None:
    assert parts.parts_file(name) == leads_to


GOOD = {".001": "one", ".002": "two", ".003": "three"}


@pytest.mark.parametrize(
    ("why", "found", "bad"),
    [
        ("whole", GOOD, set()),
        ("a part lacks", {".001": "one", ".003": "three"}, {"missing\t.002\t2"}),
        ("all lack", {}, {"missing\t.001\t1", "missing\t.002\t2", "missing\t.003\t3"}),
        ("other bytes", GOOD | {".002": "twa"}, {"changed\t.002\t2"}),
        ("unreadable", GOOD | {".002": ""}, {"changed\t.002\t2"}),
        ("one too many", GOOD | {".004": "four"}, {"surplus\t.004\t4"}),
        ("one too many without a number", GOOD | {".part": "four"}, {"surplus\t.part\t-"}),
        ("number 0", GOOD | {".000": "four"}, {"surplus\t.000\t-"}),
        ("a copy", GOOD | {" (1).002": "two"}, {"duplicate\t (1).002\t2"}),
        ("a copy under the next number", GOOD | {".004": "two"}, {"duplicate\t.004\t2"}),
        (
            "another name",
            {".001": "one", ".003": "three", " (1).002": "two"},
            {"renamed\t (1).002\t2"},
        ),
        ("two swapped", GOOD | {".001": "two", ".002": "one"}, {"renamed\t.001\t2", "renamed\t.002\t1"}),
        ("one over another", GOOD | {".002": "one"}, {"duplicate\t.002\t1", "missing\t.002\t2"}),
        (
            "damaged, and a good copy that sorts before it",
            GOOD | {".002": "twa", " (1).002": "two"},
            {"changed\t.002\t2", "renamed\t (1).002\t2"},
        ),
        (
            "damaged, and a good copy that sorts after it",
            GOOD | {".002": "twa", ".002.copy": "two"},
            {"changed\t.002\t2", "renamed\t.002.copy\t2"},
        ),
        (
            "two copies of a part that lacks",
            {".001": "one", ".003": "three", ".a": "two", ".b": "two"},
            {"renamed\t.a\t2", "duplicate\t.b\t2"},
        ),
        ("Chinese and a line feed", GOOD | {" - 副本\n.002": "two"}, {"duplicate\t - 副本\\x0a.002\t2"}),
    ],
)
def test_each_bad_part_is_named_with_its_number(why: str, found: dict[str, str], bad: set[str]) -> None:
    assert judged(found) == bad, why


def test_parts_of_equal_content_are_told_apart_by_their_names() -> None:
    assert judged({".001": "0", ".002": "0"}, "0", "0", "0") == {"missing\t.003\t3"}
    assert judged({".001": "0", ".002": "0", ".003": "0"}, "0", "0", "0") == set()
    assert judged({".001": "0", ".x": "0"}, "0", "0", "0") == {"renamed\t.x\t2", "missing\t.003\t3"}


def test_each_bad_part_says_what_to_do() -> None:
    (bad,) = parts.judge(of("one").parts, {})
    assert bad.why == "part 1: it is not here: copy it here"
