from __future__ import annotations

import errno
import io
import os
import tarfile
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, cast

import pytest

from offline.bundle import extents, layout
from offline.console import Console
from offline.errors import FailedError, LockedError, VerifyError
from offline.host import ssh
from offline.host.bundle import open_verified
from offline.host.limit import BURST, Limiter
from offline.host.plan import plan
from offline.host.transfer import send
from offline.run import CommandError
from tests.bundles import Bundle as Packed
from tests.bundles import small_bundle
from tests.unit.host.things import host

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from offline.host.bundle import Bundle
    from offline.host.connection import Connection

MODEL = b"%07d\n" * 375_000 % tuple(range(375_000))


@dataclass
class Wire:
    """Takes what a host would get; ends with a code of the receiver where one is given."""

    code: int = 0
    tail: str = ""
    bytes_sent: int = 0
    sink: io.BytesIO = field(default_factory=io.BytesIO)
    target: ssh.Target = field(default_factory=lambda: ssh.target("web1"))

    @contextmanager
    def sending(self, *_: object) -> Iterator[IO[bytes]]:
        out, into = os.pipe()
        with open(out, "rb") as reader, open(into, "wb") as sink:  # noqa: PTH123 - descriptors
            taking = threading.Thread(target=lambda: self.sink.write(reader.read()))
            taking.start()
            try:
                yield sink
            finally:
                sink.close()
                taking.join()
        if self.code:
            raise CommandError(("ssh",), self.code, self.tail)

    def orders(self) -> list[tuple[str, ...]]:
        """The orders, and the bytes behind them put together: small files by path, pieces by hex."""
        stream, found = io.BytesIO(self.sink.getvalue()), []
        for line in iter(stream.readline, b""):
            words = tuple(line.decode().rstrip("\n").split("\t"))
            found.append(words)
            if words[0] == "tar":
                self.unpack(stream.read(int(words[1])))
            elif words[0] == "piece":
                self.pieces[words[1]] = stream.read(int(words[3]))
        return found

    files: dict[str, bytes] = field(default_factory=dict)
    modes: dict[str, int] = field(default_factory=dict)
    pieces: dict[str, bytes] = field(default_factory=dict)

    def unpack(self, data: bytes) -> None:
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            for member in archive:
                content = archive.extractfile(member)
                assert content is not None
                self.files[member.name], self.modes[member.name] = content.read(), member.mode


@pytest.fixture(autouse=True, params=["by the kernel", "by hand", "by hand, as the file system cannot"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything holds on systems and file systems without splice(2), too."""
    if request.param == "by hand":
        monkeypatch.setattr(extents, "can_hand_on", lambda: False)
    elif request.param != "by the kernel":
        monkeypatch.setattr(os, "splice", cannot)


def cannot(*_: object, **__: object) -> int:
    raise OSError(errno.EINVAL, "Invalid argument")


@pytest.fixture
def packed() -> Packed:
    made = small_bundle()
    made["models/model.pt"] = MODEL
    made[layout.DEPLOY_SCRIPT] = "#!/usr/bin/env bash\n"
    return made.seal()


@pytest.fixture
def bundle(packed: Packed, tmp_path: Path) -> Bundle:
    return open_verified(packed.pack(tmp_path), Console(io.StringIO(), io.StringIO()))


def sent(bundle: Bundle, wire: Wire, **facts: object) -> list[tuple[str, ...]]:
    send(bundle, plan(bundle, host(**facts)), cast("Connection", wire), "/opt/mini")
    return wire.orders()


def test_a_bare_host_gets_every_file_and_the_sums_of_all(bundle: Bundle, packed: Packed) -> None:
    wire = Wire()
    orders = sent(bundle, wire, store="")
    model = bundle.files["models/model.pt"].sha256
    assert wire.pieces == {model: MODEL}
    files = {path: item.data for path, item in packed.items.items() if item.kind == "file"}
    assert wire.files | {"models/model.pt": MODEL} == files
    assert orders[-2:] == [("place", model, "models/model.pt"), ("end",)]


def test_of_a_piece_that_is_begun_the_rest_travels(bundle: Bundle) -> None:
    wire, model = Wire(), bundle.files["models/model.pt"].sha256
    orders = sent(bundle, wire, parts={model: 1_234_567})
    assert ("piece", model, "1234567", str(3_000_000 - 1_234_567)) in orders
    assert wire.pieces[model] == MODEL[1_234_567:]


def test_a_whole_piece_of_an_earlier_transfer_is_only_placed(bundle: Bundle) -> None:
    wire, model = Wire(), bundle.files["models/model.pt"].sha256
    orders = sent(bundle, wire, parts={model: 3_000_000})
    assert wire.pieces == {}
    assert ("place", model, "models/model.pt") in orders


def test_what_travels_keeps_to_the_limit_and_arrives_the_same(bundle: Bundle) -> None:
    wire, slept, counted = Wire(), list[float](), list[int]()
    limiter = Limiter(1_000_000, clock=lambda: sum(slept), sleep=slept.append)
    made = plan(bundle, host(store=""))
    send(bundle, made, cast("Connection", wire), "/opt/mini", on_bytes=counted.append, limiter=limiter)
    wire.orders()
    assert wire.pieces == {bundle.files["models/model.pt"].sha256: MODEL}
    assert abs(sum(slept) - wire.bytes_sent / 1_000_000) < 2 * BURST
    assert sum(counted) >= made.bytes


def test_what_is_left_out_is_said_and_listed(bundle: Bundle) -> None:
    wire = Wire()
    diff_id = bundle.images["server"][0].diff_id
    sent(bundle, wire, chains=frozenset({(diff_id,)}))
    digest = bundle.images["server"][0].digest
    assert wire.files[layout.OMITTED].decode() == f"blob\t{digest}\tclassic store\n"
    assert layout.blob(digest) not in wire.files
    assert layout.blob(digest).encode() not in wire.files[layout.SUMS]


def test_the_bytes_that_went_are_counted(bundle: Bundle) -> None:
    wire = Wire()
    sent(bundle, wire)
    assert wire.bytes_sent == len(wire.sink.getvalue())


@pytest.mark.parametrize(("code", "kind"), [(4, LockedError), (1, FailedError), (2, FailedError)], ids=str)
def test_what_the_receiver_ends_with_is_what_is_raised(bundle: Bundle, code: int, kind: type[Exception]) -> None:
    with pytest.raises(kind, match=r"web1: .*its last words"):
        sent(bundle, Wire(code=code, tail="its last words\n"))


def test_a_bundle_that_changed_since_it_was_verified_is_noticed(bundle: Bundle) -> None:
    bundle.archive.write_bytes(bundle.archive.read_bytes()[:5000])
    with pytest.raises(VerifyError, match="it changed while it was sent"):
        sent(bundle, Wire(), store="")
