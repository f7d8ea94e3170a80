"""Every kind of host, held to what tests/airgap shows of the oldest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.airgap import proof
from tests.airgap.hosts import host
from tests.airgap.images import HOSTS
from tests.airgap.test_hosts import (
    test_engine_compose_and_image_store_are_those_of_its_kind,
    test_it_reaches_nothing_but_itself,
    test_openssh_enters_as_root_and_as_an_admin_with_sudo,
    test_scripts_find_what_an_operators_host_has_and_nothing_more,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.airgap.hosts import Host

__all__ = [
    "test_engine_compose_and_image_store_are_those_of_its_kind",
    "test_it_reaches_nothing_but_itself",
    "test_openssh_enters_as_root_and_as_an_admin_with_sudo",
    "test_scripts_find_what_an_operators_host_has_and_nothing_more",
]


@pytest.fixture(scope="module", params=HOSTS)
def standing(request: pytest.FixtureRequest) -> Iterator[Host]:
    """A host of each kind in turn."""
    with host(request.param) as started:
        yield started


def test_after_a_reboot_it_keeps_its_disks_and_its_address_and_still_reaches_nothing(standing: Host) -> None:
    standing.run("touch /root/kept /var/lib/docker/kept /run/lost")
    started = standing.run("cut -d' ' -f22 /proc/1/stat").out
    standing.reboot()
    assert standing.run("cut -d' ' -f22 /proc/1/stat").out != started
    standing.ssh("test -e /root/kept && test -e /var/lib/docker/kept && test ! -e /run/lost")
    assert standing.facts().engine.startswith(standing.kind.engine)
    assert proof.reached(standing.name) == []
