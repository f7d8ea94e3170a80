"""A backup on a real host with the oldest engine: made while the stack serves, whole, and told to whoever asks."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.airgap.backups import back_up, upload
from tests.airgap.by_hand import ROOT, Operator, Releases
from tests.airgap.ssh_deploys import addressed, task

if TYPE_CHECKING:
    from tests.airgap.hosts import Host


@pytest.fixture(scope="module")
def operator(standing: Host, tmp_path_factory: pytest.TempPathFactory) -> Operator:
    operator = Operator(standing, Releases(tmp_path_factory.mktemp("backup")))
    if not operator.current():
        done = operator.deploy("first")
        assert done.code == 0, done.out
    return operator


def test_a_backup_holds_what_the_stack_keeps(operator: Operator) -> None:
    operator.add_user("李雷")
    upload(operator, "sound.wav")
    users = len(operator.users())
    name = back_up(operator)
    manifest = json.loads(operator.host.run(f"cat {ROOT}/backups/{name}/manifest.json").out)
    rows = {table["table"]: table["rows"] for table in manifest["tables"]}
    assert rows["sys_user"] == users
    assert {member["name"] for member in manifest["members"]} == {"database", "redis", "data", "uploads"}
    assert "sound.wav" in {file["path"] for file in manifest["files"]}
    assert manifest["release"] == operator.current()


def test_the_task_names_the_backup(operator: Operator) -> None:
    done = task("backup", "--json", *addressed(operator.host), "--root", ROOT)
    assert done.code == 0, done.err
    assert operator.host.run(f"test -f {ROOT}/backups/{done.only['backup']}/manifest.tsv", check=False).code == 0
