from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from offline.images import context
from offline.paths import MINI
from tests.builders import tree

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path


@pytest.fixture(params=[0o022, 0o077, 0o000])
def _any_umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


def staged(tmp_path: Path, files: dict[str, str | bytes], leave_out: Sequence[str] = ()) -> Path:
    context.stage(tree(tmp_path / "source", files), tmp_path / "context", leave_out=leave_out)
    return tmp_path / "context"


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir())


def mode(path: Path) -> int:
    return path.lstat().st_mode & 0o777


@pytest.mark.usefixtures("_any_umask")
def test_modes_are_0755_or_0644_whatever_the_umask_and_the_source_made_of_them(tmp_path: Path) -> None:
    source = tree(tmp_path / "source", {"plain": "x", "program": "x", "script.txt": "#!/bin/sh\n", "secret": "x"})
    (source / "plain").chmod(0o666)
    (source / "program").chmod(0o700)
    (source / "script.txt").chmod(0o600)
    (source / "secret").chmod(0o600)
    context.stage(source, tmp_path / "context", leave_out=())
    found = {path.name: oct(mode(path)) for path in (tmp_path / "context").iterdir()}
    assert found == {"plain": "0o644", "program": "0o755", "script.txt": "0o755", "secret": "0o644"}


@pytest.mark.parametrize("name", ["start.sh", "a.bash", "nginx.conf", "my.cnf", "a.py", "Dockerfile-web", "x.env"])
def test_what_linux_runs_gets_lf_line_ends(tmp_path: Path, name: str) -> None:
    """Failure 15: scripts made on Windows had to be mended by the operator with `sed`."""
    assert (staged(tmp_path, {name: "a\r\nb\r\n"}) / name).read_bytes() == b"a\nb\n"


def test_a_script_is_known_by_its_first_line_whatever_its_name(tmp_path: Path) -> None:
    assert (staged(tmp_path, {"entrypoint": "#!/bin/sh\r\na\r\n"}) / "entrypoint").read_bytes() == b"#!/bin/sh\na\n"


@pytest.mark.parametrize("name", ["page.html", "song.mp3", "letter.txt", "start.sh.orig"])
def test_every_other_file_comes_byte_for_byte(tmp_path: Path, name: str) -> None:
    assert (staged(tmp_path, {name: b"a\r\nb\r\n\0"}) / name).read_bytes() == b"a\r\nb\r\n\0"


def test_a_binary_file_of_a_script_name_comes_byte_for_byte(tmp_path: Path) -> None:
    assert (staged(tmp_path, {"x.py": b"a\r\n\0b"}) / "x.py").read_bytes() == b"a\r\n\0b"


def test_data_and_models_stay_out_and_their_namesakes_come(tmp_path: Path) -> None:
    private = {"main/server/data/.config.yaml": "key", "main/server/models/big.pt": "x"}
    wanted = ["data/seed.sql", "main/server/app.py", "main/server/core/models/base.py", "main/server/database.py"]
    found = staged(tmp_path, {**private, **dict.fromkeys(wanted, "x")}, ["main/server/data", "main/server/models"])
    assert names(found) == wanted


def test_versioning_caches_and_the_kits_own_output_stay_out(tmp_path: Path) -> None:
    left_out = [".git/config", ".offline/store/x", "dist/b.tar.gz", "a/__pycache__/x.pyc", "b.pyc", "a/.DS_Store"]
    files = dict.fromkeys([*left_out, "w/node_modules/x/y"], "x")
    found = staged(tmp_path, {**files, "web/dist/index.html": "x", ".gitignore": "x", "a/git": "x"})
    assert names(found) == [".gitignore", "a/git", "web/dist/index.html"]


def test_chinese_names_and_spaces_come_as_they_are(tmp_path: Path) -> None:
    assert names(staged(tmp_path, {"music/春江花月夜 1.mp3": "x"})) == ["music/春江花月夜 1.mp3"]


def test_links_stay_links_and_are_not_followed(tmp_path: Path) -> None:
    source = tree(tmp_path / "source", {"a/file": "x"})
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "private").write_text("x")
    (source / "link").symlink_to("a/file")
    (source / "folder").symlink_to("../outside")
    (source / "dangling").symlink_to("nowhere")
    context.stage(source, tmp_path / "context", leave_out=())
    made = tmp_path / "context"
    assert {path.name: os.readlink(path) for path in made.iterdir() if path.is_symlink()} == {  # noqa: PTH115
        "link": "a/file",
        "folder": "../outside",
        "dangling": "nowhere",
    }


def test_times_are_kept_so_that_an_unchanged_file_does_not_look_changed(tmp_path: Path) -> None:
    source = tree(tmp_path / "source", {"a.sh": "a\r\n"})
    os.utime(source / "a.sh", ns=(1, 1_500_000_000_000_000_000))
    context.stage(source, tmp_path / "context", leave_out=())
    assert (tmp_path / "context" / "a.sh").stat().st_mtime_ns == 1_500_000_000_000_000_000


def test_the_example_reaches_the_build_without_its_configuration(tmp_path: Path) -> None:
    leave_out = ["main/xiaozhi-server/data", "main/xiaozhi-server/models"]
    context.stage(MINI, tmp_path / "context", leave_out=leave_out)
    found = names(tmp_path / "context")
    assert "main/xiaozhi-server/app.py" in found
    assert [name for name in found if "wakeup" in name or name.endswith((".pt", ".onnx", ".config.yaml"))] == []
    assert b"\r" not in (tmp_path / "context" / "docs" / "docker" / "start.sh").read_bytes()
    assert b"\r\n" in (MINI / "docs" / "docker" / "start.sh").read_bytes()
