"""How others pack the same images: each is timed from its first command to its last."""

from __future__ import annotations

import shutil
import socket
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.bench.measuring import Measured, size_of, timed
from tests.engine import client, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_REGISTRY = """\
version: 0.1
storage: {{filesystem: {{rootdirectory: {folder}}}}}
http: {{addr: {address}}}
log: {{level: error}}
"""
_THROUGH = (
    'set -o pipefail; target=$1 packer=$2 client=$3; shift 3; "$client" save "$@" | $packer > "$target"; sync "$target"'
)


def floor(references: Sequence[str]) -> Measured:
    """What nothing that reads images out of an engine can undercut: one save of all, thrown away."""
    return timed((client(), "save", *references))


def by_hand(references: Sequence[str], folder: Path) -> Measured:
    """A file for each image, their checksums, and one archive of all, compressed: with no shared layer left out."""
    images = folder / "images"
    images.mkdir(parents=True)
    files = [images / f"{reference.replace('/', '-').replace(':', '-')}.tar" for reference in references]
    archive = folder / "bundle.tar.gz"
    took = timed(
        *((client(), "save", reference, "-o", file) for reference, file in zip(references, files, strict=True)),
        ("md5sum", *files),
        ("tar", "-czf", archive, "-C", folder, "images"),
    )
    size = archive.stat().st_size
    shutil.rmtree(folder)
    return Measured(seconds=took.seconds, size=size, peak=took.peak)


def through(packer: str, references: Sequence[str], target: Path) -> Measured | None:
    """One save of all through a compressor, as it is by default; None where that is not installed."""
    if not shutil.which(packer.split(maxsplit=1)[0]):
        return None
    took = timed(("bash", "-c", _THROUGH, "-", target, packer, client(), *references))
    size = target.stat().st_size
    target.unlink()
    return Measured(seconds=took.seconds, size=size, peak=took.peak)


def skopeo(references: Sequence[str], folder: Path) -> Measured | None:
    """An OCI layout for each image, with one folder of blobs for all; None where skopeo is not installed."""
    if not shutil.which("skopeo"):
        return None
    (folder / "blobs").mkdir(parents=True)
    shared = ("--dest-shared-blob-dir", folder / "blobs")
    copy = ("skopeo", "--insecure-policy", "copy", "--quiet")
    took = timed(
        *(
            (*copy, *shared, f"docker-daemon:{reference}", f"oci:{folder}/{number}:1")
            for number, reference in enumerate(references)
        )
    )
    size = size_of(folder)
    shutil.rmtree(folder)
    return Measured(seconds=took.seconds, size=size, peak=took.peak)


@contextmanager
def registry(folder: Path) -> Iterator[str | None]:
    """A registry of Debian's on the loopback, empty; gives its address, or None where it is not installed."""
    if not shutil.which("docker-registry"):
        yield None
        return
    (folder / "data").mkdir(parents=True)
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    file = folder / "config.yml"
    file.write_text(_REGISTRY.format(folder=folder / "data", address=address))
    process = subprocess.Popen(["docker-registry", "serve", file], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: _answers(address), seconds=30, what="the registry")
        yield address
    finally:
        process.terminate()
        process.wait(30)
        shutil.rmtree(folder)


def push(references: Sequence[str], address: str) -> Measured:
    """Push images to a registry, one after another; their names there are gone afterwards."""
    names = [f"{address}/{reference}" for reference in references]
    for reference, name in zip(references, names, strict=True):
        timed((client(), "tag", reference, name))
    took = timed(*((client(), "push", "--quiet", name) for name in names))
    timed((client(), "rmi", *names))
    return took


def _answers(address: str) -> bool:
    host, _, port = address.partition(":")
    with socket.socket() as tried:
        return tried.connect_ex((host, int(port))) == 0


def version() -> str:
    """The engine's version."""
    done = subprocess.run([client(), "version", "--format", "{{.Server.Version}}"], capture_output=True, check=True)
    return done.stdout.decode().strip()
