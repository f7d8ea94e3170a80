"""A is there, B is not: everything wiped, and a backup brings back every row, upload and key; on the oldest engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.airgap.backups import back_up, holds, restore, write
from tests.airgap.by_hand import ROOT, Operator, Releases

if TYPE_CHECKING:
    from tests.airgap.hosts import Host


@pytest.fixture(scope="module")
def operator(standing: Host, tmp_path_factory: pytest.TempPathFactory) -> Operator:
    return Operator(standing, Releases(tmp_path_factory.mktemp("restore")))


def test_after_everything_was_wiped_a_is_there_and_b_is_not(operator: Operator) -> None:
    """Failure 14: nothing could put a backup back."""
    assert operator.deploy("first").code == 0
    write(operator, "A")
    backup = back_up(operator)
    write(operator, "B")
    secret = operator.host.run(f"grep secret {ROOT}/shared/data/.config.yaml").out
    operator.host.run(f"docker rm --force $(docker ps --all --quiet) && mv {ROOT}/shared /root/wiped")
    done = restore(operator, backup)
    assert done.code == 0, done.out
    holds(operator, "A")
    operator.every_port_speaks()
    assert operator.host.run(f"grep secret {ROOT}/shared/data/.config.yaml").out == secret
    assert operator.status()["healthy"] is True


def test_a_drill_touches_nothing_and_is_remembered(operator: Operator) -> None:
    before = operator.host.run("docker ps --all --format '{{.ID}} {{.Names}}'").out
    done = operator.script("drill")
    assert done.code == 0, done.out
    assert operator.host.run("docker ps --all --format '{{.ID}} {{.Names}}'").out == before
    assert operator.host.run(f"test -e {ROOT}/.beside", check=False).code == 1
    assert operator.status()["drill"]["backup"] == operator.host.run(f"ls {ROOT}/backups").out.strip()
