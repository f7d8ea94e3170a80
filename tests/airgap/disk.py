"""A disk that is soon full: a small file system in a file, mounted inside a host and nowhere else."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from offline.run import run
from tests.airgap.outside import NAME, docker


def mount_small(container: str, path: str, *, size: int) -> None:
    """Mount an empty ext4 of `size` bytes at a path of a container.

    File and loop device have no name any more when this returns: they vanish with the container's mounts, however it
    ends, and with nobody to clean up.
    """
    with tempfile.NamedTemporaryFile(prefix=f"{NAME}-disk-") as file:
        file.truncate(size)
        run(["mkfs.ext4", "-q", "-F", "-m", "0", file.name])
        device = Path(run(["losetup", "--find", "--show", file.name]).out.strip())
    try:
        number = device.stat().st_rdev
        node = f"mknod {device} b {os.major(number)} {os.minor(number)}"
        docker("exec", container, "sh", "-ec", f"test -b {device} || {node}; mkdir -p {path}; mount {device} {path}")
    finally:
        run(["losetup", "--detach", str(device)])
