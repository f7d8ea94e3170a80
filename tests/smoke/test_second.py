"""Another stack goes the whole way with nothing but its release.yml: base and image from a registry, other folders."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.engine import client, wait_until
from tests.smoke.conftest import INVOKE, KIT, release
from tests.stack import Stack, unpack

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.engine import Engine

REGISTRY = "127.0.0.1:5055"
_CONFIG = """version: 0.1
storage: {{filesystem: {{rootdirectory: {folder}}}}}
http: {{addr: {address}}}
"""


def docker(*words: str) -> str:
    done = subprocess.run([client(), *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def forget(repository: str) -> None:
    """Take a base that an earlier run on this machine left away, so that it is really pulled."""
    left = docker("images", "--format", "{{.Repository}}:{{.Tag}}", repository).split()
    if left:
        docker("rmi", *left)


@pytest.fixture(scope="module")
def registry(mini: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A registry on loopback that has a python base and an unpinned store image; both are of the mini release."""
    redis = next(image["names"][0] for image in mini["images"] if image["role"] == "redis").partition(":")[0]
    folder = tmp_path_factory.mktemp("registry")
    config = folder / "config.yml"
    config.write_text(_CONFIG.format(folder=folder / "data", address=REGISTRY))
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(["docker-registry", "serve", config], stdout=log, stderr=log)
    try:
        wait_until(lambda: b"listening on" in (folder / "log").read_bytes(), seconds=20, what="the registry")
        bases = json.loads((KIT / ".offline" / "bases.json").read_text())
        python = next(base["tag"] for base in bases if base["reference"] == "python:3.10-slim")
        for image, name in ((python, "base/python:3"), (f"{redis}:build", "notes-store:latest")):
            docker("tag", image, f"{REGISTRY}/{name}")
            docker("push", f"{REGISTRY}/{name}")
            docker("rmi", f"{REGISTRY}/{name}")
        forget("offline-base.invalid/registry-example-python-3")
        yield REGISTRY
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture(scope="module")
def released(registry: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    assert registry
    return release(tmp_path_factory.mktemp("notes"), "--config", "tests/second/release.yml")


@pytest.fixture(scope="module")
def stack(released: dict[str, Any], engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("host")
    made = Stack(engine, unpack(Path(released["bundle"]), folder), folder / "root")
    subprocess.run([made.bundle / "scripts" / "verify.sh"], check=True)
    made.load()
    made.lay_out()
    made.up("store", "notes")
    wait_until(lambda: made.http("GET", "9100/")["status"] == 200, seconds=30, what="notes")
    yield made
    made.compose("down")


def test_what_came_from_a_registry_is_recorded_by_digest(stack: Stack) -> None:
    store = next(image for image in stack.release["images"] if image["role"] == "store")
    assert store["registry_digest"].startswith(f"{REGISTRY}/notes-store@sha256:")
    bases = json.loads((KIT / ".offline" / "bases.json").read_text())
    base = next(base for base in bases if base["reference"] == "registry.example/python:3")
    assert base["digest"].startswith(f"{REGISTRY}/base/python@sha256:")


def test_an_unpinned_image_is_warned_about(released: dict[str, Any]) -> None:
    assert any("notes-store:latest is not pinned" in warning for warning in released["warnings"])


def test_notes_are_kept_in_the_store(stack: Stack) -> None:
    assert stack.http("POST", "9100/notes", "first 笔记")["body"] == "kept"
    (kept,) = json.loads(stack.http("GET", "9100/notes")["body"])
    assert json.loads(kept) == "first 笔记"


def test_pages_with_spaces_and_chinese_names_are_mounted(stack: Stack) -> None:
    assert stack.http("GET", "9100/%E6%9B%B4%E5%A4%9A%20pages/%E5%85%B3%E4%BA%8E%20us.txt")["body"] == "about: 关于\n"


def test_a_dollar_in_a_value_arrives_as_it_is_written(stack: Stack) -> None:
    assert stack.http("GET", "9100/")["body"] == "costs $5, not ${5}"


def test_an_image_that_nobody_has_ends_in_one_message_and_nothing_written(registry: str, tmp_path: Path) -> None:
    config = (KIT / "tests/second/release.yml").read_text().replace("notes-store:latest", "no-such-image:1")
    file = tmp_path / "release.yml"
    file.write_text(config.replace("source: .", f"source: {KIT}/tests/second"))
    done = subprocess.run(
        [INVOKE, "release", "--config", file],
        cwd=KIT,
        env={**os.environ, "OFFLINE_OUTPUT": str(tmp_path / "dist")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 6
    assert f"cannot pull {registry}/no-such-image:1" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "dist").exists()
