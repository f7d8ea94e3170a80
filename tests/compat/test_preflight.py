"""What the preflight asks of an engine, held to what each engine and image store answers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.airgap.hosts import host
from tests.airgap.images import HOSTS
from tests.airgap.test_preflight import check, checked, test_a_host_that_lacks_nothing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.airgap.hosts import Host

__all__ = ["checked", "test_a_host_that_lacks_nothing"]
MIB = 1 << 20


@pytest.fixture(scope="module", params=[name for name, kind in HOSTS.items() if kind.engine])
def standing(request: pytest.FixtureRequest) -> Iterator[Host]:
    """A host of each kind in turn."""
    with host(request.param) as started:
        yield started


@pytest.fixture
def images(checked: Host) -> Iterator[str]:
    """The content tag of an image that the engine has; gone after the test, with every container."""
    checked.run("tar -cf - -C /root/bundle/images . | docker load")
    yield checked.run(
        "awk -F '\\t' '$1 == \"image\" && $2 == \"redis\" { print $3 }' /root/bundle/scripts/facts.tsv"
    ).out.strip()
    checked.run("docker rm -f $(docker ps -aq); docker rmi -f $(docker image ls -q | sort -u)", check=False)


def test_an_engine_that_is_down(checked: Host) -> None:
    checked.engine_down()
    try:
        code, found = check(checked)
    finally:
        checked.engine_up()
    assert (code, set(found)) == (5, {"engine"})
    assert "systemctl start docker" in found["engine"]


def test_containers_of_another_stack_by_name_and_by_port(checked: Host, images: str) -> None:
    checked.run(
        f"docker run -d --name xiaozhi-esp32-server-db {images} && docker run -d --name other -p 8003:6379 {images}"
    )
    code, found = check(checked)
    assert (code, set(found)) == (5, {"container-xiaozhi-esp32-server-db", "port-8003"})
    assert "container other" in found["port-8003"]


def test_a_network_of_the_engine_in_the_stacks_subnet(checked: Host) -> None:
    checked.run("docker network create --subnet 172.30.77.0/28 theirs")
    try:
        code, found = check(checked)
    finally:
        checked.run("docker network rm theirs")
    assert (code, set(found)) == (5, {"subnet"})
    assert "docker-network:theirs 172.30.77.0/28." in found["subnet"]


def test_layers_that_are_there_need_no_room(checked: Host, images: str) -> None:
    assert images
    library = "for part in facts preflight-disk preflight-engine; do source /root/bundle/scripts/lib/$part.sh; done"
    code = f"{library}; FACTS=/root/bundle/scripts/facts.tsv; missing_layer_bytes"
    assert checked.run(code).out == "0 0\n"
    checked.run("docker rmi -f $(docker image ls -q | sort -u)")
    unpacked, coming = map(int, checked.run(code).out.split())
    assert unpacked > 700_000_000
    assert coming == unpacked  # no engine was asked for its kind of store, and a classic one needs more


def test_full_disks_with_the_missing_amount(checked: Host) -> None:
    checked.disk("/opt", size=64 * MIB)
    checked.disk("/var/lib/docker", size=512 * MIB)
    try:
        code, found = check(checked)
    finally:
        checked.engine_down()
        checked.run("umount /var/lib/docker && umount /opt")
        checked.engine_up()
    assert (code, set(found)) == (5, {"disk-engine", "disk-root"})
    assert re.search(r"on /var/lib/docker .* GB needed, .* missing.*data-root", found["disk-engine"])
    assert re.search(r"on /opt .* MB missing.*--root", found["disk-root"])
