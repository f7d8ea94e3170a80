"""Transfers killed at moments that a seed decides: ssh, the kit, or the receiver with what it started.

Whatever is killed, what is on the host of a piece is how that piece begins, a run that ends well has brought the whole
bundle, and what had arrived is not sent again.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.airgap.hosts import host
from tests.airgap.ssh_deploys import INVOKE, KIT, ROOT, addressed
from tests.engine import wait_until
from tests.sendable import SERVED, contents, sendable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.airgap.hosts import Host

POINTS = 28
SIZES = [1_100_000, 1_500_000, 4_000_000, 1_048_576, 3_000_000, 1_300_000]
# So slow that a moment can be met, and that nothing much is on its way.
LIMIT = "3M"
LATE = 2_000_000  # what is left to send when the last moment comes, so that it is met on a busy machine, too
OVERHEAD = 200_000  # scripts, orders and small files, once for each connection
ON_ITS_WAY = (1 << 20) + (2 << 20)  # what a pipe and ssh's window hold: sent, and lost with the connection
CONTENTS = {sha256(data).hexdigest(): data for data in contents(SIZES)}
_RECEIVER = "^bash -s -- /opt"
_WHOLE = f"{_RECEIVER}|^dd bs=|^head -c|^tar -xzf /opt"
ARRIVED = f"""
shopt -s nullglob
arrived() {{
    local path sum=0
    for path in {ROOT}/blobs/sha256/*; do sum=$((sum + $(stat -c %s "$path" 2>/dev/null || echo 0))); done
    echo "$sum"
}}
"""


@dataclass(frozen=True)
class Point:
    """Who is killed, and when: once so many bytes have arrived."""

    seed: int

    def __str__(self) -> str:
        return f"{self.seed}, {self.who}"

    @property
    def who(self) -> str:
        return ("ssh", "kit", "receiver", "all of the receiver")[self.seed % 4]

    @property
    def after(self) -> int:
        # Where the kit goes on by itself only the sum is known: so late that all of it anew would show.
        least = 1 if self.who == "kit" else ON_ITS_WAY + 3 * OVERHEAD
        return random.Random(self.seed).randrange(least, sum(SIZES) - LATE)  # noqa: S311 - reproducible on purpose


@pytest.fixture(scope="module")
def standing() -> Iterator[Host]:
    """A host that takes bytes; no engine has a part in this."""
    with host("20.10", stopped=True) as started:
        yield started


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sendable(tmp_path_factory.mktemp("killed"), SIZES)


@pytest.mark.parametrize("point", [Point(seed) for seed in range(POINTS)], ids=str)
def test_a_killed_transfer_leaves_nothing_false_and_goes_on_at_the_byte(
    standing: Host, bundle: Path, tmp_path: Path, point: Point
) -> None:
    standing.run(f"rm -rf {ROOT}")
    first = killed(standing, bundle, tmp_path, point)
    assert false_pieces(standing) == []
    if first is None or first["exit"]:
        there = arrived(standing)
        assert there >= point.after, "what had arrived is gone"
        second = deployed(standing, bundle)
        assert second["exit"] == 0, second
        assert second["bytes_sent"] <= sum(SIZES) - there + OVERHEAD
    else:
        assert first["bytes_sent"] <= sum(SIZES) + ON_ITS_WAY + 2 * OVERHEAD
    assert standing.run(f"cat {ROOT}/{SERVED}").out.count("models/noise-") == len(SIZES)


def killed(standing: Host, bundle: Path, folder: Path, point: Point) -> dict[str, Any] | None:
    """A transfer whose moment came; gives what the kit said of the host, or None where it was the kit."""
    with (folder / "out").open("wb") as out, (folder / "err").open("wb") as err:
        words = (*command(standing, bundle), "--limit", LIMIT)
        kit = subprocess.Popen([INVOKE, *words], cwd=KIT, stdout=out, stderr=err, start_new_session=True)
        try:
            kill(standing, point, kit)
            kit.wait(60)
        finally:
            end(kit.pid, lambda _: True)
    receiving = f"pgrep -f '{_WHOLE}'"
    wait_until(lambda: standing.run(receiving, check=False).code == 1, seconds=30, what="the receiver to end")
    return None if point.who == "kit" else only(folder / "out")


def kill(standing: Host, point: Point, kit: subprocess.Popen[bytes]) -> None:
    """Await the moment, on the host, and kill: there in the same breath, here as soon as the host has said so."""
    there = {"receiver": f"pkill -KILL -f '{_RECEIVER}'", "all of the receiver": f"pkill -KILL -f '{_WHOLE}'"}
    wait = f"{ARRIVED} until (($(arrived) >= {point.after})); do ((SECONDS < 60)) || exit 3; sleep 0.01; done"
    done = standing.run(f"{wait}; {there.get(point.who, 'true')}", check=False)
    assert done.code == 0, f"no moment to kill in: code {done.code} there, {kit.poll()} here"
    if point.who == "kit":
        kit.kill()
    elif point.who == "ssh":
        assert end(kit.pid, lambda name: name == "ssh"), "the transfer was over before its moment: nothing was tested"


def end(leader: int, wanted: Callable[[str], bool]) -> int:
    """Kill the processes of a session that run a program; gives how many."""
    found = group(leader, wanted)
    for number in found:
        with suppress(ProcessLookupError):
            os.kill(number, signal.SIGKILL)
    return len(found)


def group(leader: int, wanted: Callable[[str], bool]) -> list[int]:
    """The processes of a session that run a program."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, rest = entry.read_text().partition("(")[2].rpartition(")")
        except OSError:
            continue
        state, _, process_group = rest.split()[:3]
        if int(process_group) == leader and state != "Z" and wanted(name):
            found.append(int(entry.parent.name))
    return found


def deployed(standing: Host, bundle: Path) -> dict[str, Any]:
    done = subprocess.run([INVOKE, *command(standing, bundle)], cwd=KIT, stdout=subprocess.PIPE, check=False)
    (result,) = json.loads(done.stdout)["hosts"]
    return dict(result)


def command(standing: Host, bundle: Path) -> tuple[str, ...]:
    return ("deploy", "--json", "--root", ROOT, "--bundle", str(bundle), *addressed(standing))


def only(out: Path) -> dict[str, Any]:
    (result,) = json.loads(out.read_text())["hosts"]
    return dict(result)


def arrived(standing: Host) -> int:
    return int(standing.run(f"{ARRIVED} arrived").out)


def false_pieces(standing: Host) -> list[str]:
    """What arrived, and is not how the piece of that name begins."""
    script = f"""
    for path in {ROOT}/blobs/sha256/*.part; do
        [[ ! -f $path ]] || echo "$(basename "$path" .part) $(stat -c %s "$path") $(sha256sum <"$path")"
    done
    """
    found = [line.split() for line in standing.run(script).out.splitlines()]
    return [name for name, size, digest, _ in found if digest != sha256(CONTENTS[name][: int(size)]).hexdigest()]
