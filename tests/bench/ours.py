"""The kit as a user runs it, with folders of its own, and with a clock on what it asks of the docker client."""

from __future__ import annotations

import json
import os
import random
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.bench.measuring import KIT, Measured, timed
from tests.engine import client

if TYPE_CHECKING:
    from collections.abc import Iterator

INVOKE = Path(sys.executable).with_name("invoke")
_CLOCK = """\
#!/bin/bash
# The docker client; writes down how long each command took, in microseconds.
started=${{EPOCHREALTIME/./}}
{client} "$@"
code=$?
printf '%s %s\\n' $((${{EPOCHREALTIME/./}} - started)) "$*" >> {log}
exit $code
"""
_MODULES, _FILES, _LINES = 12, 12, 60


@dataclass(frozen=True, kw_only=True)
class Released:
    """One release: `builds` are the seconds in which the engine built its images, the rest is the kit's."""

    whole: Measured
    builds: float
    id: str
    layer: int
    """Bytes of new layers."""

    @property
    def beyond(self) -> Measured:
        """Everything beyond the builds."""
        return Measured(seconds=self.whole.seconds - self.builds, size=self.whole.size, peak=self.whole.peak)


@dataclass(frozen=True)
class Ours:
    """The kit on a copy of one of the stacks that lie here."""

    folder: Path
    stack: str

    @property
    def work(self) -> Path:
        return self.folder / "work"

    @property
    def output(self) -> Path:
        return self.folder / "dist"

    @property
    def source(self) -> Path:
        return self.folder / "source"

    @property
    def changing(self) -> Path:
        """The one file that changes."""
        return self.source / "app" / "app.py"

    def prepare(self) -> None:
        """Copy the stack, with an application of more than a hundred files, and build it: none of it is measured."""
        shutil.copytree(Path(__file__).parent, self.source)
        chance = random.Random(1)  # noqa: S311 - the same on every run
        for module in range(_MODULES):
            folder = self.source / "app" / f"module_{module}"
            folder.mkdir()
            for number in range(_FILES):
                lines = (f"VALUE_{line} = {chance.getrandbits(128)}\n" for line in range(_LINES))
                (folder / f"part_{number}.py").write_text("".join(lines))
        self._clock.write_text(_CLOCK.format(client=client(), log=self._log))
        self._clock.chmod(0o755)
        self._run("build-offline")

    def remember(self) -> None:
        """Keep what the build left, for `forget`."""
        shutil.copytree(self.work, self._remembered, symlinks=True)

    def forget(self) -> None:
        """Go back to what was remembered: nothing was exported."""
        shutil.rmtree(self.work)
        shutil.copytree(self._remembered, self.work, symlinks=True)

    def pack(self) -> Measured:
        """Export and package once."""
        took = self._run("export", "package")
        (bundle,) = self.output.glob("*.tar.gz")
        size = bundle.stat().st_size
        shutil.rmtree(self.output)
        return Measured(seconds=took.seconds, size=size, peak=took.peak)

    def release(self, *flags: str) -> Released:
        """The whole pipeline once, from one command."""
        self._log.write_text("")
        answer = self.folder / "answer.json"
        took = self._run("release", "--json", *flags, output=answer)
        result: dict[str, Any] = json.loads(answer.read_bytes())
        builds = sum(self._builds())
        layer = sum(image["new_bytes"] for image in result["images"])
        whole = Measured(seconds=took.seconds, size=result["bytes"], peak=took.peak)
        return Released(whole=whole, builds=builds, id=result["id"], layer=layer)

    def change(self) -> int:
        """Change one line of one file; gives the size of the file."""
        with self.changing.open("a") as opened:
            opened.write(f"CHANGED = {random.getrandbits(64)}\n")
        return self.changing.stat().st_size

    @property
    def _remembered(self) -> Path:
        return self.folder / "remembered"

    @property
    def _clock(self) -> Path:
        return self.folder / "docker"

    @property
    def _log(self) -> Path:
        return self.folder / "docker.log"

    def _builds(self) -> Iterator[float]:
        """Seconds of the builds that somebody without the kit needs too."""
        for line in self._log.read_text().splitlines():
            microseconds, *words = line.split()
            if words[0] == "build" and any(word.endswith(":build") for word in words):
                yield int(microseconds) / 1e6

    def _run(self, *words: str, output: str | Path = os.devnull) -> Measured:
        variables = {
            "OFFLINE_WORK": str(self.work),
            "OFFLINE_OUTPUT": str(self.output),
            "OFFLINE_CONFIG": str(self.source / self.stack),
            "OFFLINE_DOCKER": str(self._clock),
        }
        return timed((INVOKE, *words), environment=variables, output=output)


def listing() -> Measured:
    """`invoke --list`, the best of five: what else the machine does comes and goes."""
    return min((timed((INVOKE, "--list")) for _ in range(5)), key=lambda took: took.seconds)


def kit_folder() -> Path:
    """Where the benchmark works: on the disk of the checkout, as a temporary folder may be in memory."""
    folder = KIT / ".offline"
    folder.mkdir(exist_ok=True)
    return folder
