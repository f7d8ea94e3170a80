"""`invoke deploy --host` to newer engines, one of them with the containerd store: the same story, in its order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.airgap import test_deploy_over_ssh as story
from tests.airgap.hosts import host

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.airgap.hosts import Host

bundles = story.bundles
test_first = story.test_a_transfer_whose_client_dies_goes_on_where_it_broke_off
test_again = story.test_nothing_changed_means_little_travels_and_no_container_restarts
test_addresses = story.test_every_address_that_a_deploy_names_speaks
test_tidy = story.test_what_was_brought_together_on_the_host_is_gone_once_it_serves
test_new_release = story.test_a_new_release_of_the_app_sends_its_own_layers_only_and_outlives_its_client


@pytest.fixture(scope="module", params=["26.1", "28.5-containerd"])
def standing(request: pytest.FixtureRequest) -> Iterator[Host]:
    """A host of each newer kind in turn."""
    with host(request.param) as started:
        yield started
