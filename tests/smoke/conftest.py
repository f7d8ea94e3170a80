from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.engine import own_engine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.engine import Engine

KIT = Path(__file__).parents[2]
INVOKE = Path(sys.executable).with_name("invoke")


def release(output: Path, *flags: str) -> dict[str, Any]:
    """`invoke release --json` as a user runs it; gives its object."""
    done = subprocess.run(
        [INVOKE, "release", "--json", *flags],
        cwd=KIT,
        env={**os.environ, "OFFLINE_OUTPUT": str(output)},
        stdout=subprocess.PIPE,
        check=False,
    )
    assert done.returncode == 0
    result: dict[str, Any] = json.loads(done.stdout)
    return result


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """An empty engine that reaches nothing."""
    with own_engine(tmp_path_factory.mktemp("engine") / "e", "offline-smoke") as opened:
        yield opened


@pytest.fixture(scope="session")
def mini(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The result of `invoke release` for examples/mini."""
    return release(tmp_path_factory.mktemp("mini"), "--source", "examples/mini")
