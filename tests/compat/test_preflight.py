"""What the preflight asks of an engine, held to what newer engines and another image store answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.airgap.hosts import host
from tests.airgap.test_preflight import (
    checked,
    images,
    test_a_host_that_lacks_nothing,
    test_a_network_of_the_engine_in_the_stacks_subnet,
    test_an_engine_that_is_down,
    test_containers_of_another_stack_by_name_and_by_port,
    test_full_disks_with_the_missing_amount,
    test_layers_that_are_there_need_no_room,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.airgap.hosts import Host

__all__ = [
    "checked",
    "images",
    "test_a_host_that_lacks_nothing",
    "test_a_network_of_the_engine_in_the_stacks_subnet",
    "test_an_engine_that_is_down",
    "test_containers_of_another_stack_by_name_and_by_port",
    "test_full_disks_with_the_missing_amount",
    "test_layers_that_are_there_need_no_room",
]


@pytest.fixture(scope="module", params=["26.1", "28.5-containerd"])
def standing(request: pytest.FixtureRequest) -> Iterator[Host]:
    """A host of each newer kind in turn."""
    with host(request.param) as started:
        yield started
