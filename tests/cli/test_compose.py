"""The compose file, read by the two Composes that hosts have. A missing tool fails: it would prove nothing."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from offline.bundle import manifest, payload, render
from offline.config.load import load
from offline.images import plan
from offline.paths import KIT
from tests import builders

if TYPE_CHECKING:
    from collections.abc import Callable

    from offline.bundle.manifest import ReleaseFacts

V1 = Path("/usr/bin/docker-compose")
V2 = Path(sys.executable).with_name("docker-compose")
VALUES = {"STACK_ROOT": "/opt/shop", "DB_PASSWORD": "p$w"}
ODD = {"A": "costs $5, not ${5}", "B": "yes", "C": "中 文", "D": "a: b # c", "E": "\"quoted\" \\ 'single'"}


def composed(tmp_path: Path, compose: Path, content: bytes, **environ: str) -> dict[str, Any]:
    file = tmp_path / "docker-compose-offline.yml"
    file.write_bytes(content)
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    words = [str(compose), "-f", str(file), "-p", "shop", "config"]
    done = subprocess.run(words, env={**kept, **environ}, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    found: dict[str, Any] = yaml.safe_load(done.stdout)
    return found


@pytest.fixture(params=[V1, V2], ids=["1.29", "v2"])
def read(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    def run(content: bytes, **environ: str) -> dict[str, Any]:
        return composed(tmp_path, request.param, content, **environ)

    return run


def test_the_tools_are_the_two_generations() -> None:
    for tool, version in ((V1, "1.29.2"), (V2, "2.")):
        said = subprocess.run([tool, "version", "--short"], capture_output=True, text=True, check=True).stdout
        assert said.removeprefix("v").startswith(version)


def test_the_rendered_file_is_accepted_and_says_what_was_meant(
    read: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    changes = {
        "services.api.environment": {**ODD, "PASSWORD": "${DB_PASSWORD:?}"},
        "services.api.command": ["run", "$HOME"],
        "services.api.healthcheck": {"test": ["CMD-SHELL", 'ask "$PASSWORD"']},
        "services.api.memory": "512m",
        "services.api.cpus": 1.5,
        "services.api.security_opt": ["seccomp:unconfined"],
    }
    facts, _, _ = builders.facts(tmp_path, changes=changes)
    services = read(render.compose(facts), **VALUES)["services"]
    api = services["api"]
    environment = {name: value.replace("$$", "$") for name, value in api["environment"].items()}
    assert environment == {**ODD, "TZ": "UTC", "PASSWORD": "p$w"}
    assert [word.replace("$$", "$") for word in api["command"]] == ["run", "$HOME"]
    assert api["healthcheck"]["test"][1].replace("$$", "$") == 'ask "$PASSWORD"'
    sources = {volume["target"]: volume["source"] for volume in api["volumes"]}
    assert all(source.startswith("/opt/shop/") for source in sources.values())
    assert sources["/app/conf"] == "/opt/shop/shared/conf"
    assert api["image"] == facts.image("api").tag
    assert float(api["cpus"]) == 1.5


@pytest.mark.parametrize("missing", ["STACK_ROOT", "DB_PASSWORD"])
@pytest.mark.parametrize("tool", [V1, V2], ids=["1.29", "v2"])
def test_without_its_root_or_a_secret_it_is_refused(tmp_path: Path, missing: str, tool: Path) -> None:
    facts, _, _ = builders.facts(tmp_path)
    values = {name: value for name, value in VALUES.items() if name != missing}
    with pytest.raises(AssertionError, match=missing):
        composed(tmp_path, tool, render.compose(facts), **values)


@pytest.mark.parametrize("name", ["release.yml", "examples/mini/release.yml", "tests/second/release.yml"])
def test_every_stack_of_the_kit_renders_to_what_compose_accepts(
    read: Callable[..., dict[str, Any]], tmp_path: Path, name: str
) -> None:
    release = load(environ={}, config=str(KIT / name)).release
    values = {**dict.fromkeys(release.secrets, "x"), "STACK_ROOT": release.host.root}
    found = read(render.compose(stand_in(tmp_path, name)), **values)
    assert set(found["services"]) == set(release.services)
    if name.startswith("tests"):
        title = found["services"]["notes"]["environment"]["TITLE"]
        assert title.replace("$$", "$") == "costs $5, not ${5}"


def stand_in(tmp_path: Path, name: str) -> ReleaseFacts:
    """Facts of another stack: its own configuration, images that only have names."""
    release = load(environ={}, config=str(KIT / name)).release
    facts, _, _ = builders.facts(tmp_path)
    services = plan.services_of(release)
    images = tuple(
        dataclasses.replace(facts.images[0], role=role, tag=f"{release.stack}/{role}:0123456789ab")
        for role in plan.roles_of(release)
    )
    items = tuple(
        payload.Item(spec=spec, files=(payload.of_bytes(spec.bundle, b"x"),), missing=()) for spec in release.payload
    )
    return dataclasses.replace(
        facts,
        release=release,
        services=tuple(manifest.start_order(release, services)),
        images=images,
        mounts=manifest.mounts_of(items),
    )


def test_both_read_the_same_from_it(tmp_path: Path) -> None:
    facts, _, _ = builders.facts(tmp_path)
    one = composed(tmp_path, V1, render.compose(facts), **VALUES)
    two = composed(tmp_path, V2, render.compose(facts), **VALUES)
    for name in ("api", "db"):
        assert one["services"][name]["image"] == two["services"][name]["image"]
        assert one["services"][name]["container_name"] == two["services"][name]["container_name"]
    assert json.dumps(one["networks"]["default"]["ipam"]) == json.dumps(two["networks"]["default"]["ipam"])
