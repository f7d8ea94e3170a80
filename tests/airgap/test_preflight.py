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
    from tests.airgap.hosts import Host

KIT = Path(__file__).parents[2]
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
    """Failure 17: a port in use, a full disk, a wrong architecture were found half-way."""
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
