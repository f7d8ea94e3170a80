"""Data put back on each engine and each Compose: after a wipe, on another host, by parts, with and without the code."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from tests.airgap.backups import back_up, forget, holds, redis_keys, restore, uploads, write
from tests.airgap.by_hand import REDIS, ROOT, Operator, Releases
from tests.airgap.hosts import host
from tests.airgap.images import HOSTS
from tests.airgap.ssh_deploys import addressed, task

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.timeout(900)

ENGINES = [name for name, kind in HOSTS.items() if kind.engine]


@pytest.fixture(scope="module")
def releases(tmp_path_factory: pytest.TempPathFactory) -> Releases:
    return Releases(tmp_path_factory.mktemp("restore"))


@pytest.fixture(scope="module", params=ENGINES)
def operator(request: pytest.FixtureRequest, releases: Releases) -> Iterator[Operator]:
    with host(request.param) as standing:
        made = Operator(standing, releases)
        assert made.deploy("first").code == 0
        write(made, "A")
        yield made


@pytest.fixture(scope="module")
def backup(operator: Operator) -> str:
    return back_up(operator)


def test_after_everything_was_wiped_a_is_there_and_b_is_not(operator: Operator, backup: str) -> None:
    write(operator, "B")
    operator.host.run(f"docker rm --force $(docker ps --all --quiet) && mv {ROOT}/shared /root/wiped")
    done = restore(operator, backup)
    assert done.code == 0, done.out
    holds(operator, "A")
    operator.every_port_speaks()


def test_what_is_replaced_is_kept_and_named_until_it_is_told_to_go(operator: Operator, backup: str) -> None:
    write(operator, "B")
    done = restore(operator, backup)
    assert done.code == 0, done.out
    assert "sys_user: 2 rows now, 1 in the backup: 1 written since are lost" in done.out
    kept = next(path for path in operator.status()["set_aside"] if "uploadfile.before-restore" in path)
    assert operator.host.run(f"ls {kept}").out.split() == ["A", "B"]
    forget(operator)
    assert operator.host.run(f"test -e {kept}", check=False).code == 1
    holds(operator, "A")


def test_one_part_alone_leaves_the_others_as_they_are(operator: Operator, backup: str) -> None:
    write(operator, "B")
    done = restore(operator, backup, "--only", "uploads")
    assert done.code == 0, done.out
    assert (operator.users(), uploads(operator), redis_keys(operator)) == (["A", "B"], ["A"], ["A", "B"])
    done = restore(operator, backup, "--only", "database", "--only", "redis")
    assert done.code == 0, done.out
    holds(operator, "A")


def test_a_drill_passes_beside_the_stack_and_leaves_nothing(operator: Operator, backup: str) -> None:
    before = operator.host.run("docker ps --all --format '{{.ID}} {{.Names}}'").out
    done = operator.script("drill", backup)
    assert done.code == 0, done.out
    assert operator.host.run("docker ps --all --format '{{.ID}} {{.Names}}'").out == before
    assert operator.host.run("docker network ls --format '{{.Name}}' | grep beside", check=False).out == ""
    assert operator.status()["drill"]["backup"] == backup


def test_a_redis_with_an_append_only_file_gets_its_keys_and_goes_on_with_one(operator: Operator, backup: str) -> None:
    assert operator.deploy("redis-log").code == 0
    write(operator, "B")
    done = restore(operator, backup)
    assert done.code == 0, done.out
    holds(operator, "A")
    assert "yes" in operator.host.run(f"docker exec {REDIS} redis-cli config get appendonly").out
    operator.host.run(f"docker restart {REDIS}")
    holds(operator, "A")


def test_a_backup_of_a_newer_release_is_refused_by_the_older_one(operator: Operator) -> None:
    newer = back_up(operator)
    done = operator.script("rollback", "--yes")
    assert done.code == 0, done.out
    done = restore(operator, newer)
    assert (done.code, "is newer than the one in service" in done.out) == (5, True), done.out
    operator.every_port_speaks()


def test_a_backup_that_was_brought_to_another_host_gives_it_the_same_rows_and_uploads(
    releases: Releases, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        one, other = (Operator(stack.enter_context(host(ENGINES[0])), releases) for _ in range(2))
        for each in (one, other):
            assert each.deploy("first").code == 0
        write(one, "A")
        backup = back_up(one)
        fetched = task("backup", "--fetch", str(tmp_path), *addressed(one.host), "--root", ROOT)
        assert fetched.code == 0, fetched.err
        other.host.put(tmp_path / backup, "/root/brought")
        write(other, "C")
        done = restore(other, "/root/brought")
        assert done.code == 0, done.out
        holds(other, "A")
        other.every_port_speaks()
        secret = f"sed -n 's/^MYSQL_ROOT_PASSWORD=//p' {ROOT}/.env"
        assert one.host.run(secret).out != other.host.run(secret).out

        done = restore(other, "/root/brought", "--only", "data")
        assert done.code == 0, done.out
        other.host.run(f"sed -i \"s/secret: .*/secret: 'of another database'/\" {ROOT}/shared/data/.config.yaml")
        done = restore(other, "/root/brought", "--only", "database")
        assert (done.code, "would not match the restored database" in done.out) == (6, True), done.out
        holds(other, "A")
