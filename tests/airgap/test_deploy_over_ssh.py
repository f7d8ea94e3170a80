"""`invoke deploy --host` on a real host with the oldest engine. The tests build on each other, from top to bottom."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.airgap import ssh_deploys
from tests.airgap.ssh_deploys import ROOT, addressed, begun, containers, deploy, task
from tests.engine import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.airgap.hosts import Host

SERVER = "xiaozhi-esp32-server"
NO_CHANGE = 100_000


@dataclass(frozen=True)
class Bundles:
    first: Path
    second: Path


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> Bundles:
    folder = tmp_path_factory.mktemp("over-ssh")
    first = ssh_deploys.release(ssh_deploys.KIT / "examples" / "mini", folder / "1")
    return Bundles(first, ssh_deploys.release(ssh_deploys.changed_mini(folder / "changed"), folder / "2"))


def release_of(bundle: Path) -> str:
    return str(json.loads((bundle.parent / "latest.json").read_text())["id"])


def staged(host: Host) -> int:
    return int(host.run(f"cat {ROOT}/blobs/sha256/* 2>/dev/null | wc -c").out)


def test_a_damaged_bundle_reaches_no_host(bundles: Bundles, tmp_path: Path) -> None:
    cut = tmp_path / bundles.first.name
    cut.write_bytes(bundles.first.read_bytes()[:-5000])
    done = task("deploy", "--host", "root@203.0.113.1", "--bundle", str(cut))
    assert done.code == 3
    assert "bad\tmalformed" in done.err


def test_an_unknown_host_is_shown_by_its_key_and_not_trusted(standing: Host, bundles: Bundles, tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text(standing.ssh_config.read_text().replace("known_hosts", "none"))
    words = ("--host", standing.name, "--ssh-config", str(config), "--bundle", str(bundles.first))
    done = task("deploy", *words)
    key = standing.run("ssh-keygen -y -f /etc/ssh/ssh_host_ed25519_key | ssh-keygen -lf - | cut -d ' ' -f 2").out
    assert done.code == 5
    assert key.startswith("SHA256:")
    assert key.strip() in done.err
    assert f"ssh -F {config} {standing.name} true" in done.err


def test_a_changed_host_is_refused(standing: Host, bundles: Bundles, tmp_path: Path) -> None:
    known = tmp_path / "known"
    other = standing.ssh_config.with_name("user.pub").read_text()  # a key, and not this host's
    known.write_text(f"{standing.address} {other}")
    config = tmp_path / "config"
    lines = standing.ssh_config.read_text().splitlines()
    kept = [f"    UserKnownHostsFile {known}" if "UserKnownHostsFile" in line else line for line in lines]
    config.write_text("\n".join(kept) + "\n")
    done = task("deploy", "--host", standing.name, "--ssh-config", str(config), "--bundle", str(bundles.first))
    assert done.code == 5
    assert "Refused" in done.err


def test_a_plan_changes_nothing(standing: Host, bundles: Bundles) -> None:
    done = deploy(standing, "--bundle", str(bundles.first), "--plan")
    assert done.code == 0
    assert "in service now: none" in done.err
    assert done.only["bytes_sent"] < NO_CHANGE
    assert standing.run(f"test -e {ROOT}", check=False).code == 1


def test_a_transfer_whose_client_dies_goes_on_where_it_broke_off(standing: Host, bundles: Bundles) -> None:
    """Failure 16: a transfer that broke at 90 % started again."""
    half = bundles.first.stat().st_size // 3
    with begun("deploy", *addressed(standing), "--bundle", str(bundles.first)):
        wait_until(lambda: staged(standing) > half, seconds=60, what="a third of the bundle on the host")
    wait_until(
        lambda: not standing.run("pgrep -f '^bash -s --'", check=False).out, seconds=30, what="the receiver to end"
    )
    there = staged(standing)
    assert standing.run("docker image ls --quiet").out == ""
    done = deploy(standing, "--bundle", str(bundles.first), alias=standing.admin_alias)
    assert done.code == 0, done.err
    assert done.only["bytes_sent"] < bundles.first.stat().st_size - there + NO_CHANGE
    assert done.only["release"] == release_of(bundles.first)


def test_attaching_to_a_deploy_that_has_ended_tells_it_again_and_ends_as_it_did(standing: Host) -> None:
    done = task("deploy", "--json", "--attach", "--root", ROOT, *addressed(standing))
    assert done.code == 0
    assert "is in service" in done.err


def test_nothing_changed_means_little_travels_and_no_container_restarts(standing: Host, bundles: Bundles) -> None:
    before = containers(standing)
    done = deploy(standing, "--bundle", str(bundles.first))
    assert done.code == 0, done.err
    assert done.only["bytes_sent"] < NO_CHANGE
    assert containers(standing) == before
    assert {step["name"] for step in done.only["steps"]} >= {"facts", "transfer", "load", "switch", "health"}
    assert f"http://{standing.address}:8002/" in done.only["addresses"]


def test_every_address_that_a_deploy_names_speaks(standing: Host, bundles: Bundles) -> None:
    addresses = deploy(standing, "--bundle", str(bundles.first)).only["addresses"]
    assert {address.rpartition(":")[2].partition("/")[0] for address in addresses} == {"8000", "8002", "8003"}
    for address in addresses:
        local = address.replace(standing.address, "127.0.0.1")
        if address.startswith("ws:"):
            question = json.dumps({"type": "listen", "text": "what time is it"})
            assert standing.speak("websocket", local, question)["answers"]
        else:
            assert standing.speak("http", "GET", local)["status"] == 200


def test_what_was_brought_together_on_the_host_is_gone_once_it_serves(standing: Host) -> None:
    assert standing.run(f"ls {ROOT}/incoming {ROOT}/blobs", check=False).out == ""


def test_a_deploy_beside_another_run_is_refused_by_name(standing: Host, bundles: Bundles) -> None:
    holding = f"exec 9>>{ROOT}/lock; flock 9; printf '1\\tanna\\t10.0.0.9\\tsince-then\\tdeploy\\n' >{ROOT}/lock"
    standing.run(f"({holding}; exec sleep 60) >/dev/null 2>&1 & echo $! >/root/holder")
    wait_until(
        lambda: standing.run(f"flock -n {ROOT}/lock true", check=False).code == 1,
        seconds=10,
        what="the lock to be held",
    )
    done = deploy(standing, "--bundle", str(bundles.first))
    standing.run("kill $(cat /root/holder)")
    assert done.code == 4
    assert "deploy, by anna from 10.0.0.9 since since-then" in done.err


def test_a_new_release_of_the_app_sends_its_own_layers_only_and_outlives_its_client(
    standing: Host, bundles: Bundles
) -> None:
    before = containers(standing)
    target = release_of(bundles.second)
    planned = deploy(standing, "--bundle", str(bundles.second), "--plan")
    assert re.search(r"travels: [\d.]+ kB in 0 big pieces", planned.err), planned.err
    with begun("deploy", *addressed(standing), "--bundle", str(bundles.second)):
        wait_until(
            lambda: target in standing.run(f"grep ^target= {ROOT}/state", check=False).out,
            seconds=60,
            what="the host to be at work",
        )
    done = task("deploy", "--json", "--attach", "--root", ROOT, *addressed(standing))
    assert (done.code, done.only["release"]) == (0, target), done.err
    after = containers(standing)
    assert {name for name in after if after[name] != before[name]} == {SERVER}
