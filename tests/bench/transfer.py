"""`python -m tests.bench.transfer`: 1 GB to a host on this machine, by the kit and by `cat` through ssh, by turns.

What must not be slower than `cat` keeps the bytes where they can be resumed and puts them in their places; what the
bundle's own verify.sh takes for hashing all of them on the host is shown too. `cat` is measured twice: as ssh is by
itself, and with the cipher that the kit offers first.

Each way begins with the kit's preparations. They take a second or two, and meanwhile a virtual machine gives back the
memory that the way before freed (Linux, "free page reporting"): who writes right after a removal is spared half a
second that everybody else pays for asking again.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from offline.host import connection, ssh
from offline.paths import write_text
from tests.airgap.hosts import host
from tests.airgap.ssh_deploys import addressed
from tests.bench import report
from tests.bench.measuring import KIT
from tests.bench.ours import INVOKE, kit_folder
from tests.sendable import sendable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.airgap.hosts import Host

ROUNDS = 15
SIZES = [64_000_000] * 15 + [40_000_000]
REACH = 0.9
PAGE = KIT / "docs" / "benchmark.md"
ROOT = "/opt/bench"
# In the place of offline-deploy.sh: runs verify.sh as that does, and says how long it took as the host's steps do.
_VERIFIES = """\
#!/usr/bin/env bash
started=$(date +%s%N)
bash scripts/verify.sh || exit
took=$((($(date +%s%N) - started) / 1000000))
while [[ $1 != --root ]]; do shift; done
printf 'seconds_verify=%d.%03d\\n' $((took / 1000)) $((took % 1000)) >"$2/state"
"""


@dataclass(frozen=True, kw_only=True)
class Transfer:
    """Seconds of each way: medians of its turns."""

    kit: float
    verify: float
    """What follows the kit's transfer."""
    cat: float
    cat_same_cipher: float

    @property
    def ratio(self) -> float:
        """How fast the kit is, `cat` being 1."""
        return self.cat / self.kit

    @property
    def row(self) -> tuple[str, float, float]:
        """For a table: what, seconds, ratio."""
        return "transfer of 1 GB over ssh on loopback, speed of `cat`", self.kit, self.ratio


def measure(folder: Path) -> Transfer:
    """Take turns; the host has an sshd and a disk, and no engine runs there."""
    bundle = sendable(folder, SIZES, script=_VERIFIES)
    with host("20.10", stopped=True) as standing:
        target = ssh.target(standing.name, standing.ssh_config)
        with connection.connected(target) as opened:
            same = ("-o", f"Ciphers={opened.target.ciphers}") if opened.target.ciphers else ()
        ways = {
            "kit": lambda: _kit(standing, bundle),
            "cat": lambda: {"cat": _cat(standing, bundle)},
            "cat_same_cipher": lambda: {"cat_same_cipher": _cat(standing, bundle, *same)},
        }
        _kit(standing, bundle)  # whoever is first pays for what is not in memory
        times = [_turn(ways, turn) for turn in range(ROUNDS)]
    return Transfer(**{name: median(took[name] for took in times) for name in times[0]})


def _turn(ways: Mapping[str, Callable[[], dict[str, float]]], turn: int) -> dict[str, float]:
    """Another one begins each time: who comes after the removal of a file finds memory in another state."""
    names = list(ways)
    first = turn % len(names)
    return {what: seconds for name in names[first:] + names[:first] for what, seconds in ways[name]().items()}


def _kit(standing: Host, bundle: Path) -> dict[str, float]:
    (only,) = json.loads(_deploy(standing, bundle))["hosts"]
    standing.run(f"rm -rf {ROOT}")
    took = {step["name"]: float(step["seconds"]) for step in only["steps"]}
    return {"kit": took["transfer"], "verify": took["verify"]}


def _deploy(standing: Host, bundle: Path, *options: str) -> bytes:
    """What `invoke deploy --json` says."""
    words = ("deploy", "--json", *addressed(standing), "--root", ROOT, "--bundle", str(bundle), *options)
    os.sync()
    return subprocess.run(
        [INVOKE, *words], cwd=KIT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True
    ).stdout


def _cat(standing: Host, bundle: Path, *options: str) -> float:
    """Seconds of `cat` alone: the connection is there before, as it is for the kit's transfer."""
    _deploy(standing, bundle, "--plan")
    with tempfile.TemporaryDirectory() as folder:
        shared = ("-o", "ControlMaster=auto", "-o", "ControlPersist=60", "-o", f"ControlPath={folder}/ssh")
        words = ["ssh", "-F", str(standing.ssh_config), *shared, *options, standing.name]
        subprocess.run([*words, "true"], check=True, stderr=subprocess.DEVNULL)
        with bundle.open("rb") as source:
            started = time.monotonic()
            subprocess.run([*words, "cat >/opt/bench"], stdin=source, check=True)
            seconds = time.monotonic() - started
        subprocess.run([*words, "-O", "exit"], check=True, stderr=subprocess.DEVNULL)
    standing.run("rm /opt/bench")
    return seconds


def reaches(found: Transfer) -> tuple[report.Reach, ...]:
    """What is promised."""
    return (report.Reach(what=found.row[0], measured=found.ratio, at_least=REACH),)


def render(found: Transfer, load: float) -> str:
    """The figures as a table. Pure."""
    ways = [
        ("**`invoke deploy`, the transfer**", found.kit),
        ("the same, and all of it hashed on the host by `verify.sh`", found.kit + found.verify),
        ("`cat`, as ssh is by itself", found.cat),
        ("`cat`, with the cipher that the kit offers first", found.cat_same_cipher),
    ]
    rows = [f"| {name} | {seconds:.2f} | {found.cat / seconds:.2f} × |" for name, seconds in ways]
    return "\n".join(
        [
            f"1 GB, medians of {ROUNDS}; {os.cpu_count()} cores for both ends, load {load:.1f} at the start.",
            "",
            *("| way | seconds | speed of `cat` |", "| --- | --: | --: |", *rows, ""),
            *("| measure | measured | reach | reached |", "| --- | --: | --: | --- |"),
            *(report.promise(reach) for reach in reaches(found)),
            "",
        ]
    )


def main() -> int:
    """Measure, show, write; 1 where the reach was missed."""
    load = os.getloadavg()[0]
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=kit_folder()))
    try:
        found = measure(folder)
    finally:
        shutil.rmtree(folder)
    table = render(found, load)
    sys.stdout.write(table)
    write_text(PAGE, report.placed(PAGE.read_text(encoding="utf-8"), "transfer", table))
    return 1 if report.failed(reaches(found)) else 0


if __name__ == "__main__":
    sys.exit(main())
