"""Each kind of module that people edit on the host, on each engine: a file in a folder, and files mounted alone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.airgap.by_hand import DB, REDIS, ROOT, SERVER, WEB, Operator, Releases, containers
from tests.airgap.hosts import host
from tests.airgap.images import HOSTS

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.timeout(600)

ENGINES = [name for name, kind in HOSTS.items() if kind.engine]
# Path below `current`, and where the server has it.
KINDS = {
    "plugins_func/functions/get_time.py": "plugins_func/functions/get_time.py",
    "plugins_func/register.py": "plugins_func/register.py",
    "memory/mem_local_short/mem_local_short.py": "core/providers/memory/mem_local_short/mem_local_short.py",
    "intent/intent_llm/intent_llm.py": "core/providers/intent/intent_llm/intent_llm.py",
}


@pytest.fixture(scope="module")
def releases(tmp_path_factory: pytest.TempPathFactory) -> Releases:
    return Releases(tmp_path_factory.mktemp("hot"))


@pytest.fixture(scope="module", params=ENGINES)
def operator(request: pytest.FixtureRequest, releases: Releases) -> Iterator[Operator]:
    with host(request.param) as standing:
        made = Operator(standing, releases)
        done = made.deploy("first")
        assert done.code == 0, done.out
        yield made


def modules(operator: Operator) -> dict[str, str]:
    """What the server runs, by the sha256 of each file."""
    found: dict[str, str] = json.loads(operator.http("GET", "8003/health")["body"])["modules"]
    return found


@pytest.mark.parametrize("path", KINDS)
def test_an_edit_of_each_kind_is_live_and_nothing_else_changes(operator: Operator, path: str) -> None:
    before, running = modules(operator), containers(operator.host)
    operator.host.run(f"sed -i '$a # edited with vi' {ROOT}/current/{path}")  # a new inode, as vi makes one
    done = operator.script("hot-update", path)
    assert done.code == 0, done.out
    after = modules(operator)
    assert after[KINDS[path]] == operator.host.run(f"sha256sum {ROOT}/current/{path}").out[:64]
    assert {name for name in after if after[name] != before[name]} == {KINDS[path]}
    now = containers(operator.host)
    assert {name for name in (SERVER, WEB, DB, REDIS) if now[name] != running[name]} == {SERVER}
    operator.every_port_speaks()
