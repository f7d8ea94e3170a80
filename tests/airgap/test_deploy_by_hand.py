"""By hand on a real host with the oldest engine: `tar -xzf`, then the script. The tests build on each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.airgap.by_hand import DB, REDIS, ROOT, SERVER, WEB, Operator, Releases, containers
from tests.engine import wait_until

if TYPE_CHECKING:
    from tests.airgap.hosts import Host


@pytest.fixture(scope="module")
def operator(standing: Host, tmp_path_factory: pytest.TempPathFactory) -> Operator:
    return Operator(standing, Releases(tmp_path_factory.mktemp("by-hand")))


def test_looking_only_changes_nothing(operator: Operator) -> None:
    done = operator.deploy("first", "--check")
    assert (done.code, "This host is fit" in done.out) == (0, True)
    assert operator.host.run(f"test -e {ROOT}", check=False).code == 1


def test_a_first_deploy_on_a_bare_host_serves_on_every_port(operator: Operator) -> None:
    done = operator.deploy("first")
    assert done.code == 0, done.out
    assert operator.current() == operator.releases.id("first")
    operator.every_port_speaks()
    operator.add_user("王小明")


def test_no_secret_is_shown_and_each_is_made_by_the_host(operator: Operator) -> None:
    settings = dict(line.split("=", 1) for line in operator.host.run(f"cat {ROOT}/.env").out.splitlines())
    secret = settings["MYSQL_ROOT_PASSWORD"]
    assert (len(secret), secret.isalnum()) == (32, True)
    made = operator.host.run(f"sed -n \"s/^ *secret: '\\(.*\\)'/\\1/p\" {ROOT}/shared/data/.config.yaml").out.strip()
    assert len(made) == 36
    for hidden in (secret, made):
        assert operator.host.run(f"grep -r {hidden} {ROOT}/logs {ROOT}/state {ROOT}/audit.log", check=False).code == 1


def test_folders_have_the_owner_and_mode_that_the_release_says_whatever_the_umask(operator: Operator) -> None:
    """Failure 9: `chmod 777` on the folders of the database."""
    found = operator.host.run(
        f"cd {ROOT} && stat -c '%n %u:%g %a' .env shared/* shared/*/data shared/data/.config.yaml"
    )
    assert dict(line.split(" ", 1) for line in found.out.splitlines()) == {
        ".env": "0:0 600",
        "shared/data": "0:0 700",
        "shared/mysql": "0:0 755",
        "shared/redis": "0:0 755",
        "shared/uploadfile": "0:0 755",
        "shared/mysql/data": "999:999 700",
        "shared/redis/data": "999:999 750",
        "shared/data/.config.yaml": "0:0 600",
    }
    assert operator.host.run(f"find {ROOT} -perm -0002 ! -type l").out == ""


def test_the_seeds_own_commands_work_in_the_current_folder(operator: Operator) -> None:
    compose = f"cd {ROOT}/current && docker-compose -f docker-compose-offline.yml"
    listed = operator.host.run(f"{compose} ps").out
    assert all(name in listed for name in (SERVER, WEB, DB, REDIS))
    assert "serving" in operator.host.run(f"{compose} logs {SERVER}").out
    operator.host.run(f"{compose} restart {SERVER}")
    wait_until(lambda: operator.http("GET", "8003/health")["status"] == 200, seconds=60, what="the server")


def test_the_same_bundle_again_restarts_nothing(operator: Operator) -> None:
    before = containers(operator.host)
    done = operator.deploy("first")
    assert (done.code, "has every image already" in done.out) == (0, True), done.out
    assert containers(operator.host) == before


def test_an_app_release_replaces_the_server_alone(operator: Operator) -> None:
    before, code = containers(operator.host), operator.code()
    done = operator.deploy("app")
    assert done.code == 0, done.out
    after = containers(operator.host)
    assert {name for name in after if after[name] != before.get(name)} == {SERVER}
    assert operator.code() != code
    assert operator.status()["healthy"] is True


def test_a_release_that_does_not_start_is_taken_back_and_no_row_is_lost(operator: Operator) -> None:
    code = operator.code()
    operator.add_user("李雷")
    done = operator.deploy("exits")
    assert done.code == 7, done.out
    assert "made to fail" in done.out
    assert operator.current() == operator.releases.id("app")
    assert operator.code() == code
    assert operator.users() == ["王小明", "李雷"]
    operator.every_port_speaks()
    assert operator.names() == sorted([SERVER, WEB, DB, REDIS])
    assert operator.state()["result"] == "returned"


def test_rolling_back_to_what_is_not_there_lists_what_is(operator: Operator) -> None:
    done = operator.script("rollback", "--to", "20200101-000000", "--yes")
    assert (done.code, operator.releases.id("first") in done.out) == (2, True)


def test_a_rollback_serves_the_former_code_and_the_same_rows(operator: Operator) -> None:
    """Failures 10 and 11: no image to go back to, and data files copied by hand for an upgrade."""
    before, code = containers(operator.host), operator.code()
    done = operator.script("rollback", "--yes")
    assert done.code == 0, done.out
    assert operator.current() == operator.releases.id("first")
    assert operator.code() != code
    assert {name for name, is_now in containers(operator.host).items() if is_now != before[name]} == {SERVER}
    assert operator.users() == ["王小明", "李雷"]


def test_after_a_reboot_the_stack_comes_back_by_itself(operator: Operator) -> None:
    operator.host.reboot()
    wait_until(lambda: bool(operator.status()["healthy"]), seconds=120, what="a healthy stack")
    assert operator.status()["release"] == operator.releases.id("first")
    assert operator.users() == ["王小明", "李雷"]


def test_who_did_what_is_written_down(operator: Operator) -> None:
    lines = [line.split("\t") for line in operator.host.run(f"cat {ROOT}/audit.log").out.splitlines()]
    assert {(line[1], line[2]) for line in lines} == {("root", "local")}
    ended = [(line[3], line[4], line[5]) for line in lines if line[5] != "all"]
    first, app, exits = (operator.releases.id(name) for name in ("first", "app", "exits"))
    assert ended == [
        ("deploy", first, "done"),
        ("deploy", first, "done"),
        ("deploy", app, "done"),
        ("deploy", exits, "returned"),
        ("rollback", first, "done"),
    ]
