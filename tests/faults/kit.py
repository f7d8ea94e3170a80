"""The kit run as a user runs it, on a small stack whose images an engine already has: made to be interrupted."""

from __future__ import annotations

import hashlib
import io
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tarfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING

from tests.engine import client, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

KIT = Path(__file__).parents[2]
INVOKE = Path(sys.executable).with_name("invoke")
PARTIAL = ".partial-"
DEBIAN = "{from: [bootstrap], bootstrap: {suite: bookworm, packages: [ca-certificates, tzdata]}}"
RELEASE = """
schema: 1
stack: bulk
bundle: bulk
source: .
network: {{subnet: 172.30.80.0/24}}
host: {{root: /opt/bulk}}
bases:
  "debian:bookworm-slim": {base}
images:
{images}
services:
{services}
payload:
  - {{bundle: files, files: [files], service: {first}, target: /files, read_only: true}}
"""


@dataclass(frozen=True)
class Kit:
    """A source, a work folder and an output folder of a test's own, and the engine to use."""

    folder: Path
    engine: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))

    @property
    def source(self) -> Path:
        return self.folder / "source"

    @property
    def work(self) -> Path:
        return self.folder / "work"

    @property
    def output(self) -> Path:
        return self.folder / "dist"

    @property
    def blobs(self) -> Path:
        return self.work / "store" / "blobs" / "sha256"

    def describe(self, images: Mapping[str, str], base: str = DEBIAN) -> None:
        """Write the source: a release.yml with one service for each image and one base, and one payload file."""
        (self.source / "files").mkdir(parents=True, exist_ok=True)
        (self.source / "files" / "a file.txt").write_text("内容\n")
        text = RELEASE.format(
            base=base,
            images="\n".join(f"  {role}: {how}" for role, how in images.items()),
            services="\n".join(f"  {role}: {{image: {role}}}" for role in images),
            first=next(iter(images)),
        )
        (self.source / "release.yml").write_text(text)

    def forget(self) -> None:
        """Empty the layer store."""
        shutil.rmtree(self.work / "store", ignore_errors=True)

    def run(self, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a task to its end."""
        return subprocess.run(
            [INVOKE, *words], cwd=KIT, env=self._environment(variables), capture_output=True, text=True, check=False
        )

    def done(self, *words: str, **variables: str) -> str:
        """Run a task that must end well; gives stdout."""
        result = self.run(*words, **variables)
        assert result.returncode == 0, result.stderr
        return result.stdout

    @contextmanager
    def started(self, *words: str, **variables: str) -> Iterator[Started]:
        """Start a task in a process group of its own; nothing of it runs after the block."""
        with (self.folder / "stderr").open("w+b") as errors:
            process = subprocess.Popen(
                [INVOKE, *words],
                cwd=KIT,
                env=self._environment(variables),
                stdout=subprocess.DEVNULL,
                stderr=errors,
                start_new_session=True,
            )
            started = Started(process, errors)
            try:
                yield started
            finally:
                started.signal(signal.SIGKILL)
                process.wait(30)

    def _environment(self, variables: Mapping[str, str]) -> dict[str, str]:
        return {
            **self.engine,
            "OFFLINE_CONFIG": str(self.source / "release.yml"),
            "OFFLINE_WORK": str(self.work),
            "OFFLINE_OUTPUT": str(self.output),
            **variables,
        }


@dataclass(frozen=True)
class Started:
    """A task at work."""

    process: subprocess.Popen[bytes]
    errors: IO[bytes]

    def said(self) -> str:
        """What it has told the person up to now."""
        self.errors.seek(0)
        return self.errors.read().decode()

    def members(self) -> list[int]:
        """The processes of its group that still run, itself included."""
        found = []
        for entry in Path("/proc").iterdir():
            try:
                state, _, group = (entry / "stat").read_text().rpartition(")")[2].split()[:3]
            except (OSError, ValueError):
                continue
            if int(group) == self.process.pid and state != "Z":
                found.append(int(entry.name))
        return found

    def signal(self, number: signal.Signals) -> None:
        """Signal the whole group, as a terminal does for Ctrl-C."""
        try:
            os.killpg(self.process.pid, number)
        except ProcessLookupError:
            return

    def ended(self, seconds: float = 30) -> int:
        """Await its end; gives the code, once no process of the group is left."""
        code = self.process.wait(seconds)
        wait_until(lambda: not self.members(), seconds=5, what="the children to be gone")
        return code


def image(name: str, *layers: bytes, environment: Mapping[str, str]) -> None:
    """Load an image of plain files into an engine."""
    archive = docker_archive(name, *layers)
    subprocess.run([client(), "load", "--quiet"], input=archive, env=environment, stdout=subprocess.DEVNULL, check=True)


def docker_archive(name: str, *layers: bytes) -> bytes:
    """An image of plain files, as `docker save` writes it; the same bytes give the same image."""
    tars = [_tar({f"file-{number}": content}) for number, content in enumerate(layers)]
    diff_ids = [f"sha256:{hashlib.sha256(tar).hexdigest()}" for tar in tars]
    config = json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": {"Cmd": ["/file-0"]},
            "rootfs": {"type": "layers", "diff_ids": diff_ids},
            "history": [{"created": "2024-01-01T00:00:00Z"} for _ in tars],
        }
    ).encode()
    names = [f"{number}.tar" for number in range(len(tars))]
    manifest = json.dumps([{"Config": "config.json", "RepoTags": [name], "Layers": names}]).encode()
    return _tar({"config.json": config, "manifest.json": manifest, **dict(zip(names, tars, strict=True))})


def noise(size: int, seed: int) -> bytes:
    """Bytes that no compressor makes smaller, the same for the same seed."""
    return random.Random(seed).randbytes(size)  # noqa: S311 - reproducible on purpose


def damaged(blobs: Path) -> list[str]:
    """Blobs whose name is not the hash of their bytes; what is half-written has no such name yet."""
    named = [path for path in sorted(blobs.glob("*")) if not path.name.startswith(PARTIAL)]
    return [path.name for path in named if path.name != _sha256(path)]


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _tar(files: Mapping[str, bytes]) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return target.getvalue()


@contextmanager
def small_disk(path: Path, size: str) -> Iterator[Path]:
    """A file system of a fixed size, in memory."""
    path.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", path], check=True)
    try:
        yield path
    finally:
        subprocess.run(["umount", path], check=True)


def used(path: Path) -> int:
    """Bytes in use on the file system at a path."""
    facts = os.statvfs(path)
    return (facts.f_blocks - facts.f_bfree) * facts.f_frsize


def partials(folder: Path) -> Sequence[Path]:
    """What is half-written under a folder, at any depth."""
    return sorted(folder.rglob(f"{PARTIAL}*"))


def size(path: Path) -> int:
    """Bytes of a file that may be gone by now."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
