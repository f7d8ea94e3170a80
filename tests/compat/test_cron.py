"""A backup every day where nobody but cron starts things: a real cron starts it, with as little as cron gives it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.airgap.by_hand import ROOT, Operator, Releases
from tests.airgap.hosts import host
from tests.engine import wait_until

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.timeout(600)


def test_cron_makes_the_backup_until_the_stack_is_uninstalled(tmp_path: Path) -> None:
    with host("20.10") as standing:
        operator = Operator(standing, Releases(tmp_path))
        assert operator.deploy("first").code == 0
        standing.run("cron")
        soon = standing.run("date -d '+70 seconds' +%H:%M").out.strip()
        done = operator.script("backup", "--schedule", soon)
        assert (done.code, "/etc/cron.d/mini-backup" in done.out) == (0, True), done.out
        told = operator.status()["backup"]
        assert (told["last"], told["schedule"]) == ("", soon)
        made = f"ls {ROOT}/backups/2*/manifest.tsv && flock --nonblock {ROOT}/lock true"
        wait_until(lambda: standing.run(made, check=False).code == 0, seconds=180, what="cron's backup, and its end")
        told = operator.status()["backup"]
        assert (told["stale"], told["schedule"]) == (False, soon)
        assert operator.script("uninstall", "--yes").code == 0
        assert standing.run("ls /etc/cron.d").out.split() == ["e2scrub_all"]
