"""What failed in the hand-written packaging of the first customer: each failure has a test that names it."""

from __future__ import annotations

import re

import pytest

from offline.paths import KIT

FAILURES = {
    1: "FROM a private remote image: no build without internet",
    2: "heavy packages installed in the base and again in the app image",
    3: "COPY --from=builder with no such stage",
    4: "one requirements line of three packages with +cpu suffixes",
    5: "the web container dies: no /start.sh, or one with CRLF",
    6: "a tar for each image, gzip on one core, a copy of everything",
    7: "a wrong md5 is a warning",
    8: "the offline installer of the engine needs yum and the internet",
    9: "chmod 777 on database folders, password 123456",
    10: "mutable tags: no way back after an upgrade",
    11: "an upgrade copies the files of MySQL by hand",
    12: "success after `sleep 5`, no health check",
    13: "a backup that says success although the database is down",
    14: "no restore",
    15: "CRLF in scripts that were made on Windows",
    16: "a transfer that breaks starts again; sticks with FAT32 refuse large files",
    17: "a port in use, a full disk, a wrong architecture found half-way",
    18: "emptied data folders and `down -v` given as a cure",
}
TESTS = "\n".join(
    path.read_text(encoding="utf-8")
    for path in sorted((KIT / "tests").rglob("*"))
    if path.suffix in {".py", ".bats"} and path.name.startswith("test_") | (path.suffix == ".bats")
)
NAMED = {
    int(number)
    for numbers in re.findall(r"[Ff]ailures? ((?:\d+(?:, | and )?)+)|test_failure_(\d+)_", TESTS)
    for number in re.findall(r"\d+", " ".join(numbers))
}


@pytest.mark.parametrize("number", FAILURES, ids=FAILURES.values())
def test_each_failure_is_named_by_a_test_that_shows_its_cure(number: int) -> None:
    assert number in NAMED
