"""One app file changed: a delta of it is small, and an engine that has its base runs what it brings."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.smoke.conftest import KIT, release
from tests.stack import Stack, unpack

if TYPE_CHECKING:
    from tests.engine import Engine

MOST_BESIDE = 64 << 10  # bytes of a delta beside the changed layer and payload


@pytest.fixture(scope="module")
def delta(mini: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The result of `invoke release --since` for mini with another app.py."""
    folder = tmp_path_factory.mktemp("delta")
    source = folder / "source"
    shutil.copytree(KIT / "examples" / "mini", source)
    app = source / "main" / "xiaozhi-server" / "app.py"
    app.write_text(app.read_text() + "# another release\n")
    return release(folder / "dist", "--source", str(source), "--since", mini["id"])


def described(result: dict[str, Any], folder: Path) -> tuple[Path, dict[str, Any]]:
    folder.mkdir()
    unpacked = unpack(Path(result["bundle"]), folder)
    return unpacked, json.loads((unpacked / "release.json").read_text())


def test_a_delta_is_the_changed_layer_and_little_more(
    mini: dict[str, Any], delta: dict[str, Any], tmp_path: Path
) -> None:
    (_, old), (_, new) = described(mini, tmp_path / "old"), described(delta, tmp_path / "new")
    before, after = (
        {layer["digest"]: layer["size"] for image in each["images"] for layer in image["layers"]} for each in (old, new)
    )
    changed = sum(size for digest, size in after.items() if digest not in before)
    assert 0 < changed < delta["bytes"] <= changed + MOST_BESIDE
    assert (delta["since"], new["since"]) == ([mini["id"]], [mini["id"]])


def test_an_engine_with_the_base_takes_it_and_one_without_does_not(
    mini: dict[str, Any], delta: dict[str, Any], engine: Engine, tmp_path: Path
) -> None:
    base, _ = described(mini, tmp_path / "old")
    folder, facts = described(delta, tmp_path / "new")
    subprocess.run([folder / "scripts" / "verify.sh"], check=True)
    (server,) = (image for image in facts["images"] if image["role"] == "server")
    part, whole = (Stack(engine, bundle, tmp_path / "root") for bundle in (folder, base))
    for known in engine.docker("image", "ls", "--quiet", "mini/*").split():
        engine.docker("image", "rm", "--force", known)
    with pytest.raises(AssertionError, match=r"no such file|not found"):
        part.load()
    whole.load()
    part.load()
    assert engine.docker("image", "inspect", "--format", "{{.Id}}", server["tag"]).strip() == server["config"]
    code = "print(open('/opt/xiaozhi-esp32-server/app.py').read())"
    out = engine.docker("run", "--rm", "--network", "none", "--entrypoint", "python", server["tag"], "-c", code)
    assert "# another release" in out
