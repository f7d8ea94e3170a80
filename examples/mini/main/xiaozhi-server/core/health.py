# What /health tells: which code runs, and whether what it needs is there.
from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from config.config_loader import ConfigError, ManagerApi
from config.manage_api_client import UnreachableError, server_config
from core.models import ModelError, read_models

if TYPE_CHECKING:
    from collections.abc import Mapping

OK = "ok"


def loaded_modules(root: Path) -> dict[str, str]:
    """Path below `root` and sha256 of every Python file that this process has loaded from there."""
    names = {getattr(module, "__file__", None) for module in list(sys.modules.values())}
    files = sorted(Path(name) for name in names if name and name.endswith(".py"))
    own = [file for file in files if file.is_relative_to(root)]
    return {file.relative_to(root).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest() for file in own}


def code_hash(modules: Mapping[str, str]) -> str:
    """One hash over all of them: changes with any byte of any module."""
    return hashlib.sha256("".join(f"{digest}  {path}\n" for path, digest in modules.items()).encode()).hexdigest()


class Health:
    """Hashes are taken here, at the start: a file edited later shows only after a restart, as its code does."""

    def __init__(self, root: Path, *, models: dict[str, str], api: ManagerApi | None) -> None:
        self.root = root
        self.models = models
        self.api = api
        self.modules = loaded_modules(root)
        self.code = code_hash(self.modules)

    async def report(self) -> dict[str, Any]:
        needs = {"models": self.models_state(), "data": self.data_state()}
        if self.api is not None:
            needs["manager-api"] = await api_state(self.api)
        return {
            "ok": all(state == OK for state in needs.values()),
            "mode": "single" if self.api is None else "all",
            "code": self.code,
            "modules": self.modules,
            "models": self.models,
            "needs": needs,
        }

    def models_state(self) -> str:
        try:
            same = read_models(self.root, tuple(self.models)) == self.models
        except ModelError as error:
            return str(error)
        return OK if same else "a model file is not the one that was loaded"

    def data_state(self) -> str:
        return OK if os.access(self.root / "data", os.W_OK | os.X_OK) else "data/ cannot be written"


async def api_state(api: ManagerApi) -> str:
    try:
        await server_config(api, seconds=3)
    except (UnreachableError, ConfigError) as error:
        return str(error)
    return OK
