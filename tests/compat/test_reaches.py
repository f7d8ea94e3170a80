"""What a deploy may take, on each engine: measured beside what the engine itself takes, in the same run."""

from __future__ import annotations

import contextlib
import datetime
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from offline.run import run
from tests.airgap.by_hand import SERVER, Operator, Releases, containers
from tests.airgap.hosts import SPEAK, host
from tests.airgap.images import HOSTS
from tests.airgap.outside import docker, docker_client, process_id
from tests.airgap.ssh_deploys import deploy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import Measured

pytestmark = pytest.mark.timeout(600)

ENGINES = [name for name, kind in HOSTS.items() if kind.engine]
STAMPED = """while IFS= read -r line; do printf '%s %s\\n' "$(date +%s.%N)" "$line"; done"""
CODE, ROWS = "http://127.0.0.1:8003/health", "http://127.0.0.1:8002/xiaozhi/users"


@pytest.fixture(scope="module")
def releases(tmp_path_factory: pytest.TempPathFactory) -> Releases:
    return Releases(tmp_path_factory.mktemp("reaches"))


@pytest.fixture(scope="module", params=ENGINES)
def operator(request: pytest.FixtureRequest, releases: Releases) -> Iterator[Operator]:
    with host(request.param) as standing:
        yield Operator(standing, releases)


def raw_load(operator: Operator) -> float:
    """Seconds of a plain `docker load` of the release's images from one tar; none of them is there afterwards."""
    started = time.monotonic()
    operator.host.run("docker load --quiet --input /root/raw.tar")
    seconds = time.monotonic() - started
    operator.host.run("docker image rm --force $(docker image ls --quiet | sort -u)")
    return seconds


def put_raw(operator: Operator, folder: str) -> None:
    """One tar of plain layers, as an engine with a classic store saves what it has loaded of the bundle."""
    tags = operator.host.run(f"awk -F '\\t' '$1 == \"image\" {{ print $3 }}' {folder}/scripts/facts.tsv").out.split()
    with tempfile.TemporaryDirectory() as place:
        run(["tar", "-xzf", str(operator.releases.bundle("first")), "-C", place, "--strip-components=1"])
        run(
            [
                "bash",
                "-c",
                'set -o pipefail; tar -cf - -C "$1" . | "$2" load',
                "bash",
                f"{place}/images",
                docker_client(),
            ]
        )
        docker("save", "--output", f"{place}/raw.tar", *tags)
        docker("image", "rm", *tags)
        operator.host.put(Path(place) / "raw.tar", "/root/raw.tar")


def between(stamped: str, first: str, then: str) -> float:
    """Seconds between two sentences of a deploy."""
    times = {line.partition(" ")[2]: float(line.partition(" ")[0]) for line in stamped.splitlines()}
    return times[then] - times[first]


def test_images_load_nearly_as_fast_as_from_one_raw_tar(operator: Operator, measured: Measured) -> None:
    folder = operator.unpack("first")
    put_raw(operator, folder)
    raw = [raw_load(operator), raw_load(operator)]
    done = operator.host.run(f"set -o pipefail; cd {folder} && ./offline-deploy.sh --yes 2>&1 | {STAMPED}", check=False)
    assert done.code == 0, done.out
    ours = between(done.out, "Load the images", "Prove the images")
    measured(f"load {ours:.1f} s, raw {min(raw):.1f} to {max(raw):.1f} s: {ours * 2 / sum(raw):.2f} times")
    assert ours <= 1.3 * sum(raw) / 2


@contextlib.contextmanager
def watched(operator: Operator, found: dict[str, dict[str, float]]) -> Iterator[None]:
    """Ask the ports all the time; `found` tells afterwards what each did."""
    network = f"--net=/proc/{process_id(operator.host.name)}/ns/net"
    argv = ["nsenter", network, "--", sys.executable, str(SPEAK), "watch", CODE, ROWS]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as prober:
        yield
        answer, _ = prober.communicate()
    found.update(json.loads(answer))


def test_only_the_changed_service_is_away_and_not_longer_than_it_takes_to_start(
    operator: Operator, measured: Measured
) -> None:
    found: dict[str, dict[str, float]] = {}
    operator.unpack("app")
    with watched(operator, found):
        done = operator.deploy("app")
    assert done.code == 0, done.out
    started = operator.host.run(f"docker inspect --format '{{{{.State.StartedAt}}}}' {SERVER}").out.strip()
    own = found[CODE]["back"] - datetime.datetime.fromisoformat(f"{started[:26]}+00:00").timestamp()
    measured(f"away {found[CODE]['down']:.1f} s, its own start {own:.1f} s; others {found[ROWS]['down']:.1f} s")
    assert 0 < found[CODE]["down"] <= own + 3
    assert found[ROWS]["down"] == 0


def test_a_deploy_of_what_is_in_service_takes_five_seconds(
    operator: Operator, releases: Releases, measured: Measured
) -> None:
    before = containers(operator.host)
    started = time.monotonic()
    done = deploy(operator.host, "--bundle", str(releases.bundle("app")))
    seconds = time.monotonic() - started
    assert (done.code, containers(operator.host)) == (0, before), done.err
    transfer = sum(step["seconds"] for step in done.only["steps"] if step["name"] == "transfer")
    measured(f"nothing changed: {seconds:.1f} s, of which transfer {transfer:.1f} s; {done.only['steps']}")
    assert seconds - transfer <= 5
