"""A bundle put into service as an operator does it: unpacked on a host, and its script run there."""

from __future__ import annotations

import json
import shlex
import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.airgap.ssh_deploys import KIT, ROOT, containers, release

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from offline.run import Result
    from tests.airgap.hosts import Host

__all__ = ["ROOT", "containers"]
SERVER = "xiaozhi-esp32-server"
WEB, DB, REDIS = f"{SERVER}-web", f"{SERVER}-db", f"{SERVER}-redis"
S = "main/xiaozhi-server"
START_LIMIT = 45


def edited(path: str, change: Callable[[str], str]) -> Callable[[Path], None]:
    """A change of one file of a source."""

    def apply(source: Path) -> None:
        file = source / path
        text = change(file.read_text())
        assert text != file.read_text(), f"{path} is as it was"
        file.write_text(text)

    return apply


def _changed(text: str) -> str:
    return text + "# another release\n"


CHANGES: Mapping[str, Callable[[Path], None]] = {
    "first": lambda _source: None,
    "same": lambda _source: None,
    "app": edited(f"{S}/app.py", _changed),
    "exits": edited(f"{S}/app.py", lambda _text: "raise SystemExit('made to fail')\n"),
    "sick": edited(f"{S}/core/health.py", lambda text: text.replace('"ok": all(', '"ok": False and all(')),
    "module": edited(f"{S}/plugins_func/functions/get_time.py", _changed),
    "other-module": edited(f"{S}/plugins_func/functions/recall.py", _changed),
    "default": edited(f"{S}/config.yaml", lambda text: text.replace("    keep: 6", "    keep: 7")),
    "ports": edited("release.yml", lambda text: text.replace('"8003:8003"', '"8003:8003", "8009:8009"')),
    "redis-log": edited(
        "release.yml",
        lambda text: text.replace(
            "    image: redis\n", "    image: redis\n    command: [redis-server, --appendonly, 'yes']\n", 1
        ),
    ),
    "single": edited("release.yml", lambda text: text.replace("stack: mini\n", "stack: mini\nmode: single\n")),
}


@dataclass
class Releases:
    """Bundles of mini, each with one change, made when they are first asked for."""

    folder: Path
    made: dict[str, Path] = field(default_factory=dict)

    def bundle(self, name: str) -> Path:
        """The bundle of a change in CHANGES."""
        if name not in self.made:
            source = self.folder / name / "source"
            shutil.copytree(KIT / "examples" / "mini", source)
            CHANGES[name](source)
            edited(
                "release.yml", lambda text: text.replace("  cpus: 1\n", f"  cpus: 1\n  start_limit: {START_LIMIT}\n", 1)
            )(source)
            self.made[name] = release(source, self.folder / name)
        return self.made[name]

    def id(self, name: str) -> str:
        """The release id of that bundle."""
        return self.bundle(name).name.removesuffix(".tar.gz")[-15:]


@dataclass(frozen=True)
class Operator:
    """Somebody at a host with USB sticks."""

    host: Host
    releases: Releases

    def unpack(self, name: str, folder: str = "/root") -> str:
        """The folder that the bundle unpacks to; unpacked once."""
        bundle = self.releases.bundle(name)
        top = f"{folder}/{bundle.name.removesuffix('.tar.gz')}"
        if self.host.run(f"test -d {top}", check=False).code:
            self.host.put(bundle, f"{folder}/{bundle.name}")
            self.host.run(f"tar -xzf {folder}/{bundle.name} -C {folder} && rm {folder}/{bundle.name}")
        return top

    def deploy(self, name: str, *options: str) -> Result:
        """Run the bundle's own script; whatever it ends with."""
        return self.at(self.unpack(name), *options)

    def at(self, folder: str, *options: str) -> Result:
        """The script of an unpacked bundle, stdout and stderr in one."""
        return self.host.run(f"cd {folder} && ./offline-deploy.sh --yes {shlex.join(options)} 2>&1", check=False)

    def script(self, name: str, *options: str) -> Result:
        """A script of the release in service."""
        return self.host.run(f"cd {ROOT}/current && bash scripts/{name}.sh {shlex.join(options)} 2>&1", check=False)

    def status(self) -> dict[str, Any]:
        """`status --json`."""
        found: dict[str, Any] = json.loads(self.host.run(f"bash {ROOT}/current/scripts/status.sh --json").out)
        return found

    def state(self) -> dict[str, str]:
        """The host's memory."""
        lines = self.host.run(f"cat {ROOT}/state").out.splitlines()
        return dict(line.split("=", 1) for line in lines)

    def current(self) -> str:
        """The release that `current` points at; empty without one."""
        return self.host.run(f"readlink {ROOT}/current", check=False).out.strip().removeprefix("releases/")

    def http(self, method: str, url: str, body: object = None) -> dict[str, Any]:
        """Speak HTTP from inside the host."""
        words = [json.dumps(body)] if body is not None else []
        return self.host.speak("http", method, f"http://127.0.0.1:{url}", *words)

    def code(self) -> str:
        """The hash of the code that the server runs."""
        return str(json.loads(self.http("GET", "8003/health")["body"])["code"])

    def add_user(self, name: str) -> None:
        """Write a row through the API."""
        assert self.http("POST", "8002/xiaozhi/users", {"username": name})["status"] == 201

    def users(self) -> list[str]:
        """The rows that the API reads."""
        return [user["username"] for user in json.loads(self.http("GET", "8002/xiaozhi/users")["body"])["users"]]

    def every_port_speaks(self) -> None:
        """HTTP and WebSocket with an answer through a plugin, a row and a counter."""
        asked = json.dumps({"type": "listen", "text": "现在几点了"})
        (answer,) = self.host.speak("websocket", "ws://127.0.0.1:8000/xiaozhi/v1/", asked)["answers"]
        assert answer["function"] == "get_time"
        assert json.loads(self.http("GET", "8003/health")["body"])["ok"] is True
        assert "<html" in self.http("GET", "8002/")["body"].lower()
        assert self.http("POST", "8002/xiaozhi/count")["status"] == 200
        assert self.http("GET", "8002/xiaozhi/users")["status"] == 200

    def names(self) -> list[str]:
        """Every container of the host, running or not."""
        return sorted(self.host.run("docker ps --all --format '{{.Names}}'").out.split())
