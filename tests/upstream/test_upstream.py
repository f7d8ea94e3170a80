"""The public xiaozhi-esp32-server, bundled in single mode and started where there is no network.

Run with `nox -s upstream -- --upstream /path/to/xiaozhi-esp32-server`; it wants 25 GB of disk and some twenty minutes.
The operator's configuration is the one that docs/xiaozhi.md shows.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.engine import own_engine, wait_until
from tests.smoke.conftest import KIT, release
from tests.stack import Stack, unpack

if TYPE_CHECKING:
    from collections.abc import Iterator

SERVER = "xiaozhi-esp32-server"


@pytest.fixture(scope="module")
def stack(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    source = request.config.getoption("--upstream")
    assert source, "name the checkout: nox -s upstream -- --upstream DIR"
    folder = tmp_path_factory.mktemp("upstream")
    result = release(folder / "dist", "--source", str(source), "--mode", "single")
    bundle = unpack(Path(result["bundle"]), folder)
    subprocess.run([bundle / "scripts" / "verify.sh"], check=True)
    with own_engine(folder / "engine", "offline-upstream") as engine:
        made = Stack(engine, bundle, folder / "root")
        made.load()
        made.lay_out()
        guide = (KIT / "docs" / "xiaozhi.md").read_text(encoding="utf-8")
        (config,) = re.findall(r"```yaml\n(.*?)```", guide, re.DOTALL)
        (made.root / "shared" / "data" / ".config.yaml").write_text(config, encoding="utf-8")
        made.up(SERVER)
        yield made


@pytest.mark.timeout(3600)
def test_the_device_entry_answers_over_http(stack: Stack) -> None:
    wait_until(lambda: stack.http("GET", "8003/xiaozhi/ota/")["status"] == 200, seconds=180, what="the OTA address")
    assert "websocket" in stack.http("GET", "8003/xiaozhi/ota/")["body"]


def test_a_device_is_greeted_over_websocket(stack: Stack) -> None:
    (answer,) = stack.websocket("8000/xiaozhi/v1/?device-id=aa&client-id=bb", {"type": "hello"})
    assert answer["type"] == "hello"
    assert answer["transport"] == "websocket"


def test_it_runs_where_nothing_can_be_reached(stack: Stack) -> None:
    assert stack.reaches("1.1.1.1", "443") is False
