"""An unpacked bundle laid out as on a host, and its stack brought up on an engine of one's own."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from tests.engine import wait_until

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.engine import Engine

SPEAK = Path(__file__).with_name("speak.py")
PASSWORD = "0123456789abcdef0123456789abcdef"


def unpack(bundle: Path, into: Path) -> Path:
    """Unpack as an operator does; gives the one folder."""
    subprocess.run(["tar", "-xzf", bundle, "-C", into], check=True)
    with tarfile.open(bundle) as archive:
        top = archive.next()
    assert top is not None
    return into / top.name


@dataclass(frozen=True)
class Stack:
    """A stack on an engine that reaches nothing."""

    engine: Engine
    bundle: Path
    root: Path

    @property
    def release(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.bundle / "release.json").read_text())
        return found

    def load(self) -> None:
        """Load the images as the guide says."""
        archive = subprocess.run(
            ["tar", "-cf", "-", "-C", self.bundle / "images", "."], check=True, capture_output=True
        )
        self.engine.docker("load", data=archive.stdout)

    def lay_out(self) -> None:
        """Put payload and host-owned folders where the compose file expects them."""
        for mount in self.release["mounts"]:
            source, target = self.bundle / mount["bundle"], self.root / mount["source"]
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, target)
            else:
                shutil.copy2(source, target)
            if mount["owner"] == "host":
                owner, group = (int(number) for number in mount["user"].split(":"))
                target.chmod(int(mount["mode"], 8))
                shutil.chown(target, owner, group)

    def up(self, *services: str) -> None:
        """Start services and await their health."""
        self.compose("up", "-d", "--no-deps", "--no-build", *services)
        for service in services:
            wait_until(lambda: self.healthy(service), seconds=120, what=f"{service} to be healthy")  # noqa: B023

    def compose(self, *words: str) -> str:
        values = {"STACK_ROOT": str(self.root), **dict.fromkeys(self.release["secrets"], PASSWORD)}
        file = str(self.bundle / "docker-compose-offline.yml")
        return self.engine.compose("-f", file, "-p", self.release["stack"], *words, environment=values)

    def healthy(self, service: str) -> bool:
        state = json.loads(self.engine.docker("inspect", "--format", "{{json .State}}", service))
        log = self.engine.docker("logs", "--tail", "30", service) if state["Status"] != "running" else ""
        assert state["Status"] == "running", f"{service} is {state['Status']}:\n{log}"
        return bool(state.get("Health", {"Status": "healthy"})["Status"] == "healthy")

    def first_run(self) -> None:
        """Carry the values that the application made on its first start to the file that asks for them."""
        for value in self.release["first_run"]:
            made = self.engine.docker("exec", value["query_in"], *value["query"]).strip()
            file = self.root / "shared" / value["file"]
            content = yaml.safe_load(file.read_text()) or {}
            for key, text in {value["key"]: made, **value["also"]}.items():
                _put(content, key, text)
            file.write_text(yaml.safe_dump(content))

    def http(self, method: str, url: str, body: object = None) -> dict[str, Any]:
        """Speak HTTP from inside the host."""
        words = [json.dumps(body)] if body is not None else []
        return self._speak("http", method, f"http://127.0.0.1:{url}", *words)

    def websocket(self, url: str, *messages: Mapping[str, object]) -> list[dict[str, Any]]:
        """Speak WebSocket from inside the host; gives the answers."""
        texts = [json.dumps(message) for message in messages]
        answers: list[dict[str, Any]] = self._speak("websocket", f"ws://127.0.0.1:{url}", *texts)["answers"]
        return answers

    def reaches(self, address: str, port: str) -> bool:
        """Whether a connection can be made from inside the host."""
        return bool(self._speak("reach", address, port)["reached"])

    def _speak(self, *words: str) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self.engine.inside(sys.executable, str(SPEAK), *words))
        return answer


def _put(content: dict[str, Any], key: str, value: str) -> None:
    *folders, last = key.split(".")
    for name in folders:
        content = content.setdefault(name, {})
    content[last] = value
