from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import docker
import pytest

from offline.paths import KIT
from offline.run import run


@pytest.mark.parametrize("argv", [["docker", "version"], ["/usr/bin/docker", "version"], ["sh", "-c", "true"], "true"])
def test_a_program_is_not_started(argv: list[str] | str) -> None:
    with pytest.raises(pytest.fail.Exception, match=r"a unit test started .*; such a test belongs in tests/cli"):
        subprocess.run(argv, check=True)


def test_a_shell_is_not_started_even_for_an_allowed_program() -> None:
    with pytest.raises(pytest.fail.Exception, match="a unit test started"):
        subprocess.run("tar --version", shell=True, check=True)  # noqa: S602 - that is what is refused


def test_the_kits_own_way_to_programs_is_guarded_too() -> None:
    with pytest.raises(pytest.fail.Exception, match="a unit test started"):
        run(["docker", "version"], check=False)


def test_this_python_may_be_started() -> None:
    assert run([sys.executable, "-c", "print(1)"]).out == "1\n"


def test_nothing_is_connected_to() -> None:
    with socket.socket() as opened, pytest.raises(pytest.fail.Exception, match="a unit test connected to"):
        opened.connect(("127.0.0.1", 9))
    with pytest.raises(pytest.fail.Exception, match="a unit test connected to"):
        socket.create_connection(("127.0.0.1", 9))


def test_no_engine_is_connected_to() -> None:
    for make in (docker.DockerClient, docker.APIClient, docker.from_env):
        with pytest.raises(pytest.fail.Exception, match="a unit test connected to a Docker engine"):
            make()


def test_home_and_working_folder_are_temporary() -> None:
    assert Path.home() == Path.cwd()
    assert not Path.cwd().is_relative_to(KIT)
    assert [name for name in os.environ if name.startswith("OFFLINE_")] == []
