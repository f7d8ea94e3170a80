from __future__ import annotations

import hashlib
import io
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, cast

import pytest

from offline.errors import FailedError, UsageError, VerifyError
from offline.host import backups, fetch, ssh
from offline.host.connection import LostError
from offline.host.deploy import Deploy
from offline.run import Result

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from offline.host.connection import Connection
    from offline.host.outcome import Outcome

NAME = "20260102-030405"
DUMP = bytes(range(256)) * 8000  # 2 MB, so that it comes in more than one piece


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def manifest(**files: bytes) -> bytes:
    """A sealed manifest of these files."""
    lines = [f"format\t1\nid\t{NAME}\n"]
    for name, data in files.items():
        file = name.replace("_", ".")
        lines.append(f"member\t{name}\tfiles\t{file}\t{len(data)}\t{sha256(data)}\t9\tshared/{name}\n")
    body = "".join(lines).encode()
    return body + f"sealed\t{sha256(body)}\n".encode()


@dataclass
class Far:
    """A host that has one backup. Its connection breaks after each of `breaks` bytes, once."""

    files: dict[str, bytes]
    breaks: list[int] = field(default_factory=list)
    asked: list[tuple[str, int]] = field(default_factory=list)
    bytes_sent: int = 0
    target: ssh.Target = field(default_factory=lambda: ssh.target("web1"))

    def run(self, _script: object, _root: str, name: str, *, codes: object) -> Result:
        assert codes
        known = not name or name == NAME
        return Result(argv=(), code=0 if known else 73, out=f"motd\nbackup\t{NAME}\n" if known else "", err="")

    @contextmanager
    def receiving(self, _script: object, _root: str, name: str, file: str, offset: str) -> Iterator[IO[bytes]]:
        assert name == NAME
        self.asked.append((file, int(offset)))
        rest = self.files[file][int(offset) :]
        if self.breaks and len(rest) > self.breaks[0]:
            yield io.BytesIO(rest[: self.breaks.pop(0)])
            raise LostError("the connection is lost")
        yield io.BytesIO(rest)


@pytest.fixture
def far(monkeypatch: pytest.MonkeyPatch) -> Far:
    made = Far({"database.gz": DUMP, "data.gz": b"content", "manifest.json": b"{}"})
    made.files["manifest.tsv"] = manifest(database_gz=DUMP, data_gz=b"content")

    @contextmanager
    def connected(_target: ssh.Target) -> Iterator[Connection]:
        yield cast("Connection", made)

    monkeypatch.setattr(fetch, "connected", connected)
    monkeypatch.setattr("offline.host.fetch.time.sleep", lambda _seconds: None)
    return made


def fetched(home: Path, name: str = "") -> Outcome:
    @contextmanager
    def counting(_total: int) -> Iterator[object]:
        yield lambda _count: None

    run = Deploy(ssh.target("web1"), lambda _line: None, counting)  # type: ignore[arg-type]
    return fetch.fetch(name, home, "/opt/mini", run)


def test_every_file_comes_and_the_folder_is_called_like_the_backup(far: Far, tmp_path: Path) -> None:
    outcome = fetched(tmp_path / "home")
    assert {path.name: path.read_bytes() for path in (tmp_path / "home" / NAME).iterdir()} == far.files
    assert (outcome.backup, outcome.answer["folder"]) == (NAME, str(tmp_path / "home" / NAME))
    assert [path.name for path in (tmp_path / "home").iterdir()] == [NAME]


def test_a_connection_that_breaks_goes_on_at_the_byte(far: Far, tmp_path: Path) -> None:
    far.breaks = [1_000_001, 500_000]
    outcome = fetched(tmp_path)
    assert [offset for file, offset in far.asked if file == "database.gz"] == [0, 1_000_001, 1_500_001]
    assert (tmp_path / NAME / "database.gz").read_bytes() == DUMP
    assert outcome.answer["bytes_received"] < len(DUMP) + 10_000


def test_a_run_that_was_given_up_is_gone_on_with_by_the_next(far: Far, tmp_path: Path) -> None:
    far.breaks = [300_000] * 4
    with pytest.raises(FailedError, match="broke 4 times"):
        fetched(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [f".partial-{NAME}"]
    far.asked.clear()
    fetched(tmp_path)
    assert ("database.gz", 1_200_000) in far.asked
    assert (tmp_path / NAME / "database.gz").read_bytes() == DUMP


def test_bytes_that_are_not_those_that_were_made_never_get_the_name_and_come_again(far: Far, tmp_path: Path) -> None:
    far.files["data.gz"] = b"CONTENT"
    with pytest.raises(VerifyError, match=r"data\.gz"):
        fetched(tmp_path)
    assert not (tmp_path / NAME).exists()
    far.files["data.gz"] = b"content"
    far.asked.clear()
    fetched(tmp_path)
    assert [file for file, _ in far.asked] == ["manifest.tsv", "manifest.json", "data.gz"]


@pytest.mark.usefixtures("far")
def test_what_came_and_is_too_long_is_not_its_beginning(tmp_path: Path) -> None:
    partial = tmp_path / f".partial-{NAME}"
    partial.mkdir()
    (partial / "data.gz").write_bytes(b"content and more")
    fetched(tmp_path)
    assert (tmp_path / NAME / "data.gz").read_bytes() == b"content"


def test_one_that_is_there_is_verified_and_not_fetched_again(far: Far, tmp_path: Path) -> None:
    fetched(tmp_path)
    far.asked.clear()
    assert fetched(tmp_path, NAME).answer["bytes_received"] == 0
    assert far.asked == []
    (tmp_path / NAME / "data.gz").write_bytes(b"CONTENT")
    with pytest.raises(UsageError, match=r"is not that backup: data\.gz"):
        fetched(tmp_path)


@pytest.mark.usefixtures("far")
@pytest.mark.parametrize("name", ["20200101-000000", "../etc", ".partial-1"])
def test_a_backup_that_the_host_does_not_have(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError):
        fetched(tmp_path, name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (manifest(data_gz=b"x").replace(b"\t1\t", b"\t2\t"), "not what was sealed"),
        (manifest(data_gz=b"x").rpartition(b"sealed")[0], "not what was sealed"),
        (b"", "not what was sealed"),
    ],
    ids=["changed", "cut off", "empty"],
)
def test_a_manifest_that_is_not_what_was_sealed(made: bytes, said: str) -> None:
    with pytest.raises(VerifyError, match=said):
        backups.members(made)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("format\t2", "format that this kit does not know"),
        ("format\t1\nmember\tdata\tfiles\t../data.gz\t1\tx\t1\tshared", "outside its folder"),
        ("format\t1\nmember\tdata\tfiles\tdata.gz\tmany", "not understood"),
    ],
    ids=["newer", "outside", "half a line"],
)
def test_a_manifest_that_is_sealed_and_not_to_be_followed(line: str, said: str) -> None:
    body = f"{line}\n".encode()
    with pytest.raises(VerifyError, match=said):
        backups.members(body + f"sealed\t{sha256(body)}\n".encode())
