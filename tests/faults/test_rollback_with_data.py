"""Upgrades 1, 2, 3 with rows written in each; the way back to 1 with its data and without, and killed on that way.

The backups are those that the deploys made. The hand-written scripts copied the database's files by hand (failure 11).
"""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.airgap.backups import holds, write
from tests.airgap.by_hand import ROOT, Operator, Releases
from tests.airgap.hosts import host
from tests.airgap.outside import docker_client
from tests.faults.test_killed_restores import KILL

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.timeout(900)

RELEASES = ("first", "app", "module")
ROWS = ("A", "B", "C")


@pytest.fixture(scope="module")
def operator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    with host("20.10") as standing:
        made = Operator(standing, Releases(tmp_path_factory.mktemp("upgrades")))
        for name, row in zip(RELEASES, ROWS, strict=True):
            done = made.deploy(name)
            assert done.code == 0, done.out
            write(made, row)
        yield made


def back(operator: Operator, *words: str) -> tuple[int, str]:
    """Roll back to the first release."""
    done = operator.script("rollback", "--to", operator.releases.id("first"), *words)
    return done.code, done.out


def test_nobody_is_left_to_guess_what_is_lost(operator: Operator) -> None:
    code, said = back(operator, "--with-data")
    assert code == 2, said
    assert "sys_user: 3 rows now, 1 in the backup: 2 written since are lost" in said
    assert "uploads: 2 files are new or changed" in said
    assert "add --yes" in said
    holds(operator, "A", "B", "C")


@pytest.mark.parametrize(
    ("step", "pause"),
    [("beside", 3.0), ("exchange", 0.1), ("exchange", 0.6), ("switch", 0.0), ("up", 1.0), ("up", 6.0), ("health", 0.3)],
)
def test_killed_on_the_way_the_next_command_brings_back_code_and_data(
    operator: Operator, step: str, pause: float
) -> None:
    command = f"exec bash {ROOT}/current/scripts/rollback.sh --to {operator.releases.id('first')} --with-data --yes"
    argv = [docker_client(), "exec", operator.host.name, "bash", "-c", command]
    operator.host.run(f"sed -i /^result=/d {ROOT}/state")
    kill = "pkill -KILL -f 'rollback[.]sh|docker-compos[e]'"
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as begun:
        script = KILL.format(action="rollback", step=step, root=ROOT, pause=pause, kill=kill)
        assert operator.host.run(script, check=False).code == 0, "the run was over before its moment"
        begun.wait(180)
    operator.host.run(f"flock --timeout 120 {ROOT}/lock true")
    done = operator.host.run(
        f"bash {ROOT}/releases/{operator.releases.id('module')}/scripts/restart.sh 2>&1", check=False
    )
    assert done.code == 0, done.out
    assert operator.current() == operator.releases.id("module")
    holds(operator, "A", "B", "C")
    operator.every_port_speaks()


def test_code_and_data_go_back_together(operator: Operator) -> None:
    code, said = back(operator, "--with-data", "--yes")
    assert code == 0, said
    assert operator.current() == operator.releases.id("first")
    holds(operator, "A")
    operator.every_port_speaks()


def test_without_data_the_rows_stay(operator: Operator) -> None:
    assert operator.deploy("app").code == 0
    write(operator, "D")
    code, said = back(operator, "--yes")
    assert code == 0, said
    assert operator.current() == operator.releases.id("first")
    holds(operator, "A", "D")


def test_a_release_of_another_database_is_refused_and_the_way_named(operator: Operator) -> None:
    other = operator.releases.id("app")
    facts = f"{ROOT}/releases/{other}/scripts/facts.tsv"
    for change, named in (
        ("mariadb\\t10.11/mariadb\\t10.6", "mariadb 10.6"),
        ("mariadb\\t10.11/mysql\\t8.0", "mysql 8.0"),
    ):
        operator.host.run(f"cp {facts} /root/facts && sed -i 's/{change}/' {facts}")
        done = operator.script("rollback", "--to", other, "--yes")
        operator.host.run(f"cp /root/facts {facts}")
        assert done.code == 5, done.out
        assert named in done.out
        assert "--with-data" in done.out
    holds(operator, "A", "D")


def test_without_a_backup_of_it_no_release_goes_back_with_data(operator: Operator) -> None:
    other = operator.releases.id("app")
    operator.host.run(
        f"mkdir /root/aside; cd {ROOT}/backups && grep -l 'release.{other}' */manifest.tsv | xargs -r dirname |"
        " xargs -r mv -t /root/aside"
    )
    done = operator.script("rollback", "--to", other, "--with-data", "--yes")
    assert (done.code, "No backup was made while release" in done.out) == (5, True), done.out
    holds(operator, "A", "D")
