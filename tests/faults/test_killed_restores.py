"""`kill -9` of a restore, and of the engine, around every step: the old data serves, and a second run completes.

Whoever kills watches `state` from outside; the scripts know nothing of it.
"""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.airgap.backups import back_up, forget, holds, restore, write
from tests.airgap.by_hand import DB, REDIS, ROOT, SERVER, WEB, Operator, Releases
from tests.airgap.hosts import host
from tests.airgap.outside import docker_client

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.timeout(900)

# Step, and seconds after it began: `exchange` is where data is renamed, so it is looked at most closely.
MOMENTS = [
    *(("beside", pause) for pause in (0.0, 1.0, 2.5, 4.0, 5.5)),
    *(("exchange", pause) for pause in (0.0, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 1.1, 1.3)),
    *(("up", pause) for pause in (0.0, 0.5, 3.0, 8.0)),
    *(("health", pause) for pause in (0.0, 0.7)),
    *(("keep", pause) for pause in (0.0, 0.05)),
]
SURE = [("beside", 0.0), ("beside", 2.5), ("exchange", 0.0), ("exchange", 0.1), ("up", 0.0), ("up", 3.0)]
SCRIPT = "pkill -KILL -f 'restore[.]sh'"
ENGINE = "pkill -KILL -x dockerd"
# Waits for the step, then ends every process of that name at once, as a power cut does. 3: the run was over before.
KILL = """
until grep -qx action={action} {root}/state && grep -qx result=running {root}/state; do sleep 0.01; done
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
        yield made


@pytest.fixture(scope="module")
def backup(operator: Operator) -> str:
    write(operator, "A")
    return back_up(operator)


def killed(operator: Operator, backup: str, step: str, pause: float, kill: str) -> bool:
    """Begin a restore and kill at that moment; says whether it came to that. Ends when no orphan is at work."""
    command = f"exec bash {ROOT}/current/scripts/restore.sh {backup} --yes"
    argv = [docker_client(), "exec", operator.host.name, "bash", "-c", command]
    operator.host.run(f"sed -i /^result=/d {ROOT}/state")
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as begun:
        script = KILL.format(action="restore", step=step, root=ROOT, pause=pause, kill=kill)
        code = operator.host.run(script, check=False).code
        begun.wait(180)
    assert code in {0, 3}
    if kill == SCRIPT:
        operator.host.run(f"flock --timeout 120 {ROOT}/lock true")
    return code == 0


def is_whole(operator: Operator) -> None:
    assert operator.names() == sorted([SERVER, WEB, DB, REDIS])
    assert operator.status()["healthy"] is True
    operator.every_port_speaks()
    policies = operator.host.run(
        f"docker inspect --format '{{{{.HostConfig.RestartPolicy.Name}}}}' {SERVER} {WEB} {DB} {REDIS}"
    )
    assert set(policies.out.split()) == {"always"}
    left = operator.host.run(f"find {ROOT} -maxdepth 1 -name exchange -o -name '.beside' -o -name '*.restoring-*'").out
    assert left == ""


@pytest.mark.parametrize(("step", "pause"), MOMENTS)
def test_a_killed_restore_leaves_the_old_data_serving_and_a_second_completes(
    operator: Operator, backup: str, step: str, pause: float
) -> None:
    write(operator, "B")
    before = operator.state().get("restored")
    hit = killed(operator, backup, step, pause, SCRIPT)
    assert hit or (step, pause) not in SURE, "the run was over before its moment: nothing was tested"
    over = operator.state().get("restored") != before
    if step == "beside":
        holds(operator, "A", "B")  # nothing was stopped
    done = operator.script("restart", REDIS)
    assert done.code == 0, done.out
    is_whole(operator)
    holds(operator, *(("A",) if over else ("A", "B")))
    done = restore(operator, backup)
    assert done.code == 0, done.out
    is_whole(operator)
    holds(operator, "A")
    forget(operator)


@pytest.mark.parametrize(("step", "pause"), [("beside", 2.5), ("exchange", 0.3), ("exchange", 0.9), ("up", 1.0)])
def test_a_restore_whose_engine_was_killed_is_taken_back_by_the_next_command(
    operator: Operator, backup: str, step: str, pause: float
) -> None:
    write(operator, "B")
    killed(operator, backup, step, pause, ENGINE)
    operator.host.run(
        "pkill -KILL -x containerd; rm -f /run/docker.pid /run/docker/containerd/containerd.pid", check=False
    )
    operator.host.engine_up()
    done = operator.script("restart", REDIS)
    assert done.code == 0, done.out
    is_whole(operator)
    holds(operator, "A", "B")
    done = restore(operator, backup)
    assert done.code == 0, done.out
    holds(operator, "A")
    forget(operator)
