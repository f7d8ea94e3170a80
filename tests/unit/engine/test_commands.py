from __future__ import annotations

from pathlib import Path

from offline.engine import commands


def test_build() -> None:
    assert commands.build(
        "/usr/bin/docker",
        context=Path("/work/context"),
        dockerfile=Path("/work/Dockerfile"),
        tag="shop/api:build",
        secrets={"offline_env": Path("/work/env"), "offline_ca": Path("/work/ca")},
        args={"A": "two words", "B": ""},
    ) == (
        *("/usr/bin/docker", "build", "--progress=plain", "--file", "/work/Dockerfile", "--tag", "shop/api:build"),
        *("--secret", "id=offline_env,src=/work/env", "--secret", "id=offline_ca,src=/work/ca"),
        *("--build-arg", "A=two words", "--build-arg", "B=", "/work/context"),
    )


def test_builds_use_buildkit_without_attestations() -> None:
    assert commands.BUILD_ENVIRONMENT["DOCKER_BUILDKIT"] == "1"
    assert commands.BUILD_ENVIRONMENT["BUILDX_NO_DEFAULT_ATTESTATIONS"] == "1"


def test_pull_asks_for_the_platform() -> None:
    argv = commands.pull("docker", "a:1", platform="linux/arm64")
    assert argv == ("docker", "pull", "--quiet", "--platform", "linux/arm64", "a:1")


def test_load() -> None:
    assert commands.load("docker") == ("docker", "load", "--quiet")


def test_a_command_in_a_container_reaches_nothing_and_leaves_nothing() -> None:
    assert commands.run_once("docker", "a:1", ("mysqld", "--version")) == (
        *("docker", "run", "--rm", "--network", "none", "--pull", "never", "--entrypoint", "mysqld", "a:1"),
        "--version",
    )
