"""An operator at a terminal: the connection is lost, or Ctrl-C is pressed. Nothing is left in between."""

from __future__ import annotations

import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.airgap.by_hand import DB, REDIS, ROOT, SERVER, WEB, Operator, Releases
from tests.airgap.hosts import host

if TYPE_CHECKING:
    from collections.abc import Iterator

CTRL_C = b"\x03"


@pytest.fixture(scope="module")
def operator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    with host("20.10") as standing:
        made = Operator(standing, Releases(tmp_path_factory.mktemp("terminals")))
        assert made.deploy("first").code == 0
        made.add_user("kept")
        yield made


@contextmanager
def terminal(operator: Operator, name: str) -> Iterator[subprocess.Popen[bytes]]:
    """A deploy begun at a terminal of its own, over ssh; the terminal is gone at the end of the block."""
    folder = operator.unpack(name)
    ssh = ["ssh", "-tt", "-F", str(operator.host.ssh_config), operator.host.name]
    argv = [*ssh, f"cd {folder} && ./offline-deploy.sh --yes"]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as begun:
        try:
            yield begun
        finally:
            begun.kill()


def await_step(operator: Operator, step: str) -> None:
    running = f"grep -qx result=running {ROOT}/state"
    done = operator.host.run(
        f"timeout 90 bash -c 'until {running} && grep -qx step={step} {ROOT}/state; do sleep 0.02; done'", check=False
    )
    assert done.code == 0, f"never came to {step}"


def await_end(operator: Operator) -> None:
    operator.host.run(f"flock --timeout 180 {ROOT}/lock true")


def is_whole(operator: Operator, name: str) -> None:
    assert operator.current() == operator.releases.id(name)
    assert operator.names() == sorted([SERVER, WEB, DB, REDIS])
    assert operator.users() == ["kept"]
    operator.every_port_speaks()


def test_ctrl_c_before_the_switch_changes_nothing(operator: Operator) -> None:
    with terminal(operator, "app") as begun:
        await_step(operator, "load")
        out, _ = begun.communicate(CTRL_C, timeout=90)
    assert begun.returncode == 130, out.decode()
    assert operator.state()["result"] == "interrupted"
    is_whole(operator, "first")


def test_ctrl_c_after_it_takes_back_what_was_begun(operator: Operator) -> None:
    with terminal(operator, "app") as begun:
        await_step(operator, "up")
        out, _ = begun.communicate(CTRL_C, timeout=180)
    assert begun.returncode == 7, out.decode()
    is_whole(operator, "first")


@pytest.mark.parametrize("step", ["load", "up"])
def test_a_lost_connection_changes_nothing_of_what_happens(operator: Operator, step: str) -> None:
    target = "app" if operator.current() == operator.releases.id("first") else "first"
    operator.host.run("docker image ls --quiet mini/server | sort -u | xargs -n 1 docker image rm", check=False)
    with terminal(operator, target):
        await_step(operator, step)
    await_end(operator)
    assert operator.state()["result"] == "done"
    is_whole(operator, target)


def test_who_came_over_ssh_is_written_down(operator: Operator) -> None:
    froms = {line.split("\t")[2] for line in operator.host.run(f"cat {ROOT}/audit.log").out.splitlines()}
    assert len(froms) == 2
    assert "local" in froms
