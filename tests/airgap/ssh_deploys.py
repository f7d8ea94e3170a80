"""`invoke deploy` and its kin as a release engineer runs them, against a host that stands."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.airgap.hosts import Host

KIT = Path(__file__).parents[2]
INVOKE = Path(sys.executable).with_name("invoke")
ROOT = "/opt/mini"


def release(source: Path, output: Path, *words: str, task: str = "release", work: Path = KIT / ".offline") -> Path:
    """The bundle of a source; `work` is the checkout's work folder, with its layer store."""
    done = subprocess.run(
        [INVOKE, task, "--json", "--source", source, *words],
        cwd=KIT,
        env={**os.environ, "OFFLINE_OUTPUT": str(output), "OFFLINE_WORK": str(work)},
        stdout=subprocess.PIPE,
        check=True,
    )
    return Path(json.loads(done.stdout)["bundle"])


def changed_mini(folder: Path) -> Path:
    """A copy of examples/mini whose server has other code, and nothing else."""
    shutil.copytree(KIT / "examples" / "mini", folder)
    app = folder / "main" / "xiaozhi-server" / "app.py"
    app.write_text(app.read_text() + "# another release\n")
    return folder


@dataclass(frozen=True)
class Done:
    """A task that ended: its code, its JSON where it gave one, what it printed and what it told people."""

    code: int
    result: dict[str, Any]
    out: str
    err: str

    @property
    def only(self) -> dict[str, Any]:
        """The one host of the result."""
        (host,) = self.result["hosts"]
        return dict(host)


def task(*words: str) -> Done:
    """Run a task to its end."""
    done = subprocess.run([INVOKE, *words], cwd=KIT, capture_output=True, text=True, check=False)
    return Done(
        done.returncode, json.loads(done.stdout) if done.stdout.startswith("{") else {}, done.stdout, done.stderr
    )


def deploy(host: Host, *words: str, alias: str = "") -> Done:
    """`invoke deploy` to a host, for its JSON."""
    return task("deploy", "--json", *addressed(host, alias), *words)


def addressed(host: Host, alias: str = "") -> tuple[str, ...]:
    """The flags that name a host."""
    return ("--host", alias or host.name, "--ssh-config", str(host.ssh_config))


@contextmanager
def begun(*words: str) -> Iterator[subprocess.Popen[str]]:
    """A task with a session of its own, killed with its ssh at the end of the block as if its machine had died."""
    process = subprocess.Popen([INVOKE, *words], cwd=KIT, stderr=subprocess.PIPE, text=True, start_new_session=True)
    with process:
        try:
            yield process
        finally:
            os.killpg(process.pid, signal.SIGKILL)


def containers(host: Host) -> dict[str, str]:
    """Id and start of each container by its name."""
    names = host.run("docker ps --format '{{.Names}}'").out.split()
    found = host.run(f"docker inspect --format '{{{{.Name}}}} {{{{.Id}}}} {{{{.State.StartedAt}}}}' {' '.join(names)}")
    return {name.lstrip("/"): rest for name, _, rest in (line.partition(" ") for line in found.out.splitlines())}
