"""The bats tests of the host scripts, one pytest case a file."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

FILES = sorted(Path(__file__).parent.glob("*.bats"))


def test_there_are_bats_tests() -> None:
    assert FILES


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_bats(file: Path, tmp_path: Path) -> None:
    bats = Path(sys.executable).with_name("bats")
    environment = dict(os.environ)
    if old := os.environ.get("OLD_BASH"):  # the whole run in a bash 4.2, where one is at hand
        (tmp_path / "bash").symlink_to(shutil.which(old) or old)
        environment["PATH"] = f"{tmp_path}:{environment['PATH']}"
    done = subprocess.run([str(bats), str(file)], capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
