"""A stack laid out by hand as the seed does it, taken over: its rows are served, its folder stays as it is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.airgap.by_hand import DB, REDIS, ROOT, SERVER, WEB, Operator, Releases
from tests.airgap.hosts import host
from tests.engine import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

OLD = "/root/xiaozhi-old"
SUMS = f"cd {OLD} && find . -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum"


def compose_file(text: str) -> str:
    """The release's own compose file as people write it: relative binds, the password 123456, mutable tags."""
    text = re.sub(r"\$\{STACK_ROOT:\?\}/(shared|payload/[^/]*)/", "./", text)
    text = re.sub(r'image: "mini/(\w+):.*"', r'image: "old-\1:custom"', text)
    return text.replace("${MYSQL_ROOT_PASSWORD:?}", "123456").replace("172.30.77", "172.30.78")


def lay_out_by_hand(operator: Operator) -> None:
    """Folders for everyone to write, fixed container names; the secret is copied by hand."""
    folder = operator.unpack("first")
    run = operator.host.run
    folders = "data plugins_func memory intent models docker-config uploadfile mysql redis"
    run(f"tar -cf - -C {folder}/images . | docker load && mkdir {OLD} && cd {folder} && cp -r {folders} {OLD}/")
    run(f"cd {OLD} && chmod -R 777 mysql redis uploadfile")
    for tag in run("docker image ls --format '{{.Repository}}:{{.Tag}}' 'mini/*'").out.split():
        run(f"docker tag {tag} old-{tag.removeprefix('mini/').partition(':')[0]}:custom")
    text = run(f"cat {folder}/docker-compose-offline.yml").out
    operator.host.put(compose_file(text).encode(), f"{OLD}/docker-compose.yml")
    run(f"cd {OLD} && docker-compose up -d {DB} {REDIS} {WEB}")
    wait_until(lambda: operator.http("GET", "8002/xiaozhi/health")["status"] == 200, seconds=120, what="the old web")
    query = "select param_value from sys_params where param_code = 'server.secret'"
    secret = run(
        f'docker exec -e MYSQL_PWD=123456 {DB} mariadb -N -h 127.0.0.1 -u root xiaozhi_esp32_server -e "{query}"'
    ).out
    config = f"manager-api:\n  url: http://{WEB}:8002/xiaozhi\n  secret: {secret.strip()}\nmine: true\n"
    operator.host.put(config.encode(), f"{OLD}/data/.config.yaml")
    run(f"cd {OLD} && docker-compose up -d")
    wait_until(lambda: operator.http("GET", "8003/health")["status"] == 200, seconds=120, what="the old server")
    operator.add_user("老用户")
    assert operator.http("POST", "8002/xiaozhi/upload/a.txt", {"x": 1})["status"] == 201


@pytest.fixture(scope="module")
def operator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    with host("20.10") as standing:
        made = Operator(standing, Releases(tmp_path_factory.mktemp("adopt")))
        lay_out_by_hand(made)
        yield made


def test_without_the_option_the_old_stack_is_named_and_nothing_changes(operator: Operator) -> None:
    done = operator.deploy("app")
    assert (done.code, "--adopt" in done.out) == (5, True), done.out
    assert operator.users() == ["老用户"]


def test_a_release_that_fails_brings_the_old_stack_back(operator: Operator) -> None:
    done = operator.deploy("exits", "--adopt", OLD)
    assert done.code == 7, done.out
    assert operator.names() == sorted([SERVER, WEB, DB, REDIS])
    wait_until(lambda: operator.http("GET", "8003/health")["status"] == 200, seconds=120, what="the old server")
    assert operator.users() == ["老用户"]
    operator.add_user("later")
    policies = operator.host.run("docker ps -q | xargs docker inspect --format '{{.HostConfig.RestartPolicy.Name}}'")
    assert set(policies.out.split()) == {"always"}


def test_a_good_one_serves_the_old_rows_uploads_config_and_password(operator: Operator) -> None:
    done = operator.deploy("app", "--adopt", OLD)
    assert done.code == 0, done.out
    assert operator.users() == ["老用户", "later"]
    assert operator.http("GET", "8002/xiaozhi/upload/a.txt")["status"] == 200
    assert "mine: true" in operator.host.run(f"cat {ROOT}/shared/data/.config.yaml").out
    assert "MYSQL_ROOT_PASSWORD=123456" in operator.host.run(f"cat {ROOT}/.env").out
    operator.every_port_speaks()


def test_the_old_folder_is_as_it_was_and_its_containers_are_put_aside(operator: Operator) -> None:
    before = operator.host.run(SUMS).out
    operator.add_user("new")
    assert operator.host.run(SUMS).out == before
    assert [name for name in operator.names() if name.endswith("-before-adoption")] == sorted(
        f"{name}-before-adoption" for name in (SERVER, WEB, DB, REDIS)
    )
    assert operator.host.run("docker image ls --quiet 'mini-adopted/*' | wc -l").out.strip() == "4"


def test_after_that_it_is_a_stack_like_any_other(operator: Operator) -> None:
    operator.host.reboot()
    wait_until(lambda: bool(operator.status()["healthy"]), seconds=120, what="a healthy stack")
    done = operator.deploy("first")
    assert done.code == 0, done.out
    assert operator.users() == ["老用户", "later", "new"]
