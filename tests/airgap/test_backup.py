"""A backup on a real host with the oldest engine: made while the stack serves, whole, and told to whoever asks."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from offline.run import run
from tests.airgap.backups import back_up, upload
from tests.airgap.by_hand import ROOT, Operator, Releases
from tests.airgap.ssh_deploys import addressed, begun, task
from tests.engine import wait_until

if TYPE_CHECKING:
    from pathlib import Path

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


def test_a_backup_is_brought_home_and_goes_on_where_it_broke_off(operator: Operator, tmp_path: Path) -> None:
    operator.host.run(f"head -c 60000000 /dev/urandom >{ROOT}/shared/uploadfile/film.mp4")
    name, home = back_up(operator), tmp_path / "home"
    words = ("backup", "--fetch", str(home), *addressed(operator.host), "--root", ROOT)
    film = home / f".partial-{name}" / "uploads.tar.gz"
    with begun(*words):
        wait_until(lambda: film.is_file() and film.stat().st_size > 0, seconds=30, what="some of it to be here")
    there = film.stat().st_size
    assert not (home / name).exists()
    done = task(*words, "--json")
    assert done.code == 0, done.err
    assert (done.only["backup"], done.only["answer"]["folder"]) == (name, str(home / name))
    whole = sum(file.stat().st_size for file in (home / name).iterdir())
    assert done.only["answer"]["bytes_received"] <= whole - there
    sums = f"cd {ROOT}/backups/{name} && sha256sum *"
    assert run(["bash", "-c", f"cd {home}/{name} && sha256sum *"]).out == operator.host.run(sums).out


def test_a_schedule_needs_what_starts_it(operator: Operator) -> None:
    """This host has no systemd, and nothing starts its cron."""
    done = operator.script("backup", "--schedule", "02:00")
    assert (done.code, "Neither systemd nor cron runs here" in done.out) == (6, True), done.out
    assert operator.status()["backup"]["schedule"] == ""


def test_the_host_keeps_as_many_as_were_asked_for_once(operator: Operator) -> None:
    done = task("backup", *addressed(operator.host), "--root", ROOT, "--keep-last", "2", "--keep-daily", "0", "--json")
    assert done.code == 0, done.err
    second = back_up(operator)
    kept = operator.host.run(f"ls {ROOT}/backups").out.split()
    assert kept == [done.only["backup"], second]
