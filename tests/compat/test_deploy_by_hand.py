"""The life of a stack on each engine and each Compose: by hand, with nothing but the bundle."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.airgap.by_hand import DB, REDIS, ROOT, SERVER, WEB, Operator, Releases, containers
from tests.airgap.hosts import host
from tests.airgap.images import HOSTS
from tests.engine import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

ENGINES = [name for name, kind in HOSTS.items() if kind.engine]


@pytest.fixture(scope="module")
def releases(tmp_path_factory: pytest.TempPathFactory) -> Releases:
    return Releases(tmp_path_factory.mktemp("compat"))


@pytest.fixture(scope="module", params=ENGINES)
def operator(request: pytest.FixtureRequest, releases: Releases) -> Iterator[Operator]:
    with host(request.param) as standing:
        yield Operator(standing, releases)


def changed(operator: Operator, before: dict[str, str]) -> set[str]:
    after = containers(operator.host)
    return {name for name in after if after[name] != before.get(name)}


def test_a_first_deploy_serves(operator: Operator) -> None:
    done = operator.deploy("first")
    assert done.code == 0, done.out
    operator.every_port_speaks()
    operator.add_user("kept")


def test_the_same_again_restarts_nothing(operator: Operator) -> None:
    before = containers(operator.host)
    assert operator.deploy("first").code == 0
    assert changed(operator, before) == set()


def test_another_release_of_the_same_content_restarts_nothing(operator: Operator) -> None:
    before = containers(operator.host)
    done = operator.deploy("same")
    assert (done.code, operator.current()) == (0, operator.releases.id("same"))
    assert changed(operator, before) == set()


def test_an_app_release_replaces_the_server_alone(operator: Operator) -> None:
    before, code = containers(operator.host), operator.code()
    assert operator.deploy("app").code == 0
    assert changed(operator, before) == {SERVER}
    assert operator.code() != code


COMPOSES = ["docker-compose", "docker compose"]


def test_what_a_person_types_in_the_current_folder_makes_nothing_anew(operator: Operator) -> None:
    before = containers(operator.host)
    for compose in COMPOSES:
        typed = f"cd {ROOT}/current && {compose} -f docker-compose-offline.yml"
        if operator.host.run(f"{compose} version", check=False).code:
            continue
        operator.host.run(f"{typed} up -d")
        assert changed(operator, before) == set()
        assert all(name in operator.host.run(f"{typed} ps").out for name in (SERVER, WEB, DB, REDIS))
        assert "serving" in operator.host.run(f"{typed} logs {SERVER}").out
        operator.host.run(f"{typed} restart {REDIS}")
        assert changed(operator, before) == {REDIS}
        before = containers(operator.host)
    wait_until(lambda: bool(operator.status()["healthy"]), seconds=60, what="a healthy stack")


def test_an_edited_module_stays_live_through_a_release_that_ships_another(operator: Operator) -> None:
    module = f"{ROOT}/current/plugins_func/functions/get_time.py"
    operator.host.run(f"sed -i 's/现在是/北京时间/' {module}")
    assert [drift["path"] for drift in operator.status()["drift"]] == ["plugins_func/functions/get_time.py"]
    done = operator.deploy("other-module")
    assert done.code == 0, done.out
    assert "北京时间" in operator.host.run(f"cat {module}").out
    done = operator.deploy("module")
    assert done.code == 0, done.out
    assert "现在是" in operator.host.run(f"cat {module}").out
    kept = f"{ROOT}/drift/{operator.releases.id('module')}/{SERVER}/plugins_func/functions/get_time.py"
    assert kept in done.out
    assert "北京时间" in operator.host.run(f"cat {kept}").out


def test_three_releases_are_kept(operator: Operator) -> None:
    kept = operator.host.run(f"ls {ROOT}/releases").out.split()
    assert kept == [operator.releases.id(name) for name in ("app", "other-module", "module")]


def test_a_release_that_does_not_start_is_taken_back(operator: Operator) -> None:
    done = operator.deploy("exits")
    assert done.code == 7, done.out
    operator.every_port_speaks()
    assert operator.names() == sorted([SERVER, WEB, DB, REDIS])


def test_a_rollback_serves_the_former_release(operator: Operator) -> None:
    done = operator.script("rollback", "--to", operator.releases.id("app"), "--yes")
    assert done.code == 0, done.out
    assert operator.current() == operator.releases.id("app")
    operator.every_port_speaks()


def test_the_server_alone_serves_without_the_others_and_their_data_waits(operator: Operator) -> None:
    done = operator.deploy("app", "--mode", "single")
    assert done.code == 0, done.out
    assert operator.names() == [SERVER]
    assert operator.http("GET", "8003/health")["status"] == 200
    assert operator.status()["mode"] == "single"
    done = operator.deploy("app", "--mode", "all")
    assert done.code == 0, done.out
    assert operator.users() == ["kept"]


def test_a_bundle_of_the_server_alone_refuses_the_other_mode(operator: Operator) -> None:
    done = operator.deploy("single", "--mode", "all")
    assert (done.code, "[mode]" in done.out) == (5, True), done.out


def test_a_missing_container_and_a_strange_name_are_mended(operator: Operator) -> None:
    operator.host.run(f"docker rm --force {REDIS}; docker rename {DB} 0123456789ab_{DB}")
    done = operator.deploy("app")
    assert done.code == 0, done.out
    assert operator.names() == sorted([SERVER, WEB, DB, REDIS])
    assert operator.users() == ["kept"]


def test_the_stack_is_there_after_a_reboot(operator: Operator) -> None:
    operator.host.reboot()
    wait_until(lambda: bool(operator.status()["healthy"]), seconds=120, what="a healthy stack")
    assert operator.current() == operator.releases.id("app")


def test_restart_and_logs_speak_of_the_services_that_are_named(operator: Operator) -> None:
    before = containers(operator.host)
    assert operator.script("restart", SERVER).code == 0
    assert changed(operator, before) == {SERVER}
    assert "serving" in operator.script("logs", "--tail", "5", SERVER).out
    assert operator.script("restart", "nobody").code == 2


def test_while_no_engine_answers_the_stack_is_not_said_to_be_out_of_service(operator: Operator) -> None:
    operator.host.engine_down()
    done = operator.script("uninstall", "--yes")
    assert (done.code, "is still in service" in done.out) == (8, True), done.out
    assert operator.current() == operator.releases.id("app")
    operator.host.engine_up()
    wait_until(lambda: bool(operator.status()["healthy"]), seconds=120, what="a healthy stack")


def test_a_loaded_image_that_is_not_whole_is_caught_by_the_proof(operator: Operator) -> None:
    assert operator.script("uninstall", "--yes").code == 0
    assert operator.names() == []
    operator.host.run("docker image ls --quiet | sort -u | xargs docker image rm --force")
    folder = operator.unpack("app")
    lacking = operator.host.run(
        f"awk -F '\\t' '$1 == \"layer\" && $2 == \"server\" {{ print $5 }}' {folder}/scripts/facts.tsv"
    )
    blob = f"images/blobs/sha256/{lacking.out.split()[-1].removeprefix('sha256:')}"
    operator.host.run(
        f"cp -r {folder} {folder}-cut && cd {folder}-cut && rm {blob} && sed -i '\\| {blob}$|d' SHA256SUMS &&"
        f" printf 'blob\\tsha256:%s\\there\\n' {blob.rpartition('/')[2]} >omitted.tsv &&"
        " sha256sum omitted.tsv >>SHA256SUMS && sort -k 2 -o SHA256SUMS SHA256SUMS"
    )
    refused = operator.at(f"{folder}-cut")
    assert (refused.code, "[omitted]" in refused.out) == (5, True), refused.out
    past_it = f"sed -i 's/^    preflight_omitted$//' offline-deploy.sh && {_reseal('offline-deploy.sh')}"
    operator.host.run(f"cd {folder}-cut && {past_it}")
    done = operator.at(f"{folder}-cut")
    assert done.code == 6, done.out
    assert operator.names() == []
    assert operator.deploy("app").code == 0
    assert operator.users() == ["kept"]


def _reseal(name: str) -> str:
    return f'sum=$(sha256sum {name}) && sed -i "s/.* {name}$/$sum/" SHA256SUMS'
