"""An application built apart, beside what the engine builds of the same Dockerfile: every file, and how it is run."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import subprocess
import tarfile
from typing import TYPE_CHECKING, Any

from offline.store import archive, index
from offline.store.blobs import Store
from tests.engine import client

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.faults.kit import Kit

BUILT, BELOW, COMPOSED = "layered/server:build", "layered/server:below", "layered/server:composed"
FILES = {
    "app/run.py": "print('it runs')\n",
    "app/.hidden": "1\n",
    "app/配置/a file.txt": "内容\n",
    "app/deep/er/still/x.txt": "x\n",
    "app/not.log": "ignored\n",
    "start.sh": "#!/bin/sh\r\nexec cat /opt/app/run.py\r\n",
    ".dockerignore": "**/*.log\n",
    # Longer than a plain tar header takes.
    f"app/{'long' * 30}/{'name' * 30}.txt": "long\n",
}
COPYING = """\
WORKDIR /opt/app
COPY app .
COPY app/run.py app/.hidden /usr/share/
COPY --chown=7:8 --chmod=0640 app/配置 /srv/kept/mine
COPY ["app/run.py", "/tmp/a place/"]
COPY start.sh /start.sh
ENV A=1 B="two words"
LABEL what="an application" by=tests
EXPOSE 8000 9000/udp
VOLUME /data
HEALTHCHECK --interval=7s --retries=2 CMD test -f /start.sh
STOPSIGNAL SIGINT
USER 7:8
WORKDIR later
ENTRYPOINT ["sh"]
CMD ["/start.sh"]
"""
# What the engine puts into every container.
OF_A_CONTAINER = {".dockerenv", "etc/hosts", "etc/hostname", "etc/resolv.conf", "dev/console"}
INSTALL = """\
RUN install -d -o 7 -g 8 -m 0711 /srv/kept /opt/app && install -d -m 0700 /srv/kept/mine && echo old > /opt/app/run.py
"""
DOCKERFILES = {
    "on a base": f"FROM debian:bookworm-slim\n{COPYING}",
    "on an install step": f"FROM debian:bookworm-slim\n{INSTALL}{COPYING}",
}


def describe(kit: Kit) -> None:
    """Write a source with everything that can go wrong on the way into a layer, new to the engine."""
    kit.describe({"server": "{build: {offline: ['source:Dockerfile']}}"})
    release = kit.source / "release.yml"
    release.write_text(release.read_text().replace("bulk", "layered"))
    marker = secrets.token_hex(8)
    for name, content in FILES.items():
        path = kit.source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        # What comes from the engine's cache has the times of an earlier run.
        path.write_text(f"{content}# {marker}\n", newline="")
    (kit.source / "app" / "link").symlink_to("deep/er")
    (kit.source / "app" / "run.py").chmod(0o755)


def check(kit: Kit, dockerfile: str) -> None:
    """Build and export; files and configuration of the image in the store are those of the engine's own."""
    (kit.source / "Dockerfile").write_text(dockerfile)
    kit.done("build-offline")
    kit.done("export")
    _load(kit)
    assert _configured(kit, COMPOSED) == _configured(kit, BUILT)
    assert _files(kit, COMPOSED) == _files(kit, BUILT)
    assert docker(kit, "run", "--rm", "--network", "none", COMPOSED).startswith(FILES["app/run.py"])
    assert "COPY app ." in docker(kit, "history", "--no-trunc", COMPOSED)


def exported(kit: Kit) -> str:
    """The config digest of what a release would hold."""
    return str(json.loads((kit.work / "export.json").read_bytes())["images"][0]["config"])


def docker(kit: Kit, *words: str, data: bytes | None = None) -> str:
    """Run the docker client against the engine that the kit uses; gives stdout."""
    done = subprocess.run([client(), *words], input=data, env=kit.engine, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def remove(kit: Kit) -> None:
    """Take the images away from the engine."""
    for reference in (BUILT, BELOW, COMPOSED):
        subprocess.run([client(), "rmi", "--force", reference], env=kit.engine, capture_output=True, check=False)


def _load(kit: Kit) -> None:
    """Give the engine the image that the release holds, and see that it has just that."""
    store = Store(kit.work / "store")
    image = index.load(store).images[exported(kit)]
    with subprocess.Popen(
        [client(), "load", "--quiet"], env=kit.engine, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
    ) as loading:
        assert loading.stdin
        archive.write(store, {COMPOSED: image}, loading.stdin, lambda _: None)
    assert loading.returncode == 0
    assert docker(kit, "inspect", "--format", "{{.Id}}", COMPOSED).strip() in {image.config, image.manifest}


def _configured(kit: Kit, reference: str) -> Mapping[str, Any]:
    """How an image is run, as the engine says it; `Image` names what a build started from."""
    config: dict[str, Any] = json.loads(docker(kit, "inspect", "--format", "{{json .Config}}", reference))
    return {key: value for key, value in config.items() if value and key != "Image"}


def _files(kit: Kit, reference: str) -> dict[str, tuple[Any, ...]]:
    """Everything about every file of an image, but the times of folders and links: a build makes these anew."""
    container = docker(kit, "create", reference, "-").strip()
    target: Path = kit.folder / "files.tar"
    docker(kit, "export", "--output", os.fspath(target), container)
    docker(kit, "rm", container)
    with tarfile.open(target) as opened:
        return {member.name: _facts(opened, member) for member in opened if member.name not in OF_A_CONTAINER}


def _facts(opened: tarfile.TarFile, member: tarfile.TarInfo) -> tuple[Any, ...]:
    content = opened.extractfile(member) if member.isreg() else None
    digest = hashlib.sha256(content.read()).hexdigest() if content else ""
    moment = int(member.mtime) if content else 0
    return (member.type, member.mode, member.uid, member.gid, member.size, member.linkname, moment, digest)
