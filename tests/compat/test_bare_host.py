"""A host with systemd and no Docker, given a bundle that brings an engine: nothing else is there to install from."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests import enginefiles
from tests.airgap.hosts import host
from tests.engine import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from offline.run import Result
    from tests.airgap.hosts import Host

KIT = Path(__file__).parents[2]
HOME = "/usr/local/lib/docker-engine"
INSTALL = "/root/bundle/install-docker-centos.sh"
# Starts as an engine does when it is asked for its version, and then never serves.
BROKEN = (
    b'#!/bin/sh\ncase "$1" in --version) echo "Docker version 99" ;; *) echo "broken on purpose" >&2; exit 1 ;; esac\n'
)
UNINSTALL = f"""
if pgrep -x dockerd; then docker ps -aq | xargs -r docker rm -f; fi; rm -rf /opt/mini
if systemctl cat docker >/dev/null 2>&1; then systemctl stop docker; systemctl disable docker; fi
rm -rf {HOME} /usr/bin/docker /usr/bin/docker-compose /usr/local/lib/docker /etc/docker
rm -f /etc/systemd/system/docker.service
systemctl daemon-reload; systemctl reset-failed
"""


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release of mini with an engine."""
    folder = tmp_path_factory.mktemp("bare")
    environment = {"OFFLINE_ENGINE": enginefiles.section(folder), "OFFLINE_OUTPUT": str(folder / "dist")}
    invoke = Path(sys.executable).with_name("invoke")
    done = subprocess.run(
        [invoke, "release", "--json", "--source", "examples/mini"],
        cwd=KIT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        check=True,
    )
    return Path(json.loads(done.stdout)["bundle"])


@pytest.fixture(scope="module")
def unpacked(bundle: Path) -> Iterator[Host]:
    """A host with the bundle in /root/bundle."""
    with host("none-systemd") as standing:
        standing.put(bundle, "/root/bundle.tar.gz")
        standing.run("mkdir /root/bundle && tar -xzf /root/bundle.tar.gz -C /root/bundle --strip-components=1")
        yield standing


@pytest.fixture
def bare(unpacked: Host) -> Host:
    """The same host with no engine on it."""
    unpacked.run(UNINSTALL)
    return unpacked


def other_bundle(bare: Host, folder: str, tarball: Path) -> None:
    """A second bundle on the host, sealed as the kit would, with another tarball of the engine."""
    bare.run(f"rm -rf {folder} && mkdir {folder} && cd /root/bundle && cp -r engine scripts *.sh SHA256SUMS {folder}")
    bare.put(tarball, f"{folder}/engine/docker.tgz")
    sealed = f"""
        cd {folder}
        sum=$(sha256sum <engine/docker.tgz)
        sed -i "s|^engine_file\\tdocker.tgz\\t.*|engine_file\\tdocker.tgz\\t${{sum%% *}}|" scripts/facts.tsv
        sum=$(sha256sum <scripts/facts.tsv)
        sed -i "s|^.*  scripts/facts.tsv$|${{sum%% *}}  scripts/facts.tsv|" SHA256SUMS
    """
    bare.run(sealed)


def install(bare: Host, *words: str, folder: str = "/root/bundle") -> Result:
    return bare.run(f"{folder}/install-docker-centos.sh --lang en {' '.join(words)}", check=False)


def changes(bare: Host) -> str:
    """Everything that an installation touches, with sizes and times."""
    places = "/usr/bin /usr/local /etc/docker /etc/systemd /etc/group"
    return bare.run(f"find {places} -printf '%p %s %T@ %l\\n' 2>/dev/null | sort", check=False).out


def in_service(bare: Host) -> str:
    """The engine's version, as a person asks it, over sudo's PATH."""
    return bare.run("sudo docker info --format '{{.ServerVersion}}'").out.strip()


def test_engine_and_compose_are_installed_and_stay_after_a_reboot(bare: Host) -> None:
    """Failure 8: the "offline" installer of the engine needed yum and the internet."""
    done = install(bare)
    assert done.code == 0, done.err
    assert in_service(bare).startswith(enginefiles.version())
    assert bare.run("docker compose version --short && docker-compose version --short").out == "2.40.3\n2.40.3\n"
    assert bare.run("getent group docker").out
    settings = json.loads(bare.run("cat /etc/docker/daemon.json").out)
    assert settings["log-opts"]["max-size"] == "20m"
    pool = settings["default-address-pools"][0]["base"]
    assert bare.run("docker network inspect bridge").out.count(pool.rsplit(".", 2)[0]) >= 1
    bare.reboot()
    bare.await_engine()


def test_a_second_run_changes_nothing(bare: Host) -> None:
    assert install(bare).code == 0
    before = changes(bare), bare.run("pgrep -x dockerd").out
    assert install(bare).code == 0
    assert (changes(bare), bare.run("pgrep -x dockerd").out) == before


def test_a_changed_byte_is_found_before_anything_is_touched(bare: Host, tmp_path: Path) -> None:
    other_bundle(bare, "/root/other", enginefiles.assemble(tmp_path))
    bare.run("printf x >>/root/other/engine/docker-compose")
    before = changes(bare)
    done = install(bare, folder="/root/other")
    assert (done.code, changes(bare)) == (3, before)
    assert "engine/docker-compose: missing, or not as it was released" in done.err


@pytest.mark.parametrize(
    ("make", "undo", "words"),
    [
        (
            "printf '#!/bin/sh\\necho podman version 4.9.4\\n' >/usr/bin/docker; chmod +x /usr/bin/docker",
            "rm /usr/bin/docker",
            "podman-docker is installed",
        ),
        (
            "printf '#!/bin/sh\\necho Docker version 18.09.1\\n' >/usr/bin/dockerd; chmod +x /usr/bin/dockerd",
            "rm /usr/bin/dockerd",
            "Another Docker engine is here: /usr/bin/dockerd",
        ),
        ("mv /usr/sbin/iptables /root/iptables", "mv /root/iptables /usr/sbin/iptables", "There is no iptables"),
    ],
)
def test_what_speaks_against_it_is_named_and_nothing_changes(bare: Host, make: str, undo: str, words: str) -> None:
    bare.run(make)
    try:
        before = changes(bare)
        done = install(bare)
        assert (done.code, changes(bare)) == (5, before)
    finally:
        bare.run(undo)
    assert words in done.err


def test_an_engine_that_does_not_start_leaves_nothing(bare: Host, tmp_path: Path) -> None:
    other_bundle(bare, "/root/other", enginefiles.assemble(tmp_path, instead={"dockerd": BROKEN}))
    done = install(bare, folder="/root/other")
    assert done.code == 6
    assert "broken on purpose" in done.err
    left = f"ls -d {HOME} /usr/bin/docker* /etc/docker/* /etc/systemd/system/docker.service 2>/dev/null"
    assert not bare.run(left, check=False).out
    assert install(bare).code == 0


def test_an_upgrade_replaces_the_engine_and_needs_to_be_asked_for(bare: Host, tmp_path: Path) -> None:
    assert install(bare).code == 0
    other_bundle(bare, "/root/other", enginefiles.assemble(tmp_path))
    before = changes(bare)
    refused = install(bare, folder="/root/other")
    assert (refused.code, changes(bare)) == (5, before)
    former = bare.run(f"readlink {HOME}/current").out
    assert install(bare, "--upgrade", folder="/root/other").code == 0
    assert bare.run(f"readlink {HOME}/former").out == former != bare.run(f"readlink {HOME}/current").out
    assert in_service(bare)


def test_an_upgrade_to_an_engine_that_does_not_start_brings_the_former_back(bare: Host, tmp_path: Path) -> None:
    assert install(bare).code == 0
    former = bare.run(f"readlink {HOME}/current").out
    other_bundle(bare, "/root/other", enginefiles.assemble(tmp_path, instead={"dockerd": BROKEN}))
    done = install(bare, "--upgrade", folder="/root/other")
    assert done.code == 7
    assert "broken on purpose" in done.err
    assert bare.run(f"readlink {HOME}/current").out == former
    assert in_service(bare).startswith(enginefiles.version())


# When to kill: each is true for a while on the way.
MOMENTS = {
    "unpacking": f"test -d {HOME}/.staging/docker",
    "release whole": f"test -d {HOME}/2*",
    "settings written": "test -f /etc/docker/daemon.json",
    "unit written": "test -f /etc/systemd/system/docker.service",
    "switched": f"test -L {HOME}/current",
    "daemon starting": "pgrep -x dockerd",
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_anywhere_a_second_run_finishes(bare: Host, moment: str) -> None:
    kill_at(bare, MOMENTS[moment], "")
    done = install(bare)
    assert done.code == 0, done.err
    assert in_service(bare)
    assert not bare.run(f"ls -d {HOME}/.[a-z]* /etc/docker/*.new", check=False).out


def test_an_upgrade_killed_after_the_switch_is_finished_or_taken_back(bare: Host, tmp_path: Path) -> None:
    assert install(bare).code == 0
    former = bare.run(f"readlink {HOME}/current").out
    other_bundle(bare, "/root/other", enginefiles.assemble(tmp_path))
    switched = f'test "$(readlink {HOME}/current)" != "$(readlink {HOME}/proved)"'
    kill_at(bare, switched, "--upgrade", folder="/root/other")
    assert install(bare).code == 0, "the old bundle's own engine goes back into service"
    assert bare.run(f"readlink {HOME}/current").out == former
    kill_at(bare, switched, "--upgrade", folder="/root/other")
    assert install(bare, folder="/root/other").code == 5, "the upgrade was not asked for again"
    assert bare.run(f"readlink {HOME}/current").out == former
    kill_at(bare, switched, "--upgrade", folder="/root/other")
    assert install(bare, "--upgrade", folder="/root/other").code == 0
    assert bare.run(f"readlink {HOME}/current").out != former
    assert in_service(bare)


def kill_at(bare: Host, moment: str, words: str, *, folder: str = "/root/bundle") -> None:
    """Start an installation in a session of its own and kill all of it at a moment; the engine is not of it."""
    bare.run(
        f"setsid bash -c '{folder}/install-docker-centos.sh {words}' >/root/log 2>&1 </dev/null & echo $! >/root/pid"
    )
    end = f"until {moment}; do kill -0 $(cat /root/pid) || exit 1; done >/dev/null 2>&1"
    bare.run(f"{end}; pkill -KILL -s $(cat /root/pid)")
    wait_until(lambda: bare.run("pgrep -s $(cat /root/pid)", check=False).code != 0, seconds=10, what="it to be gone")


def test_the_stack_is_deployed_and_healthy_and_still_after_a_reboot(bare: Host) -> None:
    """The last step of the way from a bare host: nothing but the bundle was brought."""
    assert install(bare).code == 0
    done = bare.run("/root/bundle/offline-deploy.sh --yes --lang en", check=False)
    assert done.code == 0, done.err
    await_mini(bare)
    bare.reboot()
    await_mini(bare)


def test_systemd_starts_a_backup_every_day_until_uninstall_takes_that_away(bare: Host) -> None:
    assert install(bare).code == 0
    assert bare.run("/root/bundle/offline-deploy.sh --yes", check=False).code == 0
    soon = bare.run("date -d '+70 seconds' +%H:%M").out.strip()
    bare.run(f"bash /opt/mini/current/scripts/backup.sh --schedule {soon}")
    assert "mini-backup.timer" in bare.run("systemctl list-timers").out
    assert bare.run("systemctl is-enabled mini-backup.timer").out == "enabled\n"
    made = "ls /opt/mini/backups/2*/manifest.tsv && ! systemctl is-active --quiet mini-backup.service"
    wait_until(lambda: bare.run(made, check=False).code == 0, seconds=180, what="the time of the backup, and its end")
    assert bare.run("systemctl show --property Result mini-backup.service").out == "Result=success\n"
    told = json.loads(bare.run("bash /opt/mini/current/scripts/status.sh --json").out)["backup"]
    assert (told["stale"], told["schedule"]) == (False, soon)
    assert bare.run("bash /opt/mini/current/scripts/uninstall.sh --yes", check=False).code == 0
    assert bare.run("systemctl cat mini-backup.timer mini-backup.service", check=False).code == 1


def await_mini(bare: Host) -> None:
    """Await that every port of the mini stack answers with bytes."""

    def answers() -> bool:
        web = bare.speak("http", "GET", "http://127.0.0.1:8002/xiaozhi/health")
        server = bare.speak("http", "GET", "http://127.0.0.1:8003/health")
        return bool(web.get("status") == server.get("status") == 200)

    wait_until(answers, seconds=120, what="the mini stack to answer")


def test_two_at_once_one_is_told_to_wait(bare: Host) -> None:
    bare.run(f"mkdir -p {HOME}; (flock 9; exec sleep 60) 9>>{HOME}/lock >/dev/null 2>&1 & echo $! >/root/pid")
    assert install(bare).code == 4
    bare.run("kill $(cat /root/pid)")
    assert install(bare).code == 0


def test_without_systemd_the_engine_is_started_by_hand(bare: Host) -> None:
    bare.run("mv /run/systemd/system /run/systemd/away")
    try:
        done = install(bare)
        assert done.code == 0, done.err
        assert "not come back after a reboot" in done.err
        assert in_service(bare)
        assert not bare.run("ls /etc/systemd/system/docker.service", check=False).out
        lock = bare.run(f"flock -n {HOME}/lock true", check=False)
        assert lock.code == 0, "the engine holds the lock"
    finally:
        bare.run(
            "kill $(cat /run/docker.pid); while pgrep -x dockerd; do sleep 0.2; done; "
            "mv /run/systemd/away /run/systemd/system"
        )
