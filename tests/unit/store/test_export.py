from __future__ import annotations

import errno
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from offline.engine.save import save_argv
from offline.errors import FailedError, VerifyError
from offline.store import index
from offline.store.blobs import NewBlob, Store
from offline.store.export import export
from offline.store.model import Inspected, StoredImage
from tests.unit.store import streams
from tests.unit.store.stores import ALIKE, BIG, BOTH, OLD, SERVER, WEB, blobs, check, facts
from tests.unit.store.streams import Entry, Image

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

# A client whose engine has one stream: it notes what it was asked, writes the stream, and ends with a code.
CLIENT = """
import sys
folder, code, asked = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
open(folder + "/asked", "a").write(" ".join(asked) + "\\n")
sys.stdout.buffer.write(open(folder + "/stream", "rb").read())
sys.stdout.flush()
if code:
    print("Error response from daemon: the daemon is gone", file=sys.stderr)
sys.exit(code)
"""


class Engine:
    """The engine and the store of one test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = Store(folder / "store")
        self.code = 0
        self.cut: int | None = None

    @property
    def asked(self) -> list[str]:
        log = self.folder / "asked"
        return log.read_text().splitlines() if log.exists() else []

    def export(self, entries: Sequence[Entry], wanted: Mapping[str, Inspected]) -> dict[str, StoredImage]:
        (self.folder / "stream").write_bytes(streams.stream(entries)[: self.cut])
        argv = (sys.executable, "-c", CLIENT, str(self.folder), str(self.code))
        return export(argv, self.store, wanted, platform="linux/amd64", on_bytes=lambda _: None)


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return Engine(tmp_path)


def test_the_command_line_of_the_save() -> None:
    assert save_argv(("/usr/bin/docker", "--context", "x"), ("a:1", "b:1")) == (
        "/usr/bin/docker",
        "--context",
        "x",
        "image",
        "save",
        "a:1",
        "b:1",
    )


def test_all_images_come_in_one_save(engine: Engine) -> None:
    check(engine.store, BOTH, engine.export(streams.classic(BOTH), facts(*BOTH)))
    assert engine.asked == ["image save mini/server:build mini/web:build"]


def test_large_images_come_in_two_saves_and_what_they_share_is_kept_once(engine: Engine) -> None:
    wanted = {name: replace(fact, size=1000) for name, fact in facts(*BOTH).items()}
    check(engine.store, BOTH, engine.export(streams.classic(BOTH), wanted))
    assert sorted(engine.asked) == ["image save mini/server:build", "image save mini/web:build"]


def test_of_two_saves_that_fail_nothing_stays(engine: Engine) -> None:
    wanted = {name: replace(fact, size=1000) for name, fact in facts(*BOTH).items()}
    engine.code, engine.cut = 1, 3000
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
    assert engine.asked[1:] == ["image save mini/server:build"]


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
    engine.code, engine.cut = 1, cut
    with pytest.raises(FailedError, match="the daemon is gone") as caught:
        engine.export(streams.oci(BOTH), facts(*BOTH))
    assert caught.value.hint
    assert blobs(engine.store) == set()
    assert not engine.store.index_path.exists()


def test_an_engine_that_fails_after_a_whole_stream_is_believed_to_have_failed(engine: Engine) -> None:
    engine.code = 1
    with pytest.raises(FailedError, match="the daemon is gone"):
        engine.export(streams.classic(BOTH), facts(*BOTH))


def test_a_short_stream_of_a_client_that_says_all_is_well_is_refused(engine: Engine) -> None:
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


def test_what_a_killed_run_left_half_written_is_removed(engine: Engine) -> None:
    engine.store.folder.mkdir(parents=True)
    (engine.store.folder / ".partial-killed").write_bytes(b"half")
    check(engine.store, BOTH, engine.export(streams.oci(BOTH), facts(*BOTH)))
