"""A base image from a Debian mirror, where no registry is reached: mmdebstrap, then one `docker load`.

Reproducible: same inputs and same state of the mirror, same image id. Times are clamped to one date, and the image is
made here instead of by `docker import`, which would write the present time into it.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shlex
import shutil
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import IO, TYPE_CHECKING

from offline.engine import commands
from offline.errors import PreflightError
from offline.run import follow, writing_to

if TYPE_CHECKING:
    from collections.abc import Callable

    from offline.config.schema import Bootstrap, Mirrors

DEBIAN = "http://deb.debian.org/debian"
_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
_EPOCH = 1_704_067_200
_CREATED = "2024-01-01T00:00:00Z"
_READ = 1 << 20
_LEFT_OUT = ("/usr/share/man/*", "/usr/share/doc/*", "/usr/share/info/*", "/usr/share/lintian/*")


def argv(spec: Bootstrap, mirrors: Mirrors, target: Path, *, architecture: str) -> tuple[str, ...]:
    """The mmdebstrap command that writes the root file system of a base as a tar. Pure."""
    mirror = (mirrors.apt or DEBIAN).rstrip("/")
    security = mirrors.apt_security or f"{mirror}-security"
    # Named, because apt on another distribution than Debian has Debian's keys, but not among those it trusts.
    deb = f"deb [signed-by={_KEYRING}]"
    suites = [f"{deb} {mirror} {spec.suite} main"]
    if spec.suite not in {"sid", "unstable"}:
        suites += [f"{deb} {mirror} {spec.suite}-updates main", f"{deb} {security} {spec.suite}-security main"]
    return (
        *("mmdebstrap", "--variant=minbase", "--format=tar", f"--architectures={architecture}"),
        *(f"--dpkgopt=path-exclude={pattern}" for pattern in _LEFT_OUT),
        "--dpkgopt=path-include=/usr/share/doc/*/copyright",
        *([f"--include={','.join(spec.packages)}"] if spec.packages else []),
        *(f'--customize-hook=chroot "$1" sh -ec {shlex.quote(command)}' for command in spec.commands),
        *(spec.suite, str(target), *suites),
    )


def unavailable() -> str:
    """Why this machine cannot bootstrap, or nothing."""
    if sys.platform != "linux":
        return f"mmdebstrap runs on Linux only, and this is {sys.platform}"
    if shutil.which("mmdebstrap") is None:
        return "mmdebstrap is not installed (apt-get install mmdebstrap)"
    return ""


def worth_showing(line: str) -> bool:
    """Whether a line of mmdebstrap tells a person how far it is."""
    return line.startswith(("I: downloading", "I: extracting", "I: installing", "I: creating"))


def make(
    spec: Bootstrap,
    *,
    tag: str,
    client: str,
    mirrors: Mirrors,
    platform: str,
    timeout: int,
    log: Path,
    on_line: Callable[[str], None],
) -> None:
    """Make the base and load it into the engine under `tag`.

    Raises PreflightError where mmdebstrap cannot run, CommandError with the log where it or the engine fails.
    """
    reason = unavailable()
    if reason:
        raise PreflightError(f"cannot bootstrap {tag}: {reason}")
    with tempfile.TemporaryDirectory(prefix="bootstrap-", dir=log.parent) as folder:
        root = Path(folder) / "root.tar"
        environment = {"SOURCE_DATE_EPOCH": str(_EPOCH), "LC_ALL": "C.UTF-8", "TMPDIR": folder}
        command = argv(spec, mirrors, root, architecture=platform.split("/")[1])
        follow(command, on_line, env=environment, log=log, timeout=timeout)
        with writing_to(commands.load(client)) as sink:
            write_archive(root, sink, tag=tag, platform=platform, history=f"mmdebstrap {spec.suite}")


def write_archive(root: Path, sink: IO[bytes], *, tag: str, platform: str, history: str) -> None:
    """Write a `docker load` archive of one layer around the root file system `root`."""
    config = image_config(_sha256(root), platform=platform, history=history)
    name = f"{hashlib.sha256(config).hexdigest()}.json"
    manifest = [{"Config": name, "RepoTags": [tag], "Layers": ["layer.tar"]}]
    with tarfile.open(fileobj=sink, mode="w|") as archive:
        with root.open("rb") as layer:
            member = tarfile.TarInfo("layer.tar")
            member.size = os.fstat(layer.fileno()).st_size
            archive.addfile(member, layer)
        _add(archive, name, config)
        _add(archive, "manifest.json", json.dumps(manifest).encode())


def image_config(diff_id: str, *, platform: str, history: str) -> bytes:
    """The image config of a base, the same bytes for the same layer. Pure."""
    system, architecture = platform.split("/")
    path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    config = {
        "architecture": architecture,
        "config": {"Cmd": ["bash"], "Env": [path]},
        "created": _CREATED,
        "history": [{"created": _CREATED, "created_by": history}],
        "os": system,
        "rootfs": {"diff_ids": [diff_id], "type": "layers"},
    }
    return json.dumps(config, sort_keys=True, separators=(",", ":")).encode()


def _sha256(file: Path) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as opened:
        while piece := opened.read(_READ):
            digest.update(piece)
    return f"sha256:{digest.hexdigest()}"


def _add(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(data)
    archive.addfile(member, io.BytesIO(data))
