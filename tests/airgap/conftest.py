from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.airgap.hosts import host

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.airgap.hosts import Host

OLDEST = "20.10"


@pytest.fixture(scope="module")
def standing() -> Iterator[Host]:
    """A host with the oldest engine, one for all tests of a module: what one leaves on it the next finds."""
    with host(OLDEST) as started:
        yield started
