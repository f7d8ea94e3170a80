# Imports of the example's two applications: they are no package of the kit, so each test gets them on its path
# and leaves nothing of them behind.
from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MINI = Path(__file__).resolve().parents[3] / "examples" / "mini"
OWN = ("app", "config", "core", "plugins_func", "manager_api")


@pytest.fixture(name="mini")
def mini_folder() -> Path:
    return MINI


@pytest.fixture(name="load")
def load_module(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Any]]:
    """Imports a module of the example by name, afresh in every test."""
    monkeypatch.syspath_prepend(MINI / "main" / "xiaozhi-server")
    monkeypatch.syspath_prepend(MINI / "main" / "manager-api")
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    forget()
    yield import_module
    forget()


def forget() -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] in OWN]:
        del sys.modules[name]
