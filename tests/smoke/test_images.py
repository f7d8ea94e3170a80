"""What is in the images, and what stays the same from one build, release or engine to the next."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import tarfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import pytest

from tests.engine import client
from tests.faults.kit import KIT, Kit, docker_archive, noise
from tests.smoke.conftest import release

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.engine import Engine

SERVER = "main/xiaozhi-server"
OVERLAP = 256
READ = 4 << 20


def docker(*words: str) -> str:
    done = subprocess.run([client(), *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def copied_mini(kit: Kit, stack: str) -> None:
    """The example as another stack: its images get names of their own."""
    shutil.copytree(KIT / "examples" / "mini", kit.source)
    replaced(kit.source / "release.yml", "stack: mini", f"stack: {stack}")


def appended(file: Path, comment: str) -> None:
    with file.open("a") as opened:
        opened.write(f"# {comment}\n")


def replaced(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


@dataclass(frozen=True)
class Built:
    """Images built with a secret in everything that a build is handed."""

    references: tuple[str, ...]
    handed_in: dict[str, bytes]
    kept: bytes
    """What the code itself says: it must be in the image, else the search finds nothing at all."""


@pytest.fixture(scope="module")
def built(mini: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    """The example's server and web image: one from a Dockerfile of the kit, one from the source's own.

    Every RUN is new to the engine, because a step from its cache would prove nothing.
    """
    assert mini
    kit, token, marker = Kit(tmp_path_factory.mktemp("traces")), secrets.token_hex(12), secrets.token_hex(12)
    copied_mini(kit, "traces")
    authority = certificate(kit.folder)
    server = kit.source / SERVER
    appended(server / "app.py", marker)
    appended(server / "requirements.txt", marker)
    appended(server / "data" / ".config.yaml", f"data-{token}")
    model = server / "models" / "SenseVoiceSmall" / "model.pt"
    model.parent.mkdir(exist_ok=True)
    model.write_text(f"model-{token}")
    replaced(kit.source / "Dockerfile-web", "nginx python3 python3-pymysql python3-redis", "netbase")
    replaced(kit.source / "Dockerfile-web", "mkdir -p /uploadfile", f"mkdir -p /uploadfile /{marker}")
    replaced(
        kit.source / "release.yml", "SYSTEM_PACKAGES: libopus0", f'SYSTEM_PACKAGES: "libopus0 --option=A={marker}"'
    )
    kit.done(
        "build-offline",
        OFFLINE_MIRRORS__PIP=with_password("OFFLINE_MIRRORS__PIP", "https://pypi.org/simple", token),
        OFFLINE_MIRRORS__APT=with_password("OFFLINE_MIRRORS__APT", "http://deb.debian.org/debian", token),
        OFFLINE_CA_CERTIFICATES=f"[{authority}]",
        OFFLINE_LOCALE="C.UTF-8",
    )
    for role in ("server", "web"):
        log = (kit.work / "logs" / f"build-{role}.log").read_bytes()
        assert b"Unpacking " in log, "a step came from the cache: nothing was proved"
    handed_in = {
        "a mirror's password": f"reader:{token}".encode(),
        "a certificate": authority.read_bytes().splitlines()[-3],
        "the build's environment": b"Read first by every RUN of a build",
        "configuration": f"data-{token}".encode(),
        "a model": f"model-{token}".encode(),
    }
    yield Built(("traces/server:build", "traces/web:build"), handed_in, marker.encode())
    docker("rmi", "traces/server:below", *(f"traces/{role}:build" for role in ("server", "web", "db", "redis")))


def certificate(folder: Path) -> Path:
    """What this machine trusts, and one more authority that nobody knows."""
    own = folder / "own.pem"
    subject = ("-subj", "/CN=an authority that nobody knows", "-days", "2")
    key = ("-newkey", "rsa:2048", "-nodes", "-keyout", folder / "key.pem")
    subprocess.run(["openssl", "req", "-x509", *key, *subject, "-out", own], check=True, capture_output=True)
    known = Path(os.environ.get("SSL_CERT_FILE", "/etc/ssl/certs/ca-certificates.crt"))
    both = folder / "ca.pem"
    both.write_bytes(known.read_bytes() + own.read_bytes())
    return both


def with_password(variable: str, usual: str, token: str) -> str:
    """The mirror that this machine uses, spelled with a user and a password, which it ignores."""
    return os.environ.get(variable, usual).replace("://", f"://reader:{token}@", 1)


def found(stream: IO[bytes], needles: dict[str, bytes]) -> set[str]:
    """Which of the needles are in a stream; none is longer than the overlap of two reads."""
    seen: set[str] = set()
    last = b""
    while piece := stream.read(READ):
        window = last + piece
        seen |= {name for name, needle in needles.items() if name not in seen and needle in window}
        last = window[-OVERLAP:]
    return seen


def test_our_images_keep_nothing_that_a_build_was_handed(built: Built) -> None:
    with subprocess.Popen([client(), "save", *built.references], stdout=subprocess.PIPE) as saving:
        assert saving.stdout is not None
        in_images = found(saving.stdout, {**built.handed_in, "the code": built.kept})
    assert saving.returncode == 0
    assert in_images == {"the code"}
    history = "".join(docker("history", "--no-trunc", reference) for reference in built.references)
    assert not [name for name, needle in built.handed_in.items() if needle.decode() in history]


def test_the_server_has_neither_data_nor_models_of_the_source(built: Built) -> None:
    listed = docker(
        "run", "--rm", "--network", "none", "--entrypoint", "find", built.references[0], "/opt", "-type", "f"
    )
    names = [name.removeprefix("/opt/xiaozhi-esp32-server/") for name in listed.split()]
    assert "app.py" in names
    assert not [name for name in names if name.startswith(("data/", "models/"))]


def test_changed_code_rebuilds_the_app_image_in_seconds_and_only_its_last_layer(
    mini: dict[str, Any], tmp_path: Path
) -> None:
    assert mini
    kit = Kit(tmp_path)
    copied_mini(kit, "planb")
    kit.done("build-app", OFFLINE_MODE="single")
    before = layers("planb/server:build")
    appended(kit.source / SERVER / "app.py", secrets.token_hex(8))
    started = time.monotonic()
    kit.done("build-app", OFFLINE_MODE="single")
    seconds = time.monotonic() - started
    after = layers("planb/server:build")
    docker("rmi", "planb/server:build")
    assert after[:-1] == before[:-1]
    assert after[-1] != before[-1]
    assert seconds < 10


def layers(reference: str) -> list[str]:
    found_layers: list[str] = json.loads(docker("image", "inspect", "--format", "{{json .RootFS.Layers}}", reference))
    return found_layers


def test_a_pruned_engine_gets_its_base_back_from_the_layer_store(engine: Engine, tmp_path: Path) -> None:
    kit = Kit(tmp_path, engine.environment)
    archive = tmp_path / "base.tar"
    archive.write_bytes(docker_archive("bulk/base:1", noise(8 << 20, 4)))
    kit.describe({"a": '{build: {offline: ["source:Dockerfile"]}}'}, base=f"{{from: [archive], archive: {archive}}}")
    (kit.source / "Dockerfile").write_text("FROM debian:bookworm-slim\nCOPY files /files\n")
    kit.done("build-offline")
    kit.done("export")
    (base,) = json.loads((kit.work / "bases.json").read_text())
    archive.unlink()
    engine.docker("rmi", "bulk/a:build", "bulk/base:1", base["tag"])
    engine.docker("builder", "prune", "--all", "--force")
    assert base["tag"].partition(":")[0] not in engine.docker("images")
    kit.done("build-base")
    assert engine.docker("image", "inspect", "--format", "{{.Id}}", base["tag"]).strip() == base["id"]
    engine.docker("rmi", base["tag"])


@pytest.fixture(scope="module")
def again(mini: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The same release once more, under another id."""
    assert mini
    return release(tmp_path_factory.mktemp("again"), "--source", "examples/mini", "--id", "20260102-030405")


def test_a_release_of_nothing_new_has_the_same_images_to_the_byte(mini: dict[str, Any], again: dict[str, Any]) -> None:
    assert again["id"] != mini["id"]
    assert [image["id"] for image in again["images"]] == [image["id"] for image in mini["images"]]
    assert [image["new_bytes"] for image in again["images"]] == [0] * len(again["images"])
    before, after = (sums(Path(result["bundle"])) for result in (mini, again))
    changed = {name for name in before | after if before.get(name) != after.get(name)}
    assert {"release.json", "scripts/facts.tsv"} <= changed
    assert {name.partition("/")[0] for name in changed if "/" in name} == {"scripts"}
    assert "docker-compose-offline.yml" not in changed


def sums(bundle: Path) -> dict[str, str]:
    """SHA256SUMS of a bundle: hash by path."""
    with tarfile.open(bundle) as archive:
        for member in archive:
            if member.name.endswith("/SHA256SUMS"):
                file = archive.extractfile(member)
                assert file is not None
                lines = file.read().decode().splitlines()
                return {line[66:]: line[:64] for line in lines}
    raise AssertionError(f"{bundle} has no SHA256SUMS")


def test_the_same_release_twice_is_the_same_file(again: dict[str, Any], tmp_path: Path) -> None:
    twice = release(tmp_path, "--source", "examples/mini", "--id", again["id"])
    assert sums(Path(twice["bundle"])) == sums(Path(again["bundle"]))
    assert twice["sha256"] == again["sha256"]
