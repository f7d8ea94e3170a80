from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest

from offline.bundle.verify import verify
from offline.console import Console
from offline.errors import UsageError, VerifyError
from tests.bundles import small_bundle
from tests.mutations import MUTATIONS, Mutation

if TYPE_CHECKING:
    from pathlib import Path


def recording() -> tuple[Console, io.StringIO, io.StringIO]:
    out, err = io.StringIO(), io.StringIO()
    return Console(out, err), out, err


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_every_mutation_is_named_exactly(mutation: Mutation, tmp_path: Path) -> None:
    """Failure 7: a wrong md5 was a warning, and the old script went on."""
    bundle, expected = mutation.apply()
    console, out, _ = recording()
    try:
        verify(bundle.pack(tmp_path), console)
        code = 0
    except VerifyError as error:
        code = error.exit_code
    lines = out.getvalue().splitlines()
    assert [line for line in lines if line.startswith("bad\t")] == sorted(expected, key=str.encode)
    assert code == (3 if expected else 0)
    assert expected or [line.split("\t")[0] for line in lines] == ["ok"]


def test_a_whole_bundle_gets_one_line_with_files_bytes_and_the_digest_of_the_sums(tmp_path: Path) -> None:
    bundle = small_bundle()
    files = [item for path, item in bundle.items.items() if item.kind == "file" and path != "SHA256SUMS"]
    console, out, _ = recording()
    report = verify(bundle.pack(tmp_path), console)
    assert out.getvalue() == f"ok\t{len(files)}\t{sum(len(item.data) for item in files)}\t{report.sums}\n"


def test_a_bad_bundle_says_what_to_do_and_why_where_the_word_is_not_enough(tmp_path: Path) -> None:
    bundle = small_bundle()
    bundle["scripts/facts.tsv"] = "format\t2\n"
    bundle.seal()
    console, _, err = recording()
    with pytest.raises(VerifyError, match="copy the bundle again"):
        verify(bundle.pack(tmp_path), console)
    assert "its format is 2, and this kit knows formats up to 1: verify it with the kit that made it" in err.getvalue()


def test_lines_are_sorted_by_bytes(tmp_path: Path) -> None:
    bundle = small_bundle()
    for name in ("é", "Z", "a", "extra"):
        bundle[name] = b""
    console, out, _ = recording()
    with pytest.raises(VerifyError):
        verify(bundle.pack(tmp_path), console)
    assert [line.rpartition("\t")[2] for line in out.getvalue().splitlines()] == ["Z", "a", "extra", "é"]


def test_blobs_that_are_left_out_on_purpose_are_said(tmp_path: Path) -> None:
    mutation = next(m for m in MUTATIONS if m.name == "layer left out and said so")
    console, _, err = recording()
    report = verify(mutation.apply()[0].pack(tmp_path), console)
    assert report.omitted == 1
    assert "1 blobs are left out on purpose" in err.getvalue()


def test_a_file_that_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no such file"):
        verify(tmp_path / "none.tar.gz", recording()[0])


def test_a_folder_is_pointed_to_the_script_that_it_holds(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"bash .*scripts/verify\.sh"):
        verify(tmp_path, recording()[0])
