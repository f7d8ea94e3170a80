from __future__ import annotations

import errno
import io
from contextlib import contextmanager
from dataclasses import replace
from typing import IO, TYPE_CHECKING

import pytest

from offline.engine.save import SaveError
from offline.errors import FailedError, VerifyError
from offline.store import index
from offline.store.blobs import NewBlob, Store
from offline.store.export import export
from offline.store.model import Inspected, StoredImage
from tests.unit.store import streams
from tests.unit.store.stores import ALIKE, BIG, BOTH, OLD, SERVER, WEB, blobs, check, facts
from tests.unit.store.streams import Entry, Image

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path


class Engine:
    """An engine that has one stream, and the store of one test."""

    def __init__(self, folder: Path) -> None:
        self.store = Store(folder / "store")
        self.asked: list[list[str]] = []
        self.fails = False
        self.cut: int | None = None
        self._stream = b""

    @contextmanager
    def saving(self, references: Sequence[str]) -> Iterator[IO[bytes]]:
        """Give the stream, up to the cut; then say that it failed, if it does."""
        self.asked.append(list(references))
        yield io.BytesIO(self._stream[: self.cut])
        if self.fails:
            raise SaveError("the daemon is gone")

    def export(self, entries: Sequence[Entry], wanted: Mapping[str, Inspected]) -> dict[str, StoredImage]:
        self._stream = streams.stream(entries)
        return export(self.saving, self.store, wanted, platform="linux/amd64", on_bytes=lambda _: None)


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return Engine(tmp_path)


def test_all_images_come_in_one_save(engine: Engine) -> None:
    check(engine.store, BOTH, engine.export(streams.classic(BOTH), facts(*BOTH)))
    assert engine.asked == [["mini/server:build", "mini/web:build"]]


def test_large_images_come_in_two_saves_and_what_they_share_is_kept_once(engine: Engine) -> None:
    wanted = {name: replace(fact, size=1000) for name, fact in facts(*BOTH).items()}
    check(engine.store, BOTH, engine.export(streams.classic(BOTH), wanted))
    assert sorted(engine.asked) == [["mini/server:build"], ["mini/web:build"]]


def test_of_two_saves_that_fail_nothing_stays(engine: Engine) -> None:
    wanted = {name: replace(fact, size=1000) for name, fact in facts(*BOTH).items()}
    engine.fails, engine.cut = True, 3000
    with pytest.raises(FailedError, match="the daemon is gone"):
        engine.export(streams.oci(BOTH), wanted)
    assert blobs(engine.store) == set()


def test_nothing_is_saved_when_nothing_is_missing(engine: Engine) -> None:
    first = engine.export(streams.classic(BOTH), facts(*BOTH))
    assert engine.export([], facts(*BOTH)) == first
    assert len(engine.asked) == 1


def test_only_what_is_missing_is_saved(engine: Engine) -> None:
    engine.export(streams.classic([WEB]), facts(WEB))
    check(engine.store, BOTH, engine.export(streams.classic([SERVER]), facts(*BOTH)))
    assert engine.asked[1:] == [["mini/server:build"]]


def test_a_containerd_store_is_asked_once_although_its_ids_are_no_configs(engine: Engine) -> None:
    entries, engine_id = streams.oci_platforms(SERVER.name, [SERVER])
    wanted = {SERVER.name: Inspected(id=engine_id, diff_ids=SERVER.diff_ids)}
    assert engine.export(entries, wanted) == engine.export([], wanted)
    assert len(engine.asked) == 1


def test_a_lost_blob_is_noticed_and_made_anew(engine: Engine) -> None:
    first = engine.export(streams.classic([SERVER]), facts(SERVER))
    engine.store.path(first[SERVER.name].layers[0].digest).unlink()
    assert engine.export(streams.classic([SERVER]), facts(SERVER)) == first
    assert index.has_image(engine.store, first[SERVER.name])


def test_a_mistaken_layer_costs_a_second_save(engine: Engine) -> None:
    # Both layers are expected, so the new one can be taken for the old.
    mixed = Image("mini/mixed:1", (BIG, *ALIKE.layers))
    engine.export(streams.classic([OLD]), facts(OLD))
    check_one = engine.export(streams.classic([mixed]), facts(mixed))
    assert tuple(layer.diff_id for layer in check_one[mixed.name].layers) == mixed.diff_ids
    assert len(engine.asked) == 3


@pytest.mark.parametrize("cut", [0, 3000])
def test_an_engine_that_dies_is_a_failure_that_changes_nothing(cut: int, engine: Engine) -> None:
    engine.fails, engine.cut = True, cut
    with pytest.raises(FailedError, match="the daemon is gone") as caught:
        engine.export(streams.oci(BOTH), facts(*BOTH))
    assert caught.value.hint
    assert blobs(engine.store) == set()
    assert not engine.store.index_path.exists()


def test_an_engine_that_fails_after_a_whole_stream_is_believed_to_have_failed(engine: Engine) -> None:
    engine.fails = True
    with pytest.raises(FailedError, match="the daemon is gone"):
        engine.export(streams.classic(BOTH), facts(*BOTH))


def test_a_short_stream_of_which_nobody_says_that_it_failed_is_refused(engine: Engine) -> None:
    engine.cut = 3000
    with pytest.raises(VerifyError, match="ends after 3000 bytes"):
        engine.export(streams.oci(BOTH), facts(*BOTH))


def test_a_full_disk_is_a_failure_that_gives_the_space_back(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    write = NewBlob.write

    def full(blob: NewBlob, data: bytes) -> None:
        write(blob, data)
        if blobs(engine.store) - {f"sha256:{blob.partial.path.name}"}:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(NewBlob, "write", full)
    with pytest.raises(FailedError, match="the disk is full") as caught:
        engine.export(streams.classic(BOTH), facts(*BOTH))
    assert "invoke store-gc" in caught.value.hint
    assert blobs(engine.store) == set()
