"""`kill -9` of the script, and of the engine, at every step: a second run ends healthy, never in between.

Whoever kills watches `state` from outside; the scripts know nothing of it.
"""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.airgap.by_hand import DB, REDIS, ROOT, SERVER, WEB, Operator, Releases
from tests.airgap.hosts import host
from tests.airgap.outside import docker_client

if TYPE_CHECKING:
    from collections.abc import Iterator

# Step, and seconds after it began: `up` is where containers are replaced, so it is looked at more closely.
MOMENTS = [
    *(("load", pause) for pause in (0.0, 1.0)),
    *(("prove", pause) for pause in (0.0, 0.2)),
    *(("backup", pause) for pause in (0.0, 1.0, 2.5)),
    *(("switch", pause) for pause in (0.0, 0.2)),
    *(("up", pause) for pause in (0.0, 0.7, 1.5, 2.5, 4.0)),
    *(("health", pause) for pause in (0.0, 0.7)),
    *(("record", pause) for pause in (0.0, 0.2)),
]
SURE = [
    *(("load", 0.0), ("backup", 0.0), ("backup", 1.0), ("switch", 0.0)),
    *(("up", 0.0), ("up", 0.7), ("up", 1.5), ("health", 0.0), ("record", 0.0)),
]
SCRIPT = "pkill -KILL -f 'offline-deploy[.]sh|docker-compos[e]|docker loa[d]'"
ENGINE = "pkill -KILL -x dockerd"
# Waits for the step, then ends every process of that name at once, as a power cut does. 3: the run was over before.
KILL = """
until grep -qx result=running {root}/state; do sleep 0.01; done
until grep -qx step={step} {root}/state; do
    grep -qx result=running {root}/state || exit 3
    sleep 0.01
done
sleep {pause}
{kill} || exit 3
"""


@pytest.fixture(scope="module")
def operator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    with host("20.10") as standing:
        made = Operator(standing, Releases(tmp_path_factory.mktemp("killed")))
        assert made.deploy("first").code == 0
        made.add_user("kept")
        yield made


def killed(operator: Operator, name: str, step: str, pause: float, kill: str) -> bool:
    """Begin a deploy and kill at that moment; says whether it came to that. Ends when no orphan is at work any more."""
    folder = operator.unpack(name)
    argv = [docker_client(), "exec", operator.host.name, "bash", "-c", f"cd {folder} && exec ./offline-deploy.sh --yes"]
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as begun:
        code = operator.host.run(KILL.format(step=step, root=ROOT, pause=pause, kill=kill), check=False).code
        begun.wait(180)
    assert code in {0, 3}
    if kill == SCRIPT:
        operator.host.run(f"flock --timeout 120 {ROOT}/lock true")
    return code == 0


def other(operator: Operator) -> str:
    """The release that is not in service."""
    return "app" if operator.current() == operator.releases.id("first") else "first"


def is_whole(operator: Operator, name: str) -> None:
    assert operator.current() == operator.releases.id(name)
    assert operator.names() == sorted([SERVER, WEB, DB, REDIS])
    assert operator.status()["healthy"] is True
    assert operator.users() == ["kept"]
    operator.every_port_speaks()
    assert operator.host.run(f"find {ROOT} -name '.partial*' -o -name '.new-*'").out == ""


@pytest.mark.parametrize(("step", "pause"), MOMENTS)
def test_a_second_run_finishes_what_a_killed_one_began(operator: Operator, step: str, pause: float) -> None:
    target = other(operator)
    hit = killed(operator, target, step, pause, SCRIPT)
    assert hit or (step, pause) not in SURE, "the run was over before its moment: nothing was tested"
    done = operator.deploy(target)
    assert done.code == 0, done.out
    is_whole(operator, target)


def test_another_release_after_a_killed_one_is_as_good(operator: Operator) -> None:
    former, target = operator.current(), other(operator)
    killed(operator, target, "up", 1.5, SCRIPT)
    back = next(name for name in ("first", "app") if operator.releases.id(name) == former)
    done = operator.deploy(back)
    assert done.code == 0, done.out
    is_whole(operator, back)


@pytest.mark.parametrize(("step", "pause"), [("load", 0.5), ("up", 1.0), ("health", 0.2)])
def test_a_run_whose_engine_was_killed_is_finished_by_the_next(operator: Operator, step: str, pause: float) -> None:
    target = other(operator)
    killed(operator, target, step, pause, ENGINE)
    operator.host.run(
        "pkill -KILL -x containerd; rm -f /run/docker.pid /run/docker/containerd/containerd.pid", check=False
    )
    operator.host.engine_up()
    done = operator.deploy(target)
    if done.code == 5 and "Restart the engine" in done.out:
        # 20.10 has lost track of a port; the refusal says what helps.
        operator.host.engine_down()
        operator.host.engine_up()
        done = operator.deploy(target)
    assert done.code == 0, done.out
    is_whole(operator, target)


def test_what_a_killed_run_left_at_work_holds_the_lock_and_is_named(operator: Operator) -> None:
    argv = [docker_client(), "exec", operator.host.name, "bash", "-c", f"exec 9>>{ROOT}/lock; flock 9; exec sleep 1000"]
    with subprocess.Popen(argv) as orphan:
        operator.host.run(f"until ! flock -n {ROOT}/lock true; do sleep 0.1; done")
        done = operator.deploy(other(operator))
        operator.host.kill("sleep 1000")
        orphan.wait(30)
    assert done.code == 4, done.out
    assert "sleep 1000" in done.out


def test_two_operators_at_once_one_is_told_who_the_other_is(operator: Operator) -> None:
    folder = operator.unpack(other(operator))
    argv = [
        docker_client(),
        "exec",
        "--env",
        "SUDO_USER=lily",
        operator.host.name,
        f"{folder}/offline-deploy.sh",
        "--yes",
    ]
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as lily:
        operator.host.run(f"until ! flock -n {ROOT}/lock true; do sleep 0.1; done")
        done = operator.at(folder)
        assert lily.wait(180) == 0
    assert done.code == 4, done.out
    assert "lily" in done.out
