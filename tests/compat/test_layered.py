"""An application built apart on newer engines, one of them with the containerd store: the image that they build."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from tests import layered
from tests.airgap.hosts import host
from tests.airgap.outside import docker
from tests.faults.kit import Kit

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("engine", ["26.1", "28.5-containerd"])
def test_files_and_configuration_are_those_of_the_engines_own_build(tmp_path: Path, engine: str) -> None:
    with host(engine) as h:
        process = docker("inspect", "--format", "{{.State.Pid}}", h.name).out.strip()
        socket = f"unix:///proc/{process}/root/run/docker.sock"
        kit = Kit(tmp_path, {**os.environ, "DOCKER_HOST": socket})
        layered.describe(kit)
        layered.check(kit, layered.DOCKERFILES["on an install step"])
        before = layered.exported(kit)
        (kit.source / "app" / "run.py").write_text("print('it runs')\nprint('and again')\n")
        stages = {stage["name"]: stage for stage in json.loads(kit.done("release", "--json", "--no-audit"))["stages"]}
        assert stages["export"]["bytes"] == 0
        assert layered.exported(kit) != before
