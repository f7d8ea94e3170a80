from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from offline.errors import UsageError
from offline.release.records import bundle_path
from offline.release.run import check_id, new_id

if TYPE_CHECKING:
    from pathlib import Path


def test_an_id_is_the_present_time_in_utc() -> None:
    assert re.fullmatch(r"20\d{6}-\d{6}", new_id())
    assert check_id(new_id())


@pytest.mark.parametrize("text", ["20261123-210000", "20280229-000000"])
def test_an_id_given_by_hand(text: str) -> None:
    assert check_id(text) == text


NO_IDS = ["", "20261123", "2026-11-23", "20261323-210000", "20270229-000000", "2026113-210000", "20261123-21000"]


@pytest.mark.parametrize("text", [*NO_IDS, " 20261123-210000", "20261123-210000\n", "20261123-250000", "../../x"])
def test_anything_else_is_no_id(text: str) -> None:
    with pytest.raises(UsageError, match="not a release id; write YYYYMMDD-HHMMSS, as in 20"):
        check_id(text)


def test_a_bundle_is_named_by_itself_or_by_a_result_file(tmp_path: Path) -> None:
    bundle = tmp_path / "b.tar.gz"
    bundle.touch()
    (tmp_path / "latest.json").write_text(json.dumps({"bundle": str(bundle)}))
    assert bundle_path(str(bundle)) == bundle
    assert bundle_path(str(tmp_path / "latest.json")) == bundle


@pytest.mark.parametrize("name", ["b.parts.json", "b.tar.gz.001"])
def test_a_bundle_in_parts_is_named_by_its_parts_file_or_a_part(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(json.dumps({"bundle": "nothing that counts"}))
    (tmp_path / "latest.json").write_text(json.dumps({"bundle": str(tmp_path / name)}))
    assert bundle_path(str(tmp_path / name)) == bundle_path(str(tmp_path / "latest.json")) == tmp_path / name


@pytest.mark.parametrize("name", ["no.tar.gz", "no.json", "."])
def test_what_is_not_there_is_refused_and_told_where_to_look(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match=r"there is no such bundle\n  next: .*dist/latest\.json"):
        bundle_path(str(tmp_path / name))


@pytest.mark.parametrize(
    "content",
    [
        '{"bundle": "x"}'.encode("utf-16"),
        '{"bundle": "x"}'.encode("utf-16-le"),
        b"",
        b"[]",
        b"{}",
        b"3",
        b'{"bundle": "x"',
    ],
)
def test_a_result_that_powershell_redirected_is_refused_and_told_what_to_read_instead(
    tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "result.json").write_bytes(content)
    with pytest.raises(UsageError, match=r"PowerShell's > writes UTF-16\)\n  next: read dist/latest\.json") as caught:
        bundle_path(str(tmp_path / "result.json"))
    assert caught.value.exit_code == 2
