"""The kit's own sender and the host's receiver, joined by a pipe where ssh would be."""

from __future__ import annotations

import fcntl
import io
import os
import shutil
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

import pytest

from offline.console import Console
from offline.errors import FailedError, LockedError, VerifyError
from offline.host import facts, layout, plan, ssh
from offline.host.bundle import open_verified
from offline.host.transfer import send
from offline.run import run, writing_to
from tests.sendable import sendable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from offline.host.bundle import Bundle
    from offline.host.connection import Connection
    from offline.host.facts import HostFacts

BASH = os.environ.get("OLD_BASH") or shutil.which("bash") or "bash"
SIZE = 1_500_000


@dataclass
class Here:
    """This machine in the place of a host: its root, and programs that stand before its own."""

    root: Path
    programs: Path
    bytes_sent: int = 0
    target: ssh.Target = field(default_factory=lambda: ssh.target("here"))

    @contextmanager
    def sending(self, script: Sequence[Path], *words: str) -> Iterator[IO[bytes]]:
        with writing_to((BASH, "-s", "--", *words), env=self._environment()) as sink:
            sink.write(b"".join(part.read_bytes() for part in script))
            yield sink

    def facts(self) -> HostFacts:
        script = b"".join(part.read_bytes() for part in layout.FACTS_SCRIPT)
        return facts.parse(run((BASH, "-s", "--", str(self.root)), stdin=script, env=self._environment()).out)

    def take(self, bundle: Bundle, known: HostFacts | None = None) -> None:
        made = plan.plan(bundle, known or self.facts())
        send(bundle, made, cast("Connection", self), str(self.root))

    def begin(self) -> None:
        """The folders as a transfer leaves them that broke off before its first piece."""
        self.staging.mkdir(parents=True)
        shutil.copyfile("/proc/sys/kernel/random/boot_id", self.root / "blobs" / "start")

    def put(self, name: str, text: str) -> None:
        """A program of the host."""
        self.programs.mkdir(exist_ok=True)
        path = self.programs / name
        path.write_text(text)
        path.chmod(0o755)

    @property
    def staging(self) -> Path:
        return self.root / "blobs" / "sha256"

    def names(self) -> list[str]:
        return sorted(path.name for path in self.staging.glob("*"))

    def _environment(self) -> dict[str, str]:
        return {"PATH": f"{self.programs}:{os.environ['PATH']}", "DOCKER_HOST": "unix:///there/is/none"}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    made = sendable(tmp_path_factory.mktemp("bundle"), [SIZE] * 3)
    return open_verified(made, Console(io.StringIO(), io.StringIO()))


@pytest.fixture
def here(tmp_path: Path) -> Here:
    return Here(tmp_path / "root", tmp_path / "programs")


def pieces(bundle: Bundle) -> list[str]:
    """The names of the big files on a host, in the order in which they are sent."""
    return [file.sha256 for path, file in sorted(bundle.files.items()) if path.startswith("models/noise")]


def content(bundle: Bundle, number: int, folder: Path) -> bytes:
    name = f"{bundle.top}/models/noise-{number:03}"
    run(("tar", "-xzf", str(bundle.archive), "-C", str(folder), name))
    return (folder / name).read_bytes()


def test_the_folder_holds_the_bundle_and_its_own_sums_hold(here: Here, bundle: Bundle) -> None:
    here.take(bundle)
    folder = here.root / "incoming" / bundle.top
    run(("sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"), cwd=folder)
    assert here.names() == sorted(pieces(bundle))
    for number, name in enumerate(pieces(bundle)):
        assert (folder / f"models/noise-{number:03}").samefile(here.staging / name)


def test_what_is_there_of_a_piece_is_not_sent_again(here: Here, bundle: Bundle, tmp_path: Path) -> None:
    here.begin()
    (here.staging / f"{pieces(bundle)[1]}.part").write_bytes(content(bundle, 1, tmp_path)[:1_000_001])
    here.take(bundle)
    assert here.bytes_sent < 3 * SIZE - 500_000
    assert here.names() == sorted(pieces(bundle))


def test_a_piece_with_other_bytes_is_named_never_gets_its_name_and_the_next_run_sends_it_anew(
    here: Here, bundle: Bundle
) -> None:
    here.begin()
    bad = pieces(bundle)[1]
    (here.staging / f"{bad}.part").write_bytes(bytes(1000))
    with pytest.raises(VerifyError, match=f"{bad} arrived with other bytes"):
        here.take(bundle)
    assert bad not in here.names()
    assert f"{bad}.part" not in here.names()
    here.take(bundle)
    assert here.names() == sorted(pieces(bundle))


def test_the_next_piece_arrives_while_the_former_is_hashed(here: Here, bundle: Bundle) -> None:
    waits = f"until [[ -e {here.staging}/{pieces(bundle)[1]}.part ]]; do sleep 0.01; done"
    for name in ("openssl", "sha256sum"):
        here.put(name, f"#!{BASH}\n[[ ! -e {here.staging}/{pieces(bundle)[0]}.part ]] || {waits}\nexec {sha256sum()}\n")
    stuck = threading.Timer(20, (here.staging / f"{pieces(bundle)[1]}.part").touch)
    stuck.start()
    here.take(bundle)
    assert stuck.is_alive(), "the second piece came only when the test had given up"
    stuck.cancel()


@pytest.mark.parametrize("openssl", ["exit 1", "echo 0000", "cat"], ids=["none", "wrong", "echo"])
def test_an_openssl_that_does_not_hash_is_done_without(here: Here, bundle: Bundle, openssl: str) -> None:
    here.put("openssl", f"#!{BASH}\n{openssl}\n")
    here.take(bundle)
    assert here.names() == sorted(pieces(bundle))


def test_a_host_that_is_never_idle_gets_its_pieces_all_the_same(here: Here, bundle: Bundle) -> None:
    here.put("chrt", f"#!{BASH}\nexec sleep 60\n")
    here.take(bundle)
    assert here.names() == sorted(pieces(bundle))


def test_small_files_that_cannot_be_unpacked_end_the_transfer(here: Here, bundle: Bundle) -> None:
    here.put("tar", f"#!{BASH}\nexit 2\n")
    with pytest.raises(FailedError, match="could not be put together there"):
        here.take(bundle)


def test_a_piece_that_cannot_be_placed_ends_the_transfer_and_is_not_sent_again(here: Here, bundle: Bundle) -> None:
    here.put("ln", f"#!{BASH}\necho 'ln: no space left' >&2\nexit 1\n")
    with pytest.raises(FailedError, match="no space left"):
        here.take(bundle)
    (here.programs / "ln").unlink()
    here.bytes_sent = 0
    here.take(bundle)
    assert here.bytes_sent < SIZE


def test_what_arrived_after_the_host_was_asked_changes_nothing(here: Here, bundle: Bundle, tmp_path: Path) -> None:
    first, second, _ = pieces(bundle)
    here.begin()
    for number, name in enumerate((first, second)):
        (here.staging / f"{name}.part").write_bytes(content(bundle, number, tmp_path)[:1000])
    asked = here.facts()
    (here.staging / f"{first}.part").unlink()
    (here.staging / first).write_bytes(content(bundle, 0, tmp_path))
    (here.staging / f"{second}.part").write_bytes(content(bundle, 1, tmp_path)[:2000])
    here.take(bundle, asked)
    assert here.names() == sorted(pieces(bundle))


def test_after_a_restart_of_the_host_what_lost_bytes_is_sent_anew_and_what_is_whole_is_not(
    here: Here, bundle: Bundle, tmp_path: Path
) -> None:
    whole, lost, begun = pieces(bundle)
    here.staging.mkdir(parents=True)
    (here.root / "blobs" / "start").write_text("another start\n")
    (here.staging / whole).write_bytes(content(bundle, 0, tmp_path))
    (here.staging / lost).write_bytes(bytes(SIZE))
    (here.staging / f"{begun}.part").write_bytes(bytes(SIZE - 1))
    here.take(bundle)
    assert 2 * SIZE < here.bytes_sent < 3 * SIZE
    assert (here.staging / lost).read_bytes() == content(bundle, 1, tmp_path)
    assert here.names() == sorted(pieces(bundle))
    here.bytes_sent = 0
    here.take(bundle)
    assert here.bytes_sent < SIZE, "the pieces are as they were written, and are trusted"


def test_a_transfer_that_breaks_after_a_restart_leaves_no_name_without_its_bytes(here: Here, bundle: Bundle) -> None:
    lost = pieces(bundle)[2]
    here.staging.mkdir(parents=True)
    (here.staging / lost).write_bytes(bytes(SIZE))
    (here.staging / f"{pieces(bundle)[0]}.part").write_bytes(bytes(1000))
    with pytest.raises(FailedError, match="not there any more as far as it was"):
        here.take(bundle, replace(here.facts(), parts={pieces(bundle)[0]: 1000}))
    assert lost not in here.facts().staged


def test_a_piece_that_is_gone_since_the_host_was_asked_is_no_reason_to_guess(here: Here, bundle: Bundle) -> None:
    here.begin()
    begun = here.staging / f"{pieces(bundle)[0]}.part"
    begun.write_bytes(bytes(1000))
    asked = here.facts()
    begun.unlink()
    with pytest.raises(FailedError, match="not there any more as far as it was"):
        here.take(bundle, asked)


def test_another_run_is_named_and_a_transfer_that_is_about_to_end_awaited(here: Here, bundle: Bundle) -> None:
    here.root.mkdir()
    with (here.root / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        print("1", "anna", "10.0.0.9", "noon", "deploy", sep="\t", file=lock, flush=True)
        with pytest.raises(LockedError, match=r"deploy, by anna from 10\.0\.0\.9 since noon"):
            here.take(bundle)
        lock.truncate(0)
        lock.seek(0)
        print("1", "anna", "10.0.0.9", "noon", "transfer", sep="\t", file=lock, flush=True)
        ending = threading.Timer(0.3, lambda: fcntl.flock(lock, fcntl.LOCK_UN))
        ending.start()
        here.take(bundle)
        assert not ending.is_alive()
    assert here.names() == sorted(pieces(bundle))


def sha256sum() -> str:
    return shutil.which("sha256sum") or "sha256sum"
