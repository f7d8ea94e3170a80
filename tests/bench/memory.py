"""Peak memory of the kit, whatever the size of the images: measured on images made here, of files nobody needs."""

from __future__ import annotations

import hashlib
import io
import json
import random
import subprocess
import tarfile
from typing import TYPE_CHECKING

from tests.bench.measuring import timed
from tests.bench.ours import INVOKE
from tests.bench.report import Reach, promise
from tests.engine import client

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_LAYER = 256 << 20
_BLOCK = 1 << 20
_RELEASE = """\
schema: 1
stack: bench-memory
bundle: bench-memory
source: .
expects: [release.yml]
network: {{subnet: 172.30.78.0/24}}
host: {{root: /opt/bench-memory}}
images: {{big: {{prebuilt: "{name}"}}}}
services: {{big: {{image: big}}}}
"""


def peak(folder: Path, gigabytes: int) -> int:
    """Bytes of memory that `export` and `package` need at most for one image of that size."""
    name = f"bench-memory:{gigabytes}"
    folder.mkdir(parents=True)
    (folder / "release.yml").write_text(_RELEASE.format(name=name))
    variables = {
        "OFFLINE_WORK": str(folder / "work"),
        "OFFLINE_OUTPUT": str(folder / "dist"),
        "OFFLINE_CONFIG": str(folder / "release.yml"),
    }
    _load(name, gigabytes * (1 << 30) // _LAYER)
    try:
        return timed(*((INVOKE, task) for task in ("build-offline", "export", "package")), environment=variables).peak
    finally:
        timed((client(), "rmi", "--force", name, "bench-memory/big:build"))


def reaches(peaks: Mapping[int, int]) -> tuple[Reach, ...]:
    """What is promised: little, and the same."""
    least, most = min(peaks.values()), max(peaks.values())
    return (
        Reach(what="peak memory of the kit", measured=most / 1e6, at_most=200, unit="MB"),
        Reach(what="at 8 GB, of that at 1 GB", measured=most / least, at_most=1.1),
    )


def render(peaks: Mapping[int, int]) -> str:
    """The figures as a table. Pure."""
    rows = [f"| {size} GB | {used / 1e6:.0f} MB |" for size, used in peaks.items()]
    promised = [promise(reach) for reach in reaches(peaks)]
    return "\n".join(
        [
            *("| one image of | peak memory of `export` and `package` |", "| --: | --: |", *rows, ""),
            *("| measure | measured | reach | reached |", "| --- | --: | --: | --- |", *promised, ""),
        ]
    )


def _load(name: str, layers: int) -> None:
    """Load an image whose layers differ, each half noise and half zeros."""
    with subprocess.Popen([client(), "load", "--quiet"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as loading:
        if loading.stdin is None:
            raise SystemExit("docker load takes no input")
        with tarfile.open(fileobj=loading.stdin, mode="w|") as archive:
            diff_ids = [_layer(archive, number) for number in range(layers)]
            config = {
                "architecture": "amd64",
                "os": "linux",
                "config": {"Cmd": ["/none"]},
                "rootfs": {"type": "layers", "diff_ids": diff_ids},
                "history": [{"created": "2024-01-01T00:00:00Z"} for _ in diff_ids],
            }
            names = [f"{number}.tar" for number in range(layers)]
            _document(archive, "config.json", config)
            _document(archive, "manifest.json", [{"Config": "config.json", "RepoTags": [name], "Layers": names}])
    if loading.returncode:
        raise SystemExit(f"docker load: code {loading.returncode}")


def _layer(archive: tarfile.TarFile, number: int) -> str:
    """Add one layer; gives its diff_id."""
    digest = hashlib.sha256()
    member = tarfile.TarInfo(f"{number}.tar")
    member.size = _LAYER + 3 * tarfile.BLOCKSIZE
    archive.addfile(member, _Flow(blocks(_LAYER, number), digest))
    return f"sha256:{digest.hexdigest()}"


def blocks(size: int, seed: int) -> Iterator[bytes]:
    """A layer with one file of so many bytes, half noise and half zeros; a multiple of 1 MiB; the same for a seed."""
    file = tarfile.TarInfo("file")
    file.size = size
    noise = random.Random(seed).randbytes(_BLOCK)  # noqa: S311 - reproducible on purpose
    yield file.tobuf(tarfile.USTAR_FORMAT)
    for count in range(size // _BLOCK):
        yield count.to_bytes(8, "big") + noise[8:] if count % 2 else bytes(_BLOCK)
    yield bytes(2 * tarfile.BLOCKSIZE)


class _Flow(io.RawIOBase):
    """Blocks as a file to read from, hashed on the way."""

    def __init__(self, blocks: Iterator[bytes], digest: hashlib._Hash) -> None:
        self._blocks, self._digest, self._rest = blocks, digest, b""

    def read(self, size: int = -1) -> bytes:
        while len(self._rest) < size and (block := next(self._blocks, None)) is not None:
            self._digest.update(block)
            self._rest += block
        data, self._rest = self._rest[:size], self._rest[size:]
        return data


def _document(archive: tarfile.TarFile, name: str, value: object) -> None:
    data = json.dumps(value).encode()
    member = tarfile.TarInfo(name)
    member.size = len(data)
    archive.addfile(member, io.BytesIO(data))
