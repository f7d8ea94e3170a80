"""Releases as deltas on each engine, one of them with the containerd store: one story, in its order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.airgap.by_hand import ROOT, SERVER, Operator, containers
from tests.airgap.deltas import STEPS, Deltas, second_packager
from tests.airgap.hosts import host
from tests.airgap.images import HOSTS
from tests.airgap.ssh_deploys import deploy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from offline.run import Result

ENGINES = [name for name, kind in HOSTS.items() if kind.engine]


@pytest.fixture(scope="module")
def releases(tmp_path_factory: pytest.TempPathFactory) -> Deltas:
    return Deltas(tmp_path_factory.mktemp("deltas"))


@pytest.fixture(scope="module")
def elsewhere(releases: Deltas, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A delta since the last step, of the same source, that another packager has made from its bundle."""
    return second_packager(releases.source, tmp_path_factory.mktemp("second"), releases.bundle("again-whole"))


@pytest.fixture(scope="module", params=ENGINES)
def operator(request: pytest.FixtureRequest, releases: Deltas) -> Iterator[Operator]:
    with host(request.param) as standing:
        yield Operator(standing, releases)


def refused(done: Result, operator: Operator, *, since: str, release: str) -> None:
    """5, with the release that must be there and the command that makes the full bundle; nothing has changed."""
    assert done.code == 5, done.out
    assert operator.releases.id(since) in done.out
    assert f"invoke package --id {operator.releases.id(release)}" in done.out


def quickly(operator: Operator, name: str) -> Result:
    """A deploy without the backup that comes first: test_deploy_by_hand.py has that."""
    return operator.deploy(name, "--no-backup")


def test_a_delta_is_small(releases: Deltas) -> None:
    for name in (step for step in STEPS if step != "first"):
        whole, delta = (releases.bundle(each).stat().st_size for each in (f"{name}-whole", name))
        assert delta * 1000 < whole


def test_a_host_without_the_base_refuses(operator: Operator) -> None:
    refused(operator.deploy("app"), operator, since="first", release="app")
    assert operator.host.run(f"test -e {ROOT}", check=False).code == 1
    assert operator.names() == []


def test_the_first_release_is_a_full_bundle(operator: Operator) -> None:
    assert quickly(operator, "first").code == 0
    operator.add_user("kept")


def test_a_delta_that_skips_its_base_is_refused_and_the_release_goes_on_serving(operator: Operator) -> None:
    before = containers(operator.host)
    refused(operator.deploy("module"), operator, since="app", release="module")
    assert containers(operator.host) == before


def test_three_releases_as_deltas_and_back_to_the_first(operator: Operator) -> None:
    code = operator.code()
    for name in ("app", "module"):
        done = quickly(operator, name)
        assert done.code == 0, done.out
    assert operator.code() != code
    done = operator.script("rollback", "--to", operator.releases.id("first"), "--yes")
    assert done.code == 0, done.out
    assert operator.code() == code
    operator.every_port_speaks()
    done = operator.script("rollback", "--to", operator.releases.id("module"), "--yes")
    assert done.code == 0, done.out


def test_and_two_more_of_which_each_changes_what_it_changes(operator: Operator) -> None:
    before = containers(operator.host)
    for name in ("page", "model"):
        done = quickly(operator, name)
        assert done.code == 0, done.out
    after = containers(operator.host)
    assert {name for name in after if after[name] != before[name]} >= {SERVER}
    assert operator.users() == ["kept"]
    operator.every_port_speaks()


def test_what_a_delta_leaves_on_the_host_is_what_the_full_bundle_leaves(operator: Operator) -> None:
    own = f"{ROOT}/releases/{operator.releases.id('model')}"
    folder = operator.unpack("model-whole")
    for name in ("docker-compose-offline.yml", "scripts", "install-docker-centos.sh"):
        operator.host.run(f"diff -r {folder}/{name} {own}/{name}")
    laid = operator.host.run(f"cut -c 67- {own}/SHA256SUMS").out
    assert laid == operator.host.run(f"cut -c 67- {folder}/SHA256SUMS").out


def test_a_delta_goes_over_ssh_and_is_refused_there_before_anything_travels(operator: Operator) -> None:
    done = deploy(operator.host, "--bundle", str(operator.releases.bundle("again")))
    assert (done.code, done.only["release"]) == (0, operator.releases.id("again")), done.err
    assert done.only["bytes_sent"] < 200_000
    operator.host.run(
        f"docker rm --force {SERVER}; docker image ls -q mini/server | sort -u | xargs docker image rm -f"
    )
    done = deploy(operator.host, "--bundle", str(operator.releases.bundle("again")))
    assert done.code == 5
    assert operator.releases.id("model") in done.err
    assert f"invoke package --id {operator.releases.id('again')}" in done.err


def test_an_overwritten_and_pruned_base_is_found(operator: Operator) -> None:
    refused(operator.deploy("again"), operator, since="model", release="again")
    done = quickly(operator, "model-whole")
    assert done.code == 0, done.out
    assert operator.script("uninstall", "--yes").code == 0
    (tag,) = operator.host.run("docker image ls --format '{{.Repository}}:{{.Tag}}' mini/server").out.split()
    (other,) = operator.host.run("docker image ls --format '{{.Repository}}:{{.Tag}}' mini/redis").out.split()
    operator.host.run(f"docker tag {other} {tag} && docker image prune --force")
    operator.host.run("docker image ls --quiet xiaozhi-esp32-server | sort -u | xargs -r docker image rm --force")
    refused(operator.deploy("again"), operator, since="model", release="again")


def test_the_full_bundle_of_the_same_release_helps(operator: Operator) -> None:
    done = quickly(operator, "again-whole")
    assert done.code == 0, done.out
    assert operator.users() == ["kept"]


def test_a_delta_of_a_second_packager_takes_the_bytes_that_the_first_one_shipped(
    operator: Operator, elsewhere: Path
) -> None:
    assert elsewhere.stat().st_size < 100_000
    assert quickly(operator, "again-whole").code == 0  # from nothing, or not a thing to do
    operator.host.put(elsewhere, "/root/second.tar.gz")
    operator.host.run("cd /root && tar -xzf second.tar.gz")
    done = operator.at(f"/root/{elsewhere.name.removesuffix('.tar.gz')}", "--no-backup")
    assert done.code == 0, done.out
    operator.every_port_speaks()
