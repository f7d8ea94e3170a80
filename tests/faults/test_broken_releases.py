"""Releases that fail on a host: the former one serves again, and a row written meanwhile is still there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.airgap.by_hand import DB, REDIS, ROOT, SERVER, WEB, Operator, Releases, containers
from tests.airgap.hosts import host

if TYPE_CHECKING:
    from collections.abc import Iterator

    from offline.run import Result


@pytest.fixture(scope="module")
def releases(tmp_path_factory: pytest.TempPathFactory) -> Releases:
    return Releases(tmp_path_factory.mktemp("broken"))


@pytest.fixture(scope="module")
def operator(releases: Releases) -> Iterator[Operator]:
    with host("20.10") as standing:
        made = Operator(standing, releases)
        # The first of all fails: there is nothing to go back to.
        done = made.deploy("sick")
        assert done.code == 6, done.out
        yield made


def serves_as_before(operator: Operator, done: Result, row: str) -> None:
    assert done.code == 7, done.out
    assert operator.current() == operator.releases.id("first")
    operator.every_port_speaks()
    assert row in operator.users()
    assert operator.names() == sorted([SERVER, WEB, DB, REDIS])


def test_a_first_deploy_that_fails_leaves_the_stack_stopped_and_its_data(operator: Operator) -> None:
    assert operator.host.run("docker ps --quiet").out == ""
    assert operator.current() == ""
    assert operator.host.run(f"test -e {ROOT}/shared/mysql/data/ibdata1").code == 0
    done = operator.deploy("first")
    assert done.code == 0, done.out
    operator.add_user("before")


def test_one_that_listens_but_is_not_well(operator: Operator) -> None:
    """Failure 12: success was printed after `sleep 5`, whatever had started."""
    operator.add_user("sick")
    done = operator.deploy("sick")
    serves_as_before(operator, done, "sick")
    assert f"{SERVER} does not work" in done.out
    assert operator.host.run(f"test -s {ROOT}/logs/{operator.releases.id('sick')}-{SERVER}.log").code == 0


def test_one_whose_compose_file_is_refused(operator: Operator) -> None:
    folder = operator.unpack("app")
    operator.host.run(
        f"cp -r {folder} {folder}-bad && cd {folder}-bad && sed -i 's/restart: always/restarts: often/' *.yml &&"
        ' sum=$(sha256sum docker-compose-offline.yml) && sed -i "s/.* docker-compose-offline.yml$/$sum/" SHA256SUMS'
    )
    operator.add_user("compose")
    serves_as_before(operator, operator.at(f"{folder}-bad"), "compose")
    operator.host.run(f"rm -rf {folder}-bad {ROOT}/releases/{operator.releases.id('app')}")


def test_one_whose_port_is_taken(operator: Operator) -> None:
    operator.host.run("docker run --detach --name other --network host --entrypoint redis-server "
                      "$(docker image ls --quiet mini/redis | head -n 1) --port 8009 --protected-mode no")  # fmt: skip
    try:
        refused = operator.deploy("ports")
        assert (refused.code, "port-8009" in refused.out) == (5, True), refused.out
        operator.add_user("port")
        done = operator.deploy("ports", "--accept", "port-8009")
    finally:
        operator.host.run("docker rm --force --volumes other")
    serves_as_before(operator, done, "port")
    assert "accepted\tport-8009" in operator.host.run(f"cat {ROOT}/audit.log").out


def test_a_disk_that_is_full_while_files_are_laid_out(operator: Operator) -> None:
    operator.add_user("full")
    folder = operator.unpack("module")
    free = int(operator.host.run(f"df -P -B 1 {ROOT} | awk 'NR == 2 {{ print $4 }}'").out)
    assert free > 0
    operator.host.run(f"mount -t tmpfs -o size=64k,nr_inodes=20 tmpfs {ROOT}/payload", check=True)
    try:
        done = operator.at(folder)
    finally:
        operator.host.run(f"umount {ROOT}/payload")
    assert done.code == 7, done.out
    again = operator.at(folder, "--check")
    assert again.code == 0
    operator.every_port_speaks()
    assert "full" in operator.users()


@pytest.mark.parametrize(
    ("harm", "reason"),
    [
        ("printf x | dd of=images/blobs/sha256/$BLOB bs=1 seek=1000 conv=notrunc status=none", "changed"),
        ("truncate --size -1 images/blobs/sha256/$BLOB", "changed"),
        ("rm images/blobs/sha256/$BLOB", "missing"),
        ("touch scripts/more.sh", "extra"),
        ("sed -i '1s|  .*|  ../evil|' SHA256SUMS", "unsafe"),
        ("ln -sf /etc/passwd README.txt", "notfile"),
    ],
)
def test_a_damaged_bundle_is_refused_before_anything_happens(operator: Operator, harm: str, reason: str) -> None:
    folder = operator.unpack("app")
    before, state = containers(operator.host), operator.state()
    operator.host.run(
        f"cp -r {folder} /root/harmed && cd /root/harmed && BLOB=$(ls -S images/blobs/sha256 | head -n 1); {harm}"
    )
    done = operator.at("/root/harmed")
    operator.host.run("rm -rf /root/harmed")
    assert (done.code, f"bad\t{reason}\t" in done.out) == (3, True), done.out
    assert (containers(operator.host), operator.state()) == (before, state)


def test_an_engine_whose_disk_is_full_takes_no_images_and_nothing_happens(releases: Releases) -> None:
    with host("20.10") as small:
        small.disk("/var/lib/docker", size=300_000_000)
        operator = Operator(small, releases)
        refused = operator.deploy("first")
        assert (refused.code, "[disk-engine]" in refused.out) == (5, True), refused.out
        done = operator.deploy("first", "--accept", "disk-engine", "--accept", "inodes-engine")
        assert done.code == 6, done.out
        assert "Failed before anything was changed" in done.out
        assert (operator.names(), operator.current()) == ([], "")
