from __future__ import annotations

from collections.abc import Callable

import pytest

Measured = Callable[[str], None]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--upstream", help="a checkout of xiaozhi-esp32-server, for tests/upstream")


@pytest.fixture
def measured(request: pytest.FixtureRequest) -> Measured:
    """Say a figure where people see it, whether the test passes or not."""
    capture = request.config.pluginmanager.getplugin("capturemanager")

    def say(figure: str) -> None:
        with capture.global_and_fixture_disabled():
            print(f"\nmeasured, {request.node.name}: {figure}")  # noqa: T201 - for people

    return say
