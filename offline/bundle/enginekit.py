"""The engine that a bundle brings to a bare host: Docker's static tarball, a Compose binary, and a systemd unit.

Docker publishes no checksums of its static tarballs, so release.yml pins what was fetched first; from then on other
bytes are refused, when fetching and when packaging. The unit is the kit's own, templates/docker.service.
"""

from __future__ import annotations

import struct
import tarfile
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from offline import paths
from offline.bundle import layout, payload
from offline.errors import UsageError, VerifyError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from offline.bundle.payload import File
    from offline.config.schema import EnginePayload

Part = Literal["docker", "compose"]

BINARIES = ("containerd", "containerd-shim-runc-v2", "ctr", "docker", "docker-init", "docker-proxy", "dockerd", "runc")
"""What the static tarball must hold, in its folder docker/ (docs.docker.com/engine/install/binaries)."""
COMPOSE_VERSION = "2.27.1"
"""Of the time of engine 26.1, the last one supported on CentOS 7."""
_ARCHITECTURES = {"linux/amd64": ("x86_64", 62), "linux/arm64": ("aarch64", 183)}
"""By platform: the name in addresses, and e_machine of an ELF header."""
_UNIT = "docker.service"


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """One file that `fetch-engine` brings."""

    part: Part
    version: str
    path: Path
    url: str
    sha256: str | None
    """What release.yml pins; None: not pinned yet."""


def wanted(
    engine: EnginePayload | None, *, version: str | None, compose_version: str | None, platform: str, folder: Path
) -> tuple[Wanted, Wanted]:
    """What to fetch, the engine first: as release.yml pins it, or another version, unpinned. Pure.

    `folder` is that of release.yml. UsageError when neither release.yml nor `version` says which version.
    """
    if engine and version in {None, engine.version} and compose_version in {None, engine.compose_version}:
        docker, compose = engine.version, engine.compose_version
        names = (folder / engine.docker, folder / engine.compose)
        pins: tuple[str | None, str | None] = (engine.docker_sha256, engine.compose_sha256)
    else:
        docker = version or (engine.version if engine else "")
        compose = compose_version or (engine.compose_version if engine else COMPOSE_VERSION)
        place = folder / layout.ENGINE
        names = (place / f"docker-{docker}.tgz", place / f"docker-compose-{compose}")
        pins = (None, None)
    if not docker:
        raise UsageError(
            "which engine? release.yml has no section `engine`", hint="invoke fetch-engine --version 26.1.4"
        )
    return (
        Wanted(part="docker", version=docker, path=names[0], url=_docker_url(docker, platform), sha256=pins[0]),
        Wanted(part="compose", version=compose, path=names[1], url=_compose_url(compose, platform), sha256=pins[1]),
    )


def section(docker: tuple[str, str, str], compose: tuple[str, str, str]) -> str:
    """The section of release.yml for (version, path, sha256) of the engine and of Compose. Pure."""
    return (
        "engine:\n"
        f'  version: "{docker[0]}"\n  docker: {docker[1]}\n  docker_sha256: {docker[2]}\n'
        f'  compose_version: "{compose[0]}"\n  compose: {compose[1]}\n  compose_sha256: {compose[2]}\n'
    )


def collect(engine: EnginePayload | None, beside: Callable[[str], Path]) -> tuple[File, ...]:
    """The files of the bundle's engine/ folder; `beside` finds what release.yml names.

    UsageError for a file that is not there, VerifyError for one that is not what release.yml pins.
    """
    if engine is None:
        return ()
    docker = _pinned(beside(engine.docker), layout.ENGINE_DOCKER, engine.docker_sha256)
    compose = _pinned(beside(engine.compose), layout.ENGINE_COMPOSE, engine.compose_sha256)
    unit = payload.of_bytes(layout.ENGINE_UNIT, (paths.TEMPLATES / _UNIT).read_bytes())
    return (replace(compose, executable=True), unit, docker)


def recognise(path: Path, platform: str) -> Part:
    """Whether a file is a static tarball or a Compose binary, by its content.

    UsageError when it is neither, is for another architecture, or lacks one of the eight binaries.
    """
    with path.open("rb") as file:
        head = file.read(20)
    if head.startswith(b"\x7fELF"):
        _check_architecture(head, path, platform)
        return "compose"
    if not head.startswith(b"\x1f\x8b"):
        raise UsageError(f"{path}: neither Docker's static tarball (docker-<version>.tgz) nor a Compose binary")
    _check_tarball(path, platform)
    return "docker"


def _pinned(path: Path, name: str, sha256: str) -> File:
    if not path.is_file():
        raise UsageError(f"{path}: this file of the engine is not here", hint="invoke fetch-engine")
    file = payload.read(path, name)
    if file.sha256 != sha256:
        raise VerifyError(
            f"{path}: not the file that release.yml pins (sha256 {file.sha256}, pinned {sha256})",
            hint="remove it and fetch it again: invoke fetch-engine",
        )
    return file


def _check_tarball(path: Path, platform: str) -> None:
    """Its binaries, and nothing that would unpack elsewhere."""
    found: set[str] = set()
    try:
        with tarfile.open(path, "r:gz") as archive:
            for member in archive:
                folder, _, name = member.name.rpartition("/")
                if member.isdir():
                    continue
                if not member.isfile() or folder != "docker":
                    raise UsageError(f"{path}: holds {member.name}; a static tarball has plain files in docker/ only")
                found.add(name)
                opened = archive.extractfile(member) if name == "dockerd" else None
                if opened:
                    _check_architecture(opened.read(20), path, platform)
    except (tarfile.TarError, EOFError, OSError) as error:
        raise UsageError(f"{path}: cannot be read as a tarball ({error}); fetch it again") from None
    missing = [name for name in BINARIES if name not in found]
    if missing:
        raise UsageError(f"{path}: no static tarball of Docker; it lacks {', '.join(missing)}")


def _check_architecture(head: bytes, path: Path, platform: str) -> None:
    name, machine = _ARCHITECTURES[platform]
    if head[:4] != b"\x7fELF" or struct.unpack("<H", head[18:20])[0] != machine:
        raise UsageError(f"{path}: not for {platform} ({name}), which `platform` asks for")


def _docker_url(version: str, platform: str) -> str:
    return f"https://download.docker.com/linux/static/stable/{_ARCHITECTURES[platform][0]}/docker-{version}.tgz"


def _compose_url(version: str, platform: str) -> str:
    name = f"docker-compose-linux-{_ARCHITECTURES[platform][0]}"
    return f"https://github.com/docker/compose/releases/download/v{version}/{name}"
