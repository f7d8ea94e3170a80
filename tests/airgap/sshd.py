"""Keys for a host's sshd and for who may enter, made for this host only, and what OpenSSH here must know of them."""

from __future__ import annotations

import io
import socket
import tarfile
from typing import TYPE_CHECKING

from offline.run import run
from tests.airgap.outside import docker
from tests.engine import wait_until

if TYPE_CHECKING:
    from pathlib import Path

_ADMIN = 1000
_CONFIG = """\
Host {name} {name}-admin
    HostName {address}
    User root
    IdentityFile {folder}/user
    IdentitiesOnly yes
    UserKnownHostsFile {folder}/known_hosts
    StrictHostKeyChecking yes
    BatchMode yes
    LogLevel ERROR
"""


def provide(name: str, address: str, folder: Path) -> Path:
    """Give a host that is created, not started, its keys; gives the config file for `ssh -F`."""
    folder.mkdir(mode=0o700)
    for key in ("host", "user"):
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(folder / key)])
    docker("cp", "-", f"{name}:/", stdin=_archive(folder))
    (folder / "known_hosts").write_text(f"{address} {(folder / 'host.pub').read_text()}")
    config = folder / "ssh_config"
    config.write_text(
        f"Host {name}-admin\n    User admin\n" + _CONFIG.format(name=name, address=address, folder=folder)
    )
    return config


def await_answer(address: str) -> None:
    """Wait until the sshd at an address greets."""

    def greets() -> bool:
        try:
            with socket.create_connection((address, 22), timeout=1) as opened:
                return opened.recv(4) == b"SSH-"
        except OSError:
            return False

    wait_until(greets, seconds=60, what=f"sshd at {address}")


def _archive(folder: Path) -> bytes:
    """The host's private key, and the user's public one for root and for admin, as `docker cp` takes them."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        _add(archive, "etc/ssh/ssh_host_ed25519_key", (folder / "host").read_bytes(), owner=0)
        user = (folder / "user.pub").read_bytes()
        _add(archive, "root/.ssh/authorized_keys", user, owner=0)
        _add(archive, "home/admin/.ssh/authorized_keys", user, owner=_ADMIN)
    return buffer.getvalue()


def _add(archive: tarfile.TarFile, path: str, data: bytes, *, owner: int) -> None:
    member = tarfile.TarInfo(path)
    member.size, member.mode, member.uid, member.gid = len(data), 0o600, owner, owner
    archive.addfile(member, io.BytesIO(data))
