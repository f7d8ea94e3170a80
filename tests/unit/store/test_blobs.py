from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from offline.errors import VerifyError
from offline.store.blobs import Store, adding, digest_of
from tests.unit.disk import lost_in_the_background

if TYPE_CHECKING:
    from pathlib import Path


def files(store: Store) -> list[str]:
    return sorted(path.name for path in store.folder.iterdir())


def test_a_blob_is_named_by_its_bytes_and_read_back(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with adding(store) as new:
        digest = new.put(b"content")
    assert digest == digest_of(b"content")
    assert store.read(digest) == b"content"
    assert store.has(digest, 7)
    assert not store.has(digest, 8)


def test_a_blob_that_is_not_kept_leaves_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with adding(store) as new, new.blob() as blob:
        blob.write(b"content")
    assert files(store) == []


def test_bytes_that_did_not_reach_the_disk_make_no_blob_though_the_last_flush_succeeds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path)
    lost_in_the_background(monkeypatch)
    with pytest.raises(OSError, match="Input/output error"), adding(store) as new:
        new.put(b"content")
    assert files(store) == []


def test_a_failure_removes_what_it_had_added_and_nothing_else(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with adding(store) as new:
        old = new.put(b"old")

    def fail() -> None:
        with adding(store) as new, new.blob() as blob:
            new.put(b"old")
            new.put(b"new")
            blob.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert files(store) == [old.removeprefix("sha256:")]


def test_an_interruption_while_the_index_is_written_keeps_the_blobs(tmp_path: Path) -> None:
    store = Store(tmp_path)

    def fail(error: type[BaseException]) -> None:
        with adding(store) as new:
            new.put(error.__name__.encode())
            with new.for_good():
                raise error

    with pytest.raises(KeyboardInterrupt):
        fail(KeyboardInterrupt)
    with pytest.raises(OSError, match=r"^$"):
        fail(OSError)
    assert files(store) == [digest_of(b"KeyboardInterrupt").removeprefix("sha256:")]


def test_a_damaged_blob_is_told_at_its_end(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with adding(store) as new:
        digest = new.put(b"content")
    store.path(digest).write_bytes(b"c0ntent")
    pieces = store.reading(digest)
    assert next(pieces) == b"c0ntent"
    with pytest.raises(VerifyError, match="hash to"):
        next(pieces)


def test_a_missing_blob_is_named(tmp_path: Path) -> None:
    with pytest.raises(VerifyError, match="missing"):
        Store(tmp_path).read(digest_of(b""))


@pytest.mark.parametrize("name", ["", "sha256:", "sha256:../../etc/passwd", "sha512:" + "0" * 64, "sha256:" + "A" * 64])
def test_only_a_sha256_digest_names_a_blob(name: str, tmp_path: Path) -> None:
    with pytest.raises(VerifyError):
        Store(tmp_path).path(name)
