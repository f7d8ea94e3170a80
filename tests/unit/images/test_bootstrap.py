from __future__ import annotations

import hashlib
import io
import json
import shutil
import sys
import tarfile
from pathlib import Path

import pytest

from offline.config.schema import Bootstrap, Mirrors
from offline.errors import PreflightError
from offline.images import bootstrap

PYTHON = Bootstrap(suite="bookworm", packages=("python3", "tzdata"), commands=("rm -f /usr/lib/python3*/EXT", "x 'y'"))
SIGNED = "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]"


def argv(spec: Bootstrap = PYTHON, *, architecture: str = "amd64", **mirrors: str) -> tuple[str, ...]:
    return bootstrap.argv(spec, Mirrors(**mirrors), Path("/out/root.tar"), architecture=architecture)


def test_the_whole_command_line() -> None:
    assert argv() == (
        "mmdebstrap",
        "--variant=minbase",
        "--format=tar",
        "--architectures=amd64",
        "--dpkgopt=path-exclude=/usr/share/man/*",
        "--dpkgopt=path-exclude=/usr/share/doc/*",
        "--dpkgopt=path-exclude=/usr/share/info/*",
        "--dpkgopt=path-exclude=/usr/share/lintian/*",
        "--dpkgopt=path-include=/usr/share/doc/*/copyright",
        "--include=python3,tzdata",
        "--customize-hook=chroot \"$1\" sh -ec 'rm -f /usr/lib/python3*/EXT'",
        """--customize-hook=chroot "$1" sh -ec 'x '"'"'y'"'"''""",
        "bookworm",
        "/out/root.tar",
        f"{SIGNED} http://deb.debian.org/debian bookworm main",
        f"{SIGNED} http://deb.debian.org/debian bookworm-updates main",
        f"{SIGNED} http://deb.debian.org/debian-security bookworm-security main",
    )


def test_the_mirror_of_the_configuration_is_used_for_everything() -> None:
    lines = argv(apt="https://mirror/debian/")[-3:]
    assert [line.split()[2] for line in lines] == [*["https://mirror/debian"] * 2, "https://mirror/debian-security"]


def test_a_security_mirror_of_its_own() -> None:
    assert argv(apt="https://mirror/debian", apt_security="https://safe/debian")[-1].split()[2] == "https://safe/debian"


def test_sid_has_neither_updates_nor_security() -> None:
    assert argv(Bootstrap(suite="sid"))[-2:] == ("/out/root.tar", f"{SIGNED} http://deb.debian.org/debian sid main")


def test_another_architecture() -> None:
    assert "--architectures=arm64" in argv(architecture="arm64")


@pytest.mark.parametrize("platform", ["win32", "darwin"])
def test_windows_and_macos_are_refused_with_the_reason(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, platform: str
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    with pytest.raises(PreflightError, match=f"mmdebstrap runs on Linux only, and this is {platform}"):
        bootstrap.make(
            PYTHON,
            tag="x:1",
            client="docker",
            mirrors=Mirrors(),
            platform="linux/amd64",
            timeout=1,
            log=tmp_path / "log",
            on_line=print,
        )
    assert list(tmp_path.iterdir()) == []


def test_a_linux_without_mmdebstrap_is_told_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(shutil, "which", lambda _: None)
    assert bootstrap.unavailable() == "mmdebstrap is not installed (apt-get install mmdebstrap)"
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    assert bootstrap.unavailable() == ""


def test_the_same_root_makes_the_same_image_and_another_makes_another(tmp_path: Path) -> None:
    root = tmp_path / "root.tar"

    def written(content: bytes) -> bytes:
        root.write_bytes(content)
        sink = io.BytesIO()
        bootstrap.write_archive(root, sink, tag="x:1", platform="linux/amd64", history="mmdebstrap bookworm")
        return sink.getvalue()

    assert written(b"a" * 9000) == written(b"a" * 9000) != written(b"b" * 9000)


def test_the_archive_is_what_docker_load_takes(tmp_path: Path) -> None:
    root = tmp_path / "root.tar"
    root.write_bytes(b"root" * 5000)
    sink = io.BytesIO()
    bootstrap.write_archive(root, sink, tag="x/y:1", platform="linux/arm64", history="h")
    sink.seek(0)
    with tarfile.open(fileobj=sink) as archive:
        files = {member.name: (archive.extractfile(member) or io.BytesIO()).read() for member in archive}
    [entry] = json.loads(files["manifest.json"])
    config = json.loads(files[entry["Config"]])
    assert entry["RepoTags"] == ["x/y:1"]
    assert entry["Config"] == f"{hashlib.sha256(files[entry['Config']]).hexdigest()}.json"
    assert config["rootfs"]["diff_ids"] == [f"sha256:{hashlib.sha256(files[entry['Layers'][0]]).hexdigest()}"]
    assert (config["os"], config["architecture"], config["created"]) == ("linux", "arm64", "2024-01-01T00:00:00Z")
