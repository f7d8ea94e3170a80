"""The kit's own sender and the host's receiver, joined by a pipe where ssh would be.

What arrived is proved by the bundle's own verify.sh afterwards, as offline-deploy.sh runs it first of all.
"""

from __future__ import annotations

import fcntl
import io
import os
import shutil
import subprocess
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

import pytest

from offline.bundle.layout import VERIFY_SCRIPT
from offline.console import Console
from offline.errors import FailedError, LockedError
from offline.host import facts, layout, plan, ssh
from offline.host.bundle import open_verified
from offline.host.transfer import send
from offline.paths import REMOTE_SCRIPTS
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

    def verified(self, bundle: Bundle) -> tuple[int, list[str]]:
        """The code and the lines of the bundle's verify.sh."""
        words = (BASH, str(self.root / "incoming" / bundle.top / VERIFY_SCRIPT))
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout.splitlines()

    def tidied(self, code: int) -> None:
        """What launch.sh does when a deploy has ended."""
        launch = (REMOTE_SCRIPTS / "launch.sh").read_text().replace('main "$@"', 'tidy "$@"')
        run((BASH, "-s", "--", str(self.root), str(code), "deploy-1.log"), stdin=launch.encode())

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
    assert here.names() == arrived(bundle)
    for number, name in enumerate(pieces(bundle)):
        assert (folder / f"models/noise-{number:03}").samefile(here.staging / f"{name}.part")


def test_what_is_there_of_a_piece_is_not_sent_again(here: Here, bundle: Bundle, tmp_path: Path) -> None:
    here.begin()
    (here.staging / f"{pieces(bundle)[1]}.part").write_bytes(content(bundle, 1, tmp_path)[:1_000_001])
    here.take(bundle)
    assert here.bytes_sent < 3 * SIZE - 500_000
    assert here.names() == arrived(bundle)
    assert here.verified(bundle)[0] == 0


def test_a_piece_that_is_longer_than_it_can_be_is_sent_anew(here: Here, bundle: Bundle, tmp_path: Path) -> None:
    here.begin()
    (here.staging / f"{pieces(bundle)[1]}.part").write_bytes(content(bundle, 1, tmp_path) + b"!")
    here.take(bundle)
    assert here.verified(bundle)[0] == 0


def test_small_files_of_several_tars_all_arrive(here: Here, tmp_path: Path) -> None:
    many = sendable(tmp_path, [900_000] * 12)
    bundle = open_verified(many, Console(io.StringIO(), io.StringIO()))
    here.take(bundle)
    assert here.names() == []
    assert here.verified(bundle)[0] == 0
    assert [path.name for path in (here.root / "incoming").iterdir()] == [bundle.top]


def test_a_piece_with_other_bytes_is_named_before_anything_is_used_and_the_next_run_sends_it_alone_anew(
    here: Here, bundle: Bundle
) -> None:
    here.begin()
    (here.staging / f"{pieces(bundle)[1]}.part").write_bytes(bytes(1000))
    here.take(bundle)
    assert here.verified(bundle) == (3, ["bad\tchanged\tmodels/noise-001"])
    here.tidied(3)
    here.bytes_sent = 0
    here.take(bundle)
    assert SIZE < here.bytes_sent < 2 * SIZE
    assert here.verified(bundle)[0] == 0


@pytest.mark.parametrize("openssl", ["exit 1", "echo 0000", "cat"], ids=["none", "wrong", "echo"])
def test_after_a_restart_an_openssl_that_does_not_hash_is_done_without(
    here: Here, bundle: Bundle, openssl: str
) -> None:
    here.take(bundle)
    (here.root / "blobs" / "start").write_text("another start\n")
    here.put("openssl", f"#!{BASH}\n{openssl}\n")
    here.bytes_sent = 0
    here.take(bundle)
    assert here.bytes_sent < SIZE
    assert here.verified(bundle)[0] == 0


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
    (here.staging / f"{first}.part").write_bytes(content(bundle, 0, tmp_path))
    (here.staging / f"{second}.part").write_bytes(content(bundle, 1, tmp_path)[:2000])
    here.take(bundle, asked)
    assert here.names() == arrived(bundle)
    assert here.verified(bundle)[0] == 0


def test_after_a_restart_of_the_host_what_lost_bytes_is_sent_anew_and_what_is_whole_is_not(
    here: Here, bundle: Bundle, tmp_path: Path
) -> None:
    whole, lost, begun = pieces(bundle)
    here.staging.mkdir(parents=True)
    (here.root / "blobs" / "start").write_text("another start\n")
    (here.staging / f"{whole}.part").write_bytes(content(bundle, 0, tmp_path))
    (here.staging / f"{lost}.part").write_bytes(bytes(SIZE))
    (here.staging / f"{begun}.part").write_bytes(bytes(SIZE - 1))
    here.take(bundle)
    assert 2 * SIZE < here.bytes_sent < 3 * SIZE
    assert here.verified(bundle)[0] == 0
    here.bytes_sent = 0
    here.take(bundle)
    assert here.bytes_sent < SIZE, "the pieces are as they were written, and are trusted"


def test_a_transfer_that_breaks_after_a_restart_leaves_nothing_that_lost_its_bytes(here: Here, bundle: Bundle) -> None:
    lost = pieces(bundle)[2]
    here.staging.mkdir(parents=True)
    (here.staging / f"{lost}.part").write_bytes(bytes(SIZE))
    (here.staging / f"{pieces(bundle)[0]}.part").write_bytes(bytes(1000))
    with pytest.raises(FailedError, match="not there any more as far as it was"):
        here.take(bundle, replace(here.facts(), parts={pieces(bundle)[0]: 1000}))
    assert here.facts().parts == {}


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
    assert here.names() == arrived(bundle)
    assert here.verified(bundle)[0] == 0


def arrived(bundle: Bundle) -> list[str]:
    """The names under which its big files arrive."""
    return sorted(f"{name}.part" for name in pieces(bundle))
