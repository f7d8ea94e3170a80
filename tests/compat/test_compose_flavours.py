"""A stack that Compose 1 made, on a host that gained Compose 2: nothing is made anew by accident."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests import enginefiles
from tests.airgap.by_hand import SERVER, Operator, Releases, containers
from tests.airgap.hosts import host

if TYPE_CHECKING:
    from collections.abc import Iterator

PLUGIN = "/usr/local/lib/docker/cli-plugins/docker-compose"


@pytest.fixture(scope="module")
def operator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    with host("20.10") as standing:
        made = Operator(standing, Releases(tmp_path_factory.mktemp("flavours")))
        assert made.deploy("first").code == 0
        standing.put(enginefiles.compose(tmp_path_factory.mktemp("compose")), PLUGIN)
        standing.run(f"chmod 0755 {PLUGIN} && docker compose version")
        yield made


def test_the_flavour_that_made_the_containers_goes_on(operator: Operator) -> None:
    before = containers(operator.host)
    assert operator.deploy("same").code == 0
    assert containers(operator.host) == before
    assert operator.deploy("app").code == 0
    after = containers(operator.host)
    assert {name for name in after if after[name] != before[name]} == {SERVER}


def test_without_it_the_deploy_is_refused_and_says_what_would_happen(operator: Operator) -> None:
    before = containers(operator.host)
    operator.host.run("mv /usr/bin/docker-compose /root/")
    refused = operator.deploy("first")
    assert (refused.code, "[compose-flavour]" in refused.out) == (5, True), refused.out
    assert containers(operator.host) == before


def test_a_change_of_flavour_that_is_accepted_keeps_the_data(operator: Operator) -> None:
    operator.add_user("kept")
    done = operator.deploy("first", "--accept", "compose-flavour")
    assert done.code == 0, done.out
    assert operator.users() == ["kept"]
    labels = operator.host.run("docker ps --format '{{.Label \"com.docker.compose.version\"}}'").out.split()
    assert all(label.startswith("2.") for label in labels)
