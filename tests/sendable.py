"""Bundles to be sent and put into service without an engine: true in themselves, big, and quick to make.

Their images are tests/bundles.py's; beside them lies noise in files of any size, which no host has; and what is run on
the host is a script of the test's own.
"""

from __future__ import annotations

import hashlib
import random
from typing import TYPE_CHECKING

from offline.bundle import layout, targz
from offline.sink import sinking
from tests.bundles import TIME, small_bundle

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tests.bundles import Bundle

# In the place of offline-deploy.sh: proves what arrived, and leaves word of it.
SERVES = """\
#!/usr/bin/env bash
sha256sum --check --strict --quiet SHA256SUMS || exit 3
while [[ $1 != --root ]]; do shift; done
mkdir -p "$2/served" && cp SHA256SUMS "$2/served/SHA256SUMS"
"""
SERVED = "served/SHA256SUMS"
_CHUNK = 1 << 20


def sendable(folder: Path, sizes: Sequence[int], *, script: str = SERVES, seed: int = 1) -> Path:
    """Write a bundle with a file of noise for each of `sizes`, in bytes; the same seed gives the same bytes."""
    bundle = small_bundle()
    bundle[layout.DEPLOY_SCRIPT] = script
    big = {f"models/noise-{number:03}": (seed * 1000 + number, size) for number, size in enumerate(sizes)}
    sums = {name: hashlib.sha256() for name in big}
    for name, (start, size) in big.items():
        for piece in noise(start, size):
            sums[name].update(piece)
    bundle.seal()
    bundle[layout.SUMS] += b"".join(f"{sums[name].hexdigest()}  {name}\n".encode() for name in big)
    path = folder / f"{bundle.top}{layout.ARCHIVE_SUFFIX}"
    with path.open("wb") as file, sinking(file) as sink:
        _write(bundle, big, targz.TarGz(sink, mtime=TIME))
        sink.close()
    return path


def contents(sizes: Sequence[int], seed: int = 1) -> Iterator[bytes]:
    """The same files of noise, each at once."""
    return (b"".join(noise(seed * 1000 + number, size)) for number, size in enumerate(sizes))


def noise(seed: int, size: int) -> Iterator[bytes]:
    """Bytes that no compressor makes smaller."""
    chance = random.Random(seed)  # noqa: S311 - reproducible on purpose
    for start in range(0, size, _CHUNK):
        yield chance.randbytes(min(_CHUNK, size - start))


def _write(bundle: Bundle, big: dict[str, tuple[int, int]], tar: targz.TarGz) -> None:
    tar.folder(bundle.top)
    for name in sorted([*bundle.items, *big], key=str.encode):
        if name in big:
            seed, size = big[name]
            tar.stream(f"{bundle.top}/{name}", size, noise(seed, size), packed=True)
        elif bundle.items[name].kind == "folder":
            tar.folder(f"{bundle.top}/{name}")
        else:
            tar.data(f"{bundle.top}/{name}", bundle[name])
    tar.finish()
