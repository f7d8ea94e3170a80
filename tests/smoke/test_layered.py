"""An image whose application was built apart is the image that the engine builds: the same files, run the same way."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import subprocess
import tarfile
from typing import TYPE_CHECKING, Any

import pytest

from offline.store import archive, index
from offline.store.blobs import Store
from tests.engine import client
from tests.faults.kit import Kit, noise
from tests.smoke.test_images import docker

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

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
BELOW = """\
RUN install -d -o 7 -g 8 -m 0711 /srv/kept /opt/app && install -d -m 0700 /srv/kept/mine && echo old > /opt/app/run.py
"""
DOCKERFILES = {
    "on a base": f"FROM debian:bookworm-slim\n{COPYING}",
    "on an install step": f"FROM debian:bookworm-slim\n{BELOW}{COPYING}",
}


@pytest.fixture
def kit(tmp_path: Path) -> Iterator[Kit]:
    made, marker = Kit(tmp_path), secrets.token_hex(8)
    made.describe({"server": "{build: {offline: ['source:Dockerfile']}}"})
    release = made.source / "release.yml"
    release.write_text(release.read_text().replace("bulk", "layered"))
    for name, content in FILES.items():
        path = made.source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        # New to the engine: what comes from its cache has the times of an earlier run.
        path.write_text(f"{content}# {marker}\n", newline="")
    (made.source / "app" / "link").symlink_to("deep/er")
    (made.source / "app" / "run.py").chmod(0o755)
    yield made
    for reference in ("layered/server:build", "layered/server:below", "layered/server:composed"):
        subprocess.run([client(), "rmi", "--force", reference], capture_output=True, check=False)


@pytest.mark.parametrize("dockerfile", DOCKERFILES.values(), ids=DOCKERFILES)
def test_files_and_configuration_are_those_of_the_engines_own_build(kit: Kit, dockerfile: str) -> None:
    (kit.source / "Dockerfile").write_text(dockerfile)
    kit.done("build-offline")
    kit.done("export")
    loaded(kit)
    assert configured("layered/server:composed") == configured("layered/server:build")
    assert files("layered/server:composed", kit.folder) == files("layered/server:build", kit.folder)
    assert docker("run", "--rm", "--network", "none", "layered/server:composed").startswith(FILES["app/run.py"])
    assert "COPY app ." in docker("history", "--no-trunc", "layered/server:composed")


def test_a_changed_file_is_exported_without_a_save_however_large_the_base(kit: Kit) -> None:
    (kit.source / "Dockerfile").write_text(f"FROM debian:bookworm-slim\n{COPYING}")
    first = released(kit)
    (kit.source / "app" / "new.bin").write_bytes(noise(50_000, seed=1))
    second = released(kit)
    stages = {stage["name"]: stage for stage in second["stages"]}
    assert stages["export"]["bytes"] == 0
    assert first["images"][0]["id"] != second["images"][0]["id"]
    assert 50_000 < second["images"][0]["new_bytes"] < 60_000
    (kit.source / "app" / "new.bin").unlink()
    assert released(kit)["images"][0]["id"] == first["images"][0]["id"]


def test_an_image_that_cannot_be_had_apart_is_saved_by_the_engine_and_says_so(kit: Kit) -> None:
    (kit.source / "Dockerfile").write_text(f"FROM debian:bookworm-slim\n{COPYING}USER 0\nRUN touch /last\n")
    said = kit.run("build-offline").stderr
    assert "server: a change is exported by reading all of it out of the engine" in said
    assert "copies nothing after its last RUN" in said
    kit.done("export")
    assert exported(kit) == docker("inspect", "--format", "{{.Id}}", "layered/server:build").strip()


def test_a_folder_that_is_a_link_below_stays_a_link(kit: Kit) -> None:
    (kit.source / "Dockerfile").write_text("FROM debian:bookworm-slim\nCOPY app/run.py /bin/\n")
    said = kit.run("build-offline").stderr
    assert "/bin is a link in the image" in said
    kit.done("export")
    assert exported(kit) == docker("inspect", "--format", "{{.Id}}", "layered/server:build").strip()


def released(kit: Kit) -> dict[str, Any]:
    result: dict[str, Any] = json.loads(kit.done("release", "--json", "--no-audit"))
    return result


def exported(kit: Kit) -> str:
    """The config digest of what a release would hold."""
    return str(json.loads((kit.work / "export.json").read_bytes())["images"][0]["config"])


def loaded(kit: Kit) -> None:
    """Give the engine the image that the release holds."""
    store = Store(kit.work / "store")
    image = index.load(store).images[exported(kit)]
    argv = [client(), "load", "--quiet"]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as loading:
        assert loading.stdin
        archive.write(store, {"layered/server:composed": image}, loading.stdin, lambda _: None)
    assert loading.returncode == 0
    assert docker("inspect", "--format", "{{.Id}}", "layered/server:composed").strip() == image.config


def configured(reference: str) -> Mapping[str, Any]:
    """How an image is run, as the engine says it; `Image` names what a build started from."""
    config: dict[str, Any] = json.loads(docker("inspect", "--format", "{{json .Config}}", reference))
    return {key: value for key, value in config.items() if value and key != "Image"}


def files(reference: str, folder: Path) -> dict[str, tuple[Any, ...]]:
    """Everything about every file of an image, but the times of folders and links: a build makes these anew."""
    container = docker("create", reference, "-").strip()
    target = folder / "files.tar"
    docker("export", "--output", os.fspath(target), container)
    docker("rm", container)
    with tarfile.open(target) as opened:
        return {member.name: _facts(opened, member) for member in opened if member.name not in OF_A_CONTAINER}


def _facts(opened: tarfile.TarFile, member: tarfile.TarInfo) -> tuple[Any, ...]:
    content = opened.extractfile(member) if member.isreg() else None
    digest = hashlib.sha256(content.read()).hexdigest() if content else ""
    moment = int(member.mtime) if content else 0
    return (member.type, member.mode, member.uid, member.gid, member.size, member.linkname, moment, digest)
