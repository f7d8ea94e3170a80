"""Hot updates that go wrong on a real host: what does not compile, what breaks the service, two at once, `kill -9` at
every step. What serves is always whole: the former files or the new ones, and they are what the service runs.

Cures of the hand-written system's failures: 11 (files copied by hand over what runs, and hope) and 12 (success was said
without asking the service).
"""

from __future__ import annotations

import itertools
import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.airgap.by_hand import ROOT, SERVER, Operator, Releases, containers
from tests.airgap.hosts import host
from tests.airgap.outside import docker_client

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.timeout(600)

PLUGIN = "plugins_func/functions/get_time.py"
FILE = f"{ROOT}/current/{PLUGIN}"
EXITS = "raise RuntimeError('made to fail')"
SICK = "from core.health import Health; Health.models_state = lambda self: 'made to fail'"
# Step, and seconds after it began. `restart` is where the service is on other files than before.
MOMENTS = [
    *(("compile", pause) for pause in (0.0, 0.4)),
    ("replace", 0.0),
    *(("restart", pause) for pause in (0.0, 0.3, 0.8, 3.0)),
    *(("health", pause) for pause in (0.0, 0.5)),
    ("proved", 0.0),
]
SURE = [("compile", 0.0), ("restart", 0.0), ("restart", 0.3), ("restart", 0.8), ("health", 0.0)]
# Waits for the step, then ends the script as a power cut does. 3: the run was over before.
KILL = """
until grep -qx action=hot-update {root}/state && grep -qx result=running {root}/state; do sleep 0.01; done
until grep -qx step={step} {root}/state; do
    grep -qx result=running {root}/state || exit 3
    sleep 0.01
done
sleep {pause}
pkill -KILL -f 'hot-update[.]sh' || exit 3
"""
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def operator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    with host("20.10") as standing:
        made = Operator(standing, Releases(tmp_path_factory.mktemp("hot")))
        done = made.deploy("first")
        assert done.code == 0, done.out
        yield made


def runs(operator: Operator) -> str:
    """The sha256 of the plugin that the server runs."""
    return str(json.loads(operator.http("GET", "8003/health")["body"])["modules"][PLUGIN])


def live(operator: Operator) -> str:
    """The sha256 of the plugin that its next start would read."""
    return operator.host.run(f"sha256sum {FILE}").out[:64]


def edit(operator: Operator, line: str) -> str:
    """Add a line to the plugin as an editor does, in a new file; gives its sha256."""
    operator.host.run(
        f"cp {FILE} /root/edited && cat >>/root/edited && mv /root/edited {FILE}", stdin=f"{line}\n".encode()
    )
    return live(operator)


def good(operator: Operator) -> str:
    """An edit that works, another one each time."""
    return edit(operator, f"# edit {next(_numbers)}")


def send(operator: Operator, line: str) -> None:
    """Lay a changed plugin into /root/sent as somebody brings it on a stick."""
    plugin = operator.host.run(f"cat {FILE}").out
    operator.host.put(f"{plugin}{line}\n".encode(), f"/root/sent/{PLUGIN}")


def is_whole(operator: Operator, plugin: str) -> None:
    """The plugin of that hash is live, and what the server runs; every port speaks; nothing half-done lies about."""
    assert (live(operator), runs(operator)) == (plugin, plugin)
    assert operator.status()["healthy"] is True
    operator.every_port_speaks()
    assert "hot" not in operator.state()
    assert operator.host.run(f"find {ROOT} -name '.new-*' -o -name '.hot-*'").out == ""


def test_what_does_not_compile_never_goes_live(operator: Operator) -> None:
    before, plugin = containers(operator.host), live(operator)
    send(operator, "def broken(:")
    done = operator.script("hot-update", "--from", "/root/sent")
    assert (done.code, f"{PLUGIN}, line" in done.out) == (6, True), done.out
    assert containers(operator.host) == before
    is_whole(operator, plugin)


def test_an_edit_that_does_not_compile_is_named_and_the_server_runs_on(operator: Operator) -> None:
    before, plugin = containers(operator.host), runs(operator)
    edit(operator, "def broken(:")
    done = operator.script("hot-update")
    assert (done.code, f"{PLUGIN}, line" in done.out) == (6, True), done.out
    assert (containers(operator.host), runs(operator)) == (before, plugin)
    (proved,) = [line for line in done.out.splitlines() if f"{ROOT}/hot/" in line]
    operator.host.run(f"cp {ROOT}/hot/*/{PLUGIN} {FILE}")  # as the message says
    assert f"/{PLUGIN}" in proved
    is_whole(operator, plugin)


@pytest.mark.parametrize("line", [EXITS, SICK], ids=["the server exits", "the server says that it is sick"])
def test_a_plugin_that_breaks_the_service_is_taken_back(operator: Operator, line: str) -> None:
    plugin = live(operator)
    broken = edit(operator, line)
    done = operator.script("hot-update")
    assert (done.code, "made to fail" in done.out) == (7, True), done.out
    is_whole(operator, plugin)
    kept = operator.host.run(f"sha256sum {ROOT}/drift/*-rejected/{SERVER}/{PLUGIN}").out
    assert broken in kept
    assert operator.state()["result"] == "returned"


def test_a_sent_plugin_that_breaks_the_service_is_taken_back_too(operator: Operator) -> None:
    plugin = live(operator)
    send(operator, EXITS)
    done = operator.script("hot-update", "--from", "/root/sent")
    assert done.code == 7, done.out
    is_whole(operator, plugin)


def test_two_at_once_one_is_told_who_the_other_is(operator: Operator) -> None:
    plugin = good(operator)
    command = ["bash", f"{ROOT}/current/scripts/hot-update.sh"]
    argv = [docker_client(), "exec", "--env", "SUDO_USER=lily", operator.host.name, *command]
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as lily:
        operator.host.run(f"until ! flock -n {ROOT}/lock true; do sleep 0.05; done")
        done = operator.script("hot-update")
        assert lily.wait(120) == 0
    assert (done.code, "lily" in done.out) == (4, True), done.out
    is_whole(operator, plugin)


def killed(operator: Operator, step: str, pause: float) -> bool:
    """Begin a hot update and kill it at that moment; says whether it came to that. Ends when no orphan is at work."""
    argv = [
        docker_client(),
        "exec",
        operator.host.name,
        "bash",
        "-c",
        f"exec bash {ROOT}/current/scripts/hot-update.sh",
    ]
    operator.host.run(f"sed -i /^result=/d {ROOT}/state")
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as begun:
        code = operator.host.run(KILL.format(root=ROOT, step=step, pause=pause), check=False).code
        begun.wait(120)
    assert code in {0, 3}
    operator.host.run(f"flock --timeout 60 {ROOT}/lock true")
    return code == 0


@pytest.mark.parametrize(("step", "pause"), MOMENTS)
def test_a_second_run_finishes_what_a_killed_one_began(operator: Operator, step: str, pause: float) -> None:
    plugin = good(operator)
    hit = killed(operator, step, pause)
    assert hit or (step, pause) not in SURE, "the run was over before its moment: nothing was tested"
    done = operator.script("hot-update")
    assert done.code == 0, done.out
    is_whole(operator, plugin)


@pytest.mark.parametrize("pause", [0.0, 0.2, 0.5, 2.0])
def test_a_second_run_takes_back_what_a_killed_one_was_taking_back(operator: Operator, pause: float) -> None:
    plugin = live(operator)
    edit(operator, EXITS)
    assert killed(operator, "former", pause)
    done = operator.script("hot-update")
    assert done.code in {0, 7}, done.out  # the files were back already, or are now
    is_whole(operator, plugin)


def test_a_deploy_after_a_killed_hot_update_goes_on_with_its_file(operator: Operator) -> None:
    plugin = good(operator)
    assert killed(operator, "restart", 0.3)
    done = operator.deploy("other-module")
    assert done.code == 0, done.out
    assert (live(operator), runs(operator)) == (plugin, plugin)
    done = operator.script("hot-update")
    assert done.code == 0, done.out
    is_whole(operator, plugin)
