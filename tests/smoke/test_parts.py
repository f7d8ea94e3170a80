"""A release in parts: cut while it flows, carried, checked, joined without a joined copy, and compared."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.smoke.conftest import INVOKE, KIT, release


@pytest.fixture(scope="module")
def parts(mini: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The same release again, in parts."""
    output = tmp_path_factory.mktemp("parts")
    return release(output, "--source", "examples/mini", "--id", mini["id"], "--part-size", "60M")


def test_the_parts_are_the_bundle_byte_for_byte(mini: dict[str, Any], parts: dict[str, Any]) -> None:
    files = [Path(parts["bundle"]).with_name(part["name"]) for part in parts["parts"]]
    assert len(files) > 2
    with subprocess.Popen(["cat", *files], stdout=subprocess.PIPE) as joined:
        subprocess.run(["cmp", "-", mini["bundle"]], stdin=joined.stdout, check=True)
    assert joined.returncode == 0
    assert parts["sha256"] == mini["sha256"]


def test_join_sh_makes_a_folder_that_verifies(parts: dict[str, Any], tmp_path: Path) -> None:
    """Failure 16: a stick with FAT32 takes no file of more than 4 GiB."""
    stick = Path(parts["bundle"]).parent
    subprocess.run(["bash", stick / "join.sh"], cwd=tmp_path, check=True)
    (folder,) = tmp_path.iterdir()
    subprocess.run([folder / "scripts" / "verify.sh"], check=True)


def test_verify_and_diff_take_the_parts(mini: dict[str, Any], parts: dict[str, Any]) -> None:
    subprocess.run([INVOKE, "verify", parts["bundle"]], cwd=KIT, check=True)
    said = subprocess.run(
        [INVOKE, "diff", "--json", mini["bundle"], parts["bundle"]], cwd=KIT, stdout=subprocess.PIPE, check=True
    ).stdout
    found = json.loads(said)
    assert (found["layers"]["new"], found["layers"]["gone"], found["facts"]) == ([], [], [])
    assert found["files"] == {"added": [], "removed": [], "changed": []}
