"""The two verifiers, on one set of mutated bundles: Python on the archive, bash on what `tar -xzf` makes of it."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from offline.bundle import layout
from offline.bundle.verify import verify
from offline.console import Console
from offline.errors import VerifyError
from tests.bundles import Bundle, small_bundle, tar_of, write_archive
from tests.mutations import MUTATIONS, Mutation

if TYPE_CHECKING:
    from pathlib import Path

# A bash 4.2 to run the host scripts with, where one is at hand; else the bash of this machine.
BASH = os.environ.get("OLD_BASH") or shutil.which("bash") or "bash"


def in_python(archive: Path) -> tuple[int, list[str]]:
    out = io.StringIO()
    try:
        verify(archive, Console(out, io.StringIO()))
    except VerifyError as error:
        return error.exit_code, out.getvalue().splitlines()
    return 0, out.getvalue().splitlines()


def unpack(archive: Path, folder: Path) -> None:
    folder.mkdir()
    subprocess.run(["tar", "-xzf", str(archive), "-C", str(folder)], check=True)


def in_bash(folder: Path, *arguments: str, script: str = layout.VERIFY_SCRIPT) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([BASH, script, *arguments], cwd=folder, capture_output=True, check=False)


def lines(done: subprocess.CompletedProcess[bytes]) -> list[str]:
    return done.stdout.decode().splitlines()


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_both_verifiers_end_alike_and_print_the_same_lines(mutation: Mutation, tmp_path: Path) -> None:
    bundle, expected = mutation.apply()
    archive = bundle.pack(tmp_path)
    unpack(archive, tmp_path / "host")
    done = in_bash(tmp_path / "host" / bundle.top)
    assert (done.returncode, lines(done)) == in_python(archive), done.stderr.decode()
    assert [line for line in lines(done) if line.startswith("bad\t")] == sorted(expected, key=str.encode)
    assert done.returncode == (3 if expected else 0)


def test_plain_sha256sum_reads_the_list_whatever_the_names(tmp_path: Path) -> None:
    bundle = small_bundle()
    unpack(bundle.pack(tmp_path), tmp_path / "host")
    checked = ["sha256sum", "--strict", "--quiet", "-c", layout.SUMS]
    subprocess.run(checked, cwd=tmp_path / "host" / bundle.top, stdin=subprocess.DEVNULL, check=True)


@pytest.mark.parametrize("name", ["with space", "离线 部署", "-rf", "$(touch owned)", "*", "a'b\"c", "[x]"])
def test_the_folder_itself_may_have_any_name(name: str, tmp_path: Path) -> None:
    bundle = small_bundle()
    unpack(bundle.pack(tmp_path), tmp_path / "host")
    folder = (tmp_path / "host" / bundle.top).rename(tmp_path / "host" / name)
    inside = in_bash(folder)
    outside = in_bash(folder.parent, f"./{name}", script=f"./{name}/scripts/verify.sh")
    assert (inside.returncode, outside.returncode) == (0, 0), inside.stderr.decode() + outside.stderr.decode()
    assert inside.stdout == outside.stdout
    assert not list(tmp_path.rglob("owned"))


def test_a_parent_folder_entry_of_an_archive_lands_nowhere_with_plain_tar(tmp_path: Path) -> None:
    bundle = small_bundle()
    evil = Bundle(top="..")
    evil["evil"] = b"evil"
    members = [*bundle.members(), *(member for member in evil.members() if member[0].isreg())]
    archive = write_archive(tmp_path, bundle.top, tar_of(members))
    folder = tmp_path / "host" / "inner"
    folder.mkdir(parents=True)
    done = subprocess.run(["tar", "-xzf", str(archive)], cwd=folder, capture_output=True, check=False)
    assert done.returncode == 2
    assert not (folder.parent / "evil").exists()
    assert in_python(archive) == (3, ["bad\tunsafe\t../evil"])


def with_tool(name: str, text: str, folder: Path) -> dict[str, str]:
    """An environment in which `name` is a script of ours; in it `$PATH` without its first folder has the real one."""
    tools = folder / "tools"
    tools.mkdir(exist_ok=True)
    (tools / name).write_text(f"#!/bin/bash\n{text}\n")
    (tools / name).chmod(0o755)
    return {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}", "LANG": "en_US.UTF-8"}


REAL = "PATH=${PATH#*:} exec"


@pytest.mark.parametrize(
    ("size", "processors", "processes"), [(70_000_000, 2, 1 + 3), (70_000_000, 1, 3), (7_000_000, 2, 3)]
)
def test_a_big_bundle_is_read_by_two_at_once_and_a_thousand_files_by_a_few_processes(
    size: int, processors: int, processes: int, tmp_path: Path
) -> None:
    bundle = small_bundle()
    for number in range(900):
        bundle[f"models/{number}.bin"] = b"%d" % number
    bundle["models/big.bin"] = bytes(size)
    bundle.seal()
    bundle["models/17.bin"] = b"changed"
    archive = bundle.pack(tmp_path)
    unpack(archive, tmp_path / "host")
    log = tmp_path / "log"
    with_tool("nproc", f"echo {processors}", tmp_path)
    with_tool("sha256sum", f'echo "sha256sum $#" >>{log}\n{REAL} sha256sum "$@"', tmp_path)
    environment = with_tool("openssl", f'echo "openssl" >>{log}\n{REAL} openssl "$@"', tmp_path)
    done = verified(tmp_path / "host" / bundle.top, environment)
    assert (done.returncode, lines(done)) == (3, ["bad\tchanged\tmodels/17.bin"]) == in_python(archive)
    assert log.read_text().splitlines() == ["openssl"] * processes + ["sha256sum 1"]


@pytest.mark.parametrize(
    "openssl",
    ["exit 1", """for path in "${@:4}"; do printf '%064d *%s\\n' 0 "$path"; done""", 'cat "${@:4}"'],
    ids=["none", "wrong", "echo"],
)
def test_an_openssl_that_does_not_hash_is_done_without(openssl: str, tmp_path: Path) -> None:
    bundle = small_bundle()
    unpack(bundle.pack(tmp_path), tmp_path / "host")
    environment = with_tool("openssl", openssl, tmp_path)
    assert verified(tmp_path / "host" / bundle.top, environment).returncode == 0
    (tmp_path / "host" / bundle.top / "README.txt").write_text("changed")
    done = verified(tmp_path / "host" / bundle.top, environment)
    assert (done.returncode, lines(done)) == (3, ["bad\tchanged\tREADME.txt"])


def test_a_file_that_cannot_be_read_is_bad_and_said_so(tmp_path: Path) -> None:
    bundle = small_bundle()
    unpack(bundle.pack(tmp_path), tmp_path / "host")
    # Root reads everything, whatever the mode: tools that cannot open one file stand for the failing disk.
    with_tool("openssl", 'PATH=${PATH#*:} openssl "$@" | grep -v README.txt', tmp_path)
    environment = with_tool("sha256sum", 'PATH=${PATH#*:} sha256sum "$@" | grep -v README.txt', tmp_path)
    done = verified(tmp_path / "host" / bundle.top, environment)
    assert (done.returncode, lines(done)) == (3, ["bad\tchanged\tREADME.txt"])
    assert b"./README.txt: this file cannot be read" in done.stderr


def verified(folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([BASH, "scripts/verify.sh"], cwd=folder, capture_output=True, check=False, env=environment)


@pytest.mark.parametrize("name", ["say.sh", "verify.sh", "messages.zh.sh"])
def test_a_script_beside_it_that_lacks_is_named_before_anything_runs(name: str, tmp_path: Path) -> None:
    bundle = small_bundle()
    del bundle.items[f"scripts/lib/{name}"]
    archive = bundle.pack(tmp_path)
    unpack(archive, tmp_path / "host")
    done = in_bash(tmp_path / "host" / bundle.top)
    assert (done.returncode, lines(done)) == (3, [f"bad\tmissing\tscripts/lib/{name}"]) == in_python(archive)
