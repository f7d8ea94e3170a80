"""What `offline-deploy.sh --check` finds on a real host: everything at once, and it changes nothing."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.airgap.hosts import Host

KIT = Path(__file__).parents[2]
MIB = 1 << 20
REDIS = "/opt/mini/shared/redis/data"
# Every way to make the host lack something that needs no more than a command, with the way back and the finding.
LACKS = {
    "port-8002": ("/usr/sbin/sshd -p 8002", "pkill -f 'sshd -p 8002'"),
    "subnet": ("ip route add blackhole 172.30.77.64/26", "ip route del blackhole 172.30.77.64/26"),
    "ip-forward": ("sysctl -qw net.ipv4.ip_forward=0", "sysctl -qw net.ipv4.ip_forward=1"),
    "iptables": ("mv /usr/sbin/iptables /root/", "mv /root/iptables /usr/sbin/"),
    "compose": ("mv /usr/bin/docker-compose /root/", "mv /root/docker-compose /usr/bin/"),
    "tools": ("mv /usr/bin/setsid /root/", "mv /root/setsid /usr/bin/"),
    "data-database": (
        "mkdir -p /opt/mini/shared/mysql/data/mysql && touch /opt/mini/shared/mysql/data/ibdata1",
        "rm -r /opt/mini",
    ),
    "data-redis": (
        f"mkdir -p {REDIS} && printf 'REDIS0012\\372\\011redis-ver\\0058.0.1' >{REDIS}/dump.rdb",
        "rm -rf /opt/mini",
    ),
}


@pytest.fixture(scope="module")
def checked(standing: Host, tmp_path_factory: pytest.TempPathFactory) -> Host:
    """A host with the mini bundle in /root/bundle."""
    output = tmp_path_factory.mktemp("preflight")
    done = subprocess.run(
        [Path(sys.executable).with_name("invoke"), "release", "--json", "--source", "examples/mini"],
        cwd=KIT,
        env={**os.environ, "OFFLINE_OUTPUT": str(output)},
        stdout=subprocess.PIPE,
        check=True,
    )
    standing.put(Path(json.loads(done.stdout)["bundle"]), "/root/bundle.tar.gz")
    standing.run("mkdir /root/bundle && tar -xzf /root/bundle.tar.gz -C /root/bundle --strip-components=1")
    return standing


@pytest.fixture
def images(checked: Host) -> Iterator[str]:
    """The content tag of an image that the engine has; gone after the test, with every container."""
    checked.run("tar -cf - -C /root/bundle/images . | docker load")
    yield checked.run(
        "awk -F '\\t' '$1 == \"image\" && $2 == \"redis\" { print $3 }' /root/bundle/scripts/facts.tsv"
    ).out.strip()
    checked.run("docker rm -f $(docker ps -aq); docker rmi -f $(docker image ls -q | sort -u)", check=False)


def check(host: Host) -> tuple[int, dict[str, str]]:
    """The code, and the refusals by id with their sentences."""
    done = host.run("/root/bundle/offline-deploy.sh --check --lang en", check=False)
    assert done.code in {0, 5}, done.err
    return done.code, dict(re.findall(r"^REFUSED \[([a-z0-9-]+)\] (.*)$", done.err, flags=re.MULTILINE))


def footprint(host: Host) -> str:
    """What a deploy would change."""
    return host.run(
        "docker ps -aq; docker image ls -q; docker network ls; find /opt /etc -printf '%p %s %T@\\n' | sort"
    ).out


def test_a_host_that_lacks_nothing(checked: Host) -> None:
    assert check(checked) == (0, {})


def test_everything_that_lacks_is_found_at_once_and_nothing_changes(checked: Host) -> None:
    try:
        for make, _ in LACKS.values():
            checked.run(make)
        before = footprint(checked)
        code, found = check(checked)
        assert (code, set(found)) == (5, set(LACKS))
        assert footprint(checked) == before
    finally:
        for _, undo in LACKS.values():
            checked.run(undo)
    assert "sshd (pid " in found["port-8002"]
    assert "route:* 172.30.77.64/26" in found["subnet"]
    assert "redis 8.0" in found["data-redis"]
    assert "holds data of mysql" in found["data-database"]
    assert check(checked) == (0, {})


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
    layers = "source /root/bundle/scripts/lib/facts.sh; source /root/bundle/scripts/lib/preflight-disk.sh"
    code = f"{layers}; FACTS=/root/bundle/scripts/facts.tsv; missing_layer_bytes"
    assert checked.run(code).out == "0"
    checked.run("docker rmi -f $(docker image ls -q | sort -u)")
    assert int(checked.run(code).out) > 700_000_000


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
