"""`invoke deploy --host` and its kin on each engine, one of them with the containerd store: one story, in its order."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest

from offline.bundle import layout
from offline.console import Console
from offline.host.bundle import open_verified
from tests.airgap import test_deploy_over_ssh as story
from tests.airgap.hosts import host
from tests.airgap.images import HOSTS
from tests.airgap.ssh_deploys import ROOT, addressed, containers, deploy, task
from tests.airgap.test_deploy_over_ssh import SERVER, Bundles, release_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from offline.bundle.contents import File
    from tests.airgap.hosts import Host
    from tests.airgap.ssh_deploys import Done

bundles = story.bundles
test_first = story.test_a_transfer_whose_client_dies_goes_on_where_it_broke_off
test_again = story.test_nothing_changed_means_little_travels_and_no_container_restarts
test_addresses = story.test_every_address_that_a_deploy_names_speaks
test_tidy = story.test_what_was_brought_together_on_the_host_is_gone_once_it_serves
test_new_release = story.test_a_new_release_of_the_app_sends_its_own_layers_only_and_outlives_its_client


@pytest.fixture(scope="module", params=[name for name, kind in HOSTS.items() if kind.engine])
def standing(request: pytest.FixtureRequest) -> Iterator[Host]:
    """A host of each kind in turn."""
    with host(request.param) as started:
        yield started


def test_the_release_before_is_still_there_so_that_going_back_sends_no_layer(standing: Host, bundles: Bundles) -> None:
    done = deploy(standing, "--bundle", str(bundles.first), "--plan")
    assert "0 big pieces" in done.err


def test_of_several_hosts_each_has_its_end_and_the_worst_is_the_exit_code(standing: Host, bundles: Bundles) -> None:
    done = deploy(standing, "--bundle", str(bundles.second), "--host", "root@127.0.0.1:9")
    assert done.code == 6
    assert [host["exit"] for host in done.result["hosts"]] == [0, 6]
    assert f"{standing.name}: done, release {release_of(bundles.second)}" in done.err


def test_a_piece_that_went_bad_on_the_host_is_refused_there_and_sent_again_the_next_time(
    standing: Host, bundles: Bundles
) -> None:
    config = config_of_server(bundles.first)
    file = f"{ROOT}/blobs/sha256/{config.sha256}.part"
    standing.run(f"mkdir -p {ROOT}/blobs/sha256 && head -c {config.size} /dev/zero >{file}")
    standing.run(f"cat /proc/sys/kernel/random/boot_id >{ROOT}/blobs/start")
    done = deploy(standing, "--bundle", str(bundles.first))
    assert done.code == 3
    assert f"bad\tchanged\timages/blobs/sha256/{config.sha256}" in done.err
    assert "the same command again sends anew what is bad on the host" in done.err
    assert deploy(standing, "--bundle", str(bundles.first)).code == 0


def verb(host: Host, name: str, *words: str) -> Done:
    return task(name, "--root", ROOT, *addressed(host, host.admin_alias), *words)


def test_status_answers_for_people_and_for_scripts(standing: Host, bundles: Bundles) -> None:
    done = verb(standing, "status", "--json")
    assert (done.code, done.only["release"]) == (0, release_of(bundles.first)), done.err
    assert {service["name"] for service in done.only["answer"]["services"]} == set(containers(standing))
    assert release_of(bundles.first) in verb(standing, "status").out


def test_logs_show_what_a_service_says(standing: Host) -> None:
    done = verb(standing, "logs", "--service", SERVER, "--tail", "5")
    assert done.code == 0, done.err
    assert SERVER in done.out


def test_restart_restarts_the_service_that_is_named_and_no_other(standing: Host) -> None:
    before = containers(standing)
    assert verb(standing, "restart", "--service", SERVER).code == 0
    after = containers(standing)
    assert {name for name in after if after[name] != before[name]} == {SERVER}


def test_a_rollback_to_an_unknown_release_names_those_that_there_are(standing: Host, bundles: Bundles) -> None:
    done = verb(standing, "rollback", "--to", "20000101-000000")
    assert done.code == 2
    assert release_of(bundles.second) in done.err


def test_a_rollback_puts_the_release_before_back(standing: Host, bundles: Bundles) -> None:
    done = verb(standing, "rollback", "--json")
    assert (done.code, done.only["release"]) == (0, release_of(bundles.second)), done.err


def test_uninstall_leaves_the_data_and_no_container(standing: Host) -> None:
    assert verb(standing, "uninstall").code == 0
    assert standing.run("docker ps --all --quiet").out == ""
    assert standing.run(f"ls {ROOT}/shared/mysql/data").out


def config_of_server(bundle: Path) -> File:
    """The config blob of the server's image: small, and sent with every deploy."""
    opened = open_verified(bundle, Console(io.StringIO(), io.StringIO()))
    digest = next(image[3] for image in opened.records["image"] if image[0] == "server")
    return opened.files[layout.blob(digest)]
