"""The engine that a bundle can bring: what is fetched, what is refused, and what stands in the bundle."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import struct
import tarfile
import urllib.error
import urllib.request
from pathlib import Path

import pytest
import yaml

from offline.bundle import enginefetch, enginekit, facts, write
from offline.bundle.enginekit import BINARIES, Wanted
from offline.config.schema import EnginePayload
from offline.console import Console
from offline.errors import OfflineError, UsageError, VerifyError
from tests import builders

AMD64, ARM64 = "linux/amd64", "linux/arm64"
MACHINES = {AMD64: 62, ARM64: 183}


def elf(platform: str = AMD64, more: bytes = b"") -> bytes:
    return b"\x7fELF".ljust(18, b"\0") + struct.pack("<H", MACHINES[platform]) + more


def tarball(names: tuple[str, ...] = BINARIES, *, platform: str = AMD64, folder: str = "docker") -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        top = tarfile.TarInfo("docker/")
        top.type = tarfile.DIRTYPE
        archive.addfile(top)
        for name in names:
            entry = tarfile.TarInfo(f"{folder}/{name}")
            entry.size = len(elf(platform))
            archive.addfile(entry, io.BytesIO(elf(platform)))
    return made.getvalue()


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def pinned(docker: bytes, compose: bytes) -> EnginePayload:
    return EnginePayload(
        version="26.1.4",
        docker="engine/docker-26.1.4.tgz",
        docker_sha256=sha256(docker),
        compose_version="2.27.1",
        compose="engine/docker-compose",
        compose_sha256=sha256(compose),
    )


def put(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def fetch(files: tuple[Wanted, ...], *given: Path) -> dict[enginekit.Part, str]:
    return enginefetch.fetch(files, given, platform=AMD64, console=Console(io.StringIO(), io.StringIO()))


def wanted(engine: EnginePayload | None, folder: Path, **versions: str) -> tuple[Wanted, Wanted]:
    return enginekit.wanted(
        engine,
        version=versions.get("version"),
        compose_version=versions.get("compose_version"),
        platform=AMD64,
        folder=folder,
    )


def test_without_a_pin_the_version_says_what_to_fetch() -> None:
    docker, compose = wanted(None, Path("/kit"), version="26.1.4")
    assert docker.url == "https://download.docker.com/linux/static/stable/x86_64/docker-26.1.4.tgz"
    assert docker.path == Path("/kit/engine/docker-26.1.4.tgz")
    assert compose.url == "https://github.com/docker/compose/releases/download/v2.27.1/docker-compose-linux-x86_64"
    assert (docker.sha256, compose.sha256) == (None, None)


def test_with_a_pin_nothing_else_need_be_said() -> None:
    engine = pinned(b"d", b"c")
    files = wanted(engine, Path("/kit"))
    assert [file.path for file in files] == [Path("/kit/engine/docker-26.1.4.tgz"), Path("/kit/engine/docker-compose")]
    assert [file.sha256 for file in files] == [sha256(b"d"), sha256(b"c")]


def test_another_version_than_the_pinned_one_is_not_held_to_its_pin() -> None:
    assert {file.sha256 for file in wanted(pinned(b"d", b"c"), Path("/kit"), version="28.5.2")} == {None}


def test_no_version_anywhere_is_an_error_that_says_what_to_type() -> None:
    with pytest.raises(UsageError, match="fetch-engine --version"):
        wanted(None, Path("/kit"))


def test_addresses_follow_the_platform() -> None:
    docker, compose = enginekit.wanted(
        None, version="26.1.4", compose_version="2.30.0", platform=ARM64, folder=Path("/kit")
    )
    assert "/aarch64/" in docker.url
    assert compose.url.endswith("v2.30.0/docker-compose-linux-aarch64")


def test_the_printed_section_is_one_that_release_yml_takes() -> None:
    text = enginekit.section(("26.1.4", "engine/d.tgz", "a" * 64), ("2.27.1", "engine/c", "b" * 64))
    read = EnginePayload.model_validate(yaml.safe_load(text)["engine"])
    assert (read.version, read.docker, read.compose_sha256) == ("26.1.4", "engine/d.tgz", "b" * 64)


def test_files_given_by_hand_are_told_apart_by_what_they_are(tmp_path: Path) -> None:
    tgz, binary = put(tmp_path, "one", tarball()), put(tmp_path, "two", elf())
    files = wanted(None, tmp_path, version="26.1.4")
    found = fetch(files, binary, tgz)
    assert found == {"docker": sha256(tarball()), "compose": sha256(elf())}
    assert files[0].path.read_bytes() == tarball()
    assert files[1].path.read_bytes() == elf()


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"<html>404", "neither"),
        (elf(ARM64), "not for linux/amd64"),
        (tarball(platform=ARM64), "not for linux/amd64"),
        (tarball(BINARIES[:-1]), "lacks runc"),
        (tarball(("../../etc/passwd",)), "plain files in docker/ only"),
        (tarball()[:60], "cannot be read"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",  # the bytes of a tar hold the time
)
def test_a_file_that_is_no_engine_is_refused_and_nothing_is_left(tmp_path: Path, data: bytes, why: str) -> None:
    given = put(tmp_path, "given", data)
    with pytest.raises(UsageError, match=why):
        fetch(wanted(None, tmp_path / "kit", version="26.1.4"), given)
    assert not (tmp_path / "kit").exists()


def test_bytes_other_than_the_pinned_ones_are_refused_and_nothing_is_left(tmp_path: Path) -> None:
    engine = pinned(tarball(), elf())
    other = put(tmp_path, "other", tarball((*BINARIES, "docker-extra")))
    with pytest.raises(VerifyError, match="but release"):
        fetch(wanted(engine, tmp_path), other, put(tmp_path, "compose", elf()))
    assert list((tmp_path / "engine").iterdir()) == []


def test_what_is_there_as_pinned_is_not_fetched_again(tmp_path: Path) -> None:
    engine = pinned(tarball(), elf())
    put(tmp_path, engine.docker, tarball())
    put(tmp_path, engine.compose, elf())
    fetch(wanted(engine, tmp_path))  # a download would be stopped by the guards


def test_a_site_that_is_not_reached_points_to_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreached(*_: object, **__: object) -> None:
        raise urllib.error.URLError("no route")

    monkeypatch.setattr(urllib.request, "urlopen", unreached)
    with pytest.raises(OfflineError, match="--from FILE") as caught:
        fetch(wanted(None, tmp_path, version="26.1.4"))
    assert caught.value.exit_code == 6
    assert list((tmp_path / "engine").iterdir()) == []


def test_a_bundle_without_an_engine_has_none() -> None:
    assert enginekit.collect(None, Path) == ()


def test_what_is_packaged_is_what_is_pinned(tmp_path: Path) -> None:
    engine = pinned(tarball(), elf())
    with pytest.raises(UsageError, match="fetch-engine"):
        enginekit.collect(engine, lambda name: tmp_path / name)
    put(tmp_path, engine.docker, tarball())
    put(tmp_path, engine.compose, elf(more=b"changed"))
    with pytest.raises(VerifyError, match="pins"):
        enginekit.collect(engine, lambda name: tmp_path / name)


def test_the_bundle_holds_tarball_compose_and_unit_and_its_facts_hold_their_digests(tmp_path: Path) -> None:
    engine = pinned(tarball(), elf())
    put(tmp_path, engine.docker, tarball())
    put(tmp_path, engine.compose, elf())
    files = enginekit.collect(engine, lambda name: tmp_path / name)
    changes = {"engine": engine.model_dump()}
    bare, items, _ = builders.facts(tmp_path, changes=changes)
    made = dataclasses.replace(bare, engine=files)
    shipped = {file.name: file for file in write.small_files(made, items)}
    assert shipped["engine/docker-compose"].executable
    rows = [tuple(line.split("\t")) for line in facts.render(made).decode().splitlines()]
    assert ("engine", "26.1.4", "2.27.1") in rows
    listed = {row[1]: row[2] for row in rows if row[0] == "engine_file"}
    assert listed == {
        name: shipped[f"engine/{name}"].sha256 for name in ("docker.tgz", "docker-compose", "docker.service")
    }


def test_a_host_learns_how_large_each_layer_is_unpacked(tmp_path: Path) -> None:
    made, _, _ = builders.facts(tmp_path)
    rows = [tuple(line.split("\t")) for line in facts.render(made).decode().splitlines()]
    sizes = {row[1]: int(row[2]) for row in rows if row[0] == "raw"}
    layers = {layer.diff_id: layer.raw_size for image in made.images for layer in image.stored.layers}
    assert sizes == layers
    assert sum(sizes.values()) == int(next(row[1] for row in rows if row[0] == "disk"))
