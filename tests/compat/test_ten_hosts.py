"""Ten hosts at once, and two that fail: what the kit does is real, what it starts on the hosts is a stand-in.

The hosts have a disk and an sshd, and no engine is started: ten of them would ask for more than the transfer does.
"""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.airgap.hosts import host
from tests.airgap.ssh_deploys import INVOKE, KIT, ROOT
from tests.sendable import SERVED, sendable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tests.airgap.hosts import Host

# A process counts the memory of the one that started it as its own peak: this one is small.
MEASURE = """
import json, os, subprocess, sys
with open(sys.argv[1], "wb") as out:
    process = subprocess.Popen(sys.argv[2:], stdout=out)
_, status, usage = os.wait4(process.pid, 0)
code = process.returncode = os.waitstatus_to_exitcode(status)
json.dump({"code": code, "peak": usage.ru_maxrss * 1024, "written": usage.ru_oublock * 512}, sys.stdout)
"""
COUNT = 10
SIZES = [12_000_000] * 4
NOBODY = "root@127.0.0.1:9"


@dataclass(frozen=True)
class Ran:
    """A deploy that ended; `peak` is the memory and `written` what went to a disk of the kit's machine, in bytes."""

    code: int
    hosts: list[dict[str, Any]]
    told: str
    peak: int
    written: int


@dataclass(frozen=True)
class Fleet:
    """The hosts, what knows them all by name, and what they got."""

    good: Sequence[Host]
    full: Host
    config: Path
    bundle: Path
    ran: Ran


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """Ten hosts that take a bundle, one without room for it and one that does not answer, deployed to at once."""
    folder = tmp_path_factory.mktemp("fleet")
    bundle = sendable(folder, SIZES)
    with ExitStack() as stack:
        hosts = [stack.enter_context(host("20.10", stopped=True)) for _ in range(COUNT + 1)]
        full, *good = hosts
        full.disk("/opt", size=16 << 20)
        config = folder / "ssh_config"
        config.write_text("".join(each.ssh_config.read_text() for each in hosts))
        names = [full.name, NOBODY, *(each.name for each in good)]
        yield Fleet(good, full, config, bundle, deployed(names, config, bundle, folder))


def deployed(names: Sequence[str], config: Path, bundle: Path, folder: Path) -> Ran:
    words = ["deploy", "--json", "--root", ROOT, "--ssh-config", str(config), "--bundle", str(bundle)]
    words += [word for name in names for word in ("--host", name)]
    argv = [sys.executable, "-S", "-c", MEASURE, str(folder / "out"), str(INVOKE), *words]
    with (folder / "err").open("wb") as err:
        usage = subprocess.run(argv, cwd=KIT, stdout=subprocess.PIPE, stderr=err, check=True).stdout
    hosts = json.loads((folder / "out").read_text())["hosts"]
    return Ran(hosts=hosts, told=(folder / "err").read_text(), **json.loads(usage))


def test_ten_hosts_get_the_whole_bundle_though_two_others_fail(fleet: Fleet) -> None:
    ends = {each["host"]: each["exit"] for each in fleet.ran.hosts}
    assert ends == {**{each.name: 0 for each in fleet.good}, fleet.full.name: 5, NOBODY: 6}, fleet.ran.told
    sums = {each.run(f"cat {ROOT}/{SERVED}").out for each in fleet.good}
    assert len(sums) == 1
    assert sums.pop().count("models/noise-") == len(SIZES)


def test_the_worst_end_is_the_exit_code_and_each_host_has_its_line(fleet: Fleet) -> None:
    assert fleet.ran.code == 6
    told = fleet.ran.told.splitlines()
    for each in fleet.ran.hosts:
        result = "done" if each["exit"] == 0 else f"failed with {each['exit']}"
        assert [line for line in told if line.startswith(f"{each['host']}: {result}, ")]


def test_what_goes_to_many_hosts_is_read_from_the_archive_and_staged_nowhere(fleet: Fleet) -> None:
    assert sum(each["bytes_sent"] for each in fleet.ran.hosts) > COUNT * sum(SIZES)
    assert fleet.ran.written < sum(SIZES) // 10


def test_the_memory_of_ten_transfers_is_bounded(fleet: Fleet) -> None:
    assert fleet.ran.peak <= 200_000_000
