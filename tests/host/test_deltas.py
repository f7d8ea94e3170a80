"""Deltas by the host's own scripts alone: what they leave and refuse, and that both verifiers agree on damage."""

from __future__ import annotations

import io
import subprocess
from typing import TYPE_CHECKING

import pytest

from offline.bundle.verify import verify
from offline.console import Console
from tests.delta_host import OF_THE_BUNDLE
from tests.delta_releases import FIRST, ROLES, SECOND, Spec, made
from tests.host.test_verify_agree import BASH, in_bash, in_python, lines

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

BEFORE = Spec(layers=dict.fromkeys(ROLES, ("base", "app")), plugins={"one.py": "1", "深/a b.py": "2", "run.sh": "3"})
AFTER = Spec(layers={"api": ("base", "newer"), "db": ("base", "app")}, plugins={**BEFORE.plugins, "one.py": "changed"})
LAY = r"""
set -Eeuo pipefail
LIB=$1 BUNDLE=$2 ROOT=$3 CHAINS=$4 FACTS=$2/scripts/facts.tsv STACK=shop MODE=all ADOPT='' ACTION=deploy LOG=/dev/null
source "$LIB/all.sh"
use_language en
trap unexpected ERR
image_store() { printf classic; }
stored_chains() { cat -- "$CHAINS"; }
chown() { :; }
if ! absent=$(omitted_present); then
    printf '%s\n' "$absent"
    exit 5
fi
switch_release
state_set "current=$(fact "$FACTS" id)"
"""
# What a classic store has of a release: a line of diff_ids for each image.
CHAINS = 'awk -F \'\\t\' \'$1 == "layer" { if ($3 == 0) printf "\\n"; printf "%s ", $4 }\' "$1"'


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The first release whole, the second one whole and as a delta; unpacked by tar."""
    folder = tmp_path_factory.mktemp("bundles")
    first = made(folder, BEFORE, FIRST).bundle()
    second = made(folder, AFTER, SECOND)
    archives = {"first": first, "whole": second.bundle(), "delta": second.bundle([first])}
    found = {}
    for name, archive in archives.items():
        subprocess.run(["tar", "-xzf", archive, "-C", folder], check=True)
        found[name] = folder / archive.name.removesuffix(".tar.gz")
    return found | {"archive": archives["delta"]}


def lay(bundle: Path, root: Path, chains: Path, library: Path) -> subprocess.CompletedProcess[str]:
    """Prove what is left out, and lay the release out, as a deploy does; the engine is a table of chains."""
    words = [BASH, "-c", LAY, "lay", str(library / "scripts" / "lib"), str(bundle), str(root), str(chains)]
    return subprocess.run(words, capture_output=True, text=True, check=False)


@pytest.fixture
def root(bundles: dict[str, Path], tmp_path: Path) -> Path:
    """The root of a host that has the first release; `chains` beside it is its engine."""
    chains = subprocess.run(
        [BASH, "-c", CHAINS, "chains", str(bundles["first"] / "scripts" / "facts.tsv")], capture_output=True, check=True
    )
    (tmp_path / "chains").write_bytes(chains.stdout)
    made_root = tmp_path / "root"
    made_root.mkdir()
    done = lay(bundles["first"], made_root, tmp_path / "chains", bundles["first"])
    assert done.returncode == 0, done.stderr
    return made_root


def state(root: Path) -> dict[str, tuple[str, bytes]]:
    """Mode and bytes of all that the second release has under a root, but for the texts that speak of its bundle."""
    found = {}
    own = {f"releases/{SECOND}/{name}" for name in OF_THE_BUNDLE}
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if path.is_file() and name.startswith((f"releases/{SECOND}", "payload")) and name not in own:
            found[name] = (oct(path.stat().st_mode), path.read_bytes() if not path.is_symlink() else b"")
    return found


def test_a_delta_leaves_on_the_host_what_the_full_bundle_leaves(
    bundles: dict[str, Path], root: Path, tmp_path: Path
) -> None:
    done = lay(bundles["delta"], root, tmp_path / "chains", bundles["first"])
    assert done.returncode == 0, done.stderr + done.stdout
    bare = tmp_path / "bare"
    bare.mkdir()
    assert lay(bundles["whole"], bare, tmp_path / "chains", bundles["whole"]).returncode == 0
    left, expected = state(root), state(bare)
    assert {name: left.get(name) for name in expected} == expected
    assert f"releases/{SECOND}/scripts/status.sh" in expected
    assert not (root / "releases" / SECOND / "omitted.tsv").exists()


def test_the_laid_list_names_every_file_of_the_release_for_later_proofs(
    bundles: dict[str, Path], root: Path, tmp_path: Path
) -> None:
    assert lay(bundles["delta"], root, tmp_path / "chains", bundles["first"]).returncode == 0
    laid = (root / "releases" / SECOND / "SHA256SUMS").read_text().splitlines()
    whole = (bundles["whole"] / "SHA256SUMS").read_text().splitlines()
    assert [line[66:] for line in laid] == [line[66:] for line in whole]
    assert {line[66:] for line in set(laid) ^ set(whole)} <= OF_THE_BUNDLE


def in_payload(root: Path, name: str) -> Path:
    (found,) = root.glob(f"payload/*/plugins/{name}")
    return found


HARMS: dict[str, Callable[[Path], object]] = {
    "a file that is gone": lambda root: in_payload(root, "run.sh").unlink(),
    "a file with other bytes": lambda root: in_payload(root, "run.sh").write_text("other"),
    "a layer that was pruned": lambda root: (root.parent / "chains").write_text(""),
    "a layer whose tag was overwritten": lambda root: (root.parent / "chains").write_text("sha256:other\n"),
    "a script that was edited": lambda root: (root / "releases" / FIRST / "scripts" / "status.sh").write_text("#"),
    "a release that was removed": lambda root: (root / "releases" / FIRST).rename(root / "elsewhere"),
}


@pytest.mark.parametrize("harm", HARMS.values(), ids=HARMS)
def test_what_is_left_out_and_not_here_is_found_before_anything_changes(
    harm: Callable[[Path], object], bundles: dict[str, Path], root: Path, tmp_path: Path
) -> None:
    harm(root)
    before = state(root)
    done = lay(bundles["delta"], root, tmp_path / "chains", bundles["first"])
    assert (done.returncode, done.stdout.startswith("absent\t")) == (5, True), done.stderr
    assert state(root) == before


def deploy(bundle: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """The bundle's own script, as an operator runs it."""
    return subprocess.run(
        [BASH, "offline-deploy.sh", *words],
        cwd=bundle,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "en_US.UTF-8", "DOCKER_HOST": "unix:///nowhere.sock"},
    )


def test_a_host_without_the_base_is_told_which_release_and_which_command(
    bundles: dict[str, Path], tmp_path: Path
) -> None:
    done = deploy(bundles["delta"], "--yes", "--root", str(tmp_path / "none"))
    assert done.returncode == 5, done.stderr
    assert f"since release {FIRST}" in done.stderr
    assert f"invoke package --id {SECOND}" in done.stderr
    assert not (tmp_path / "none").exists()


def test_a_script_of_the_base_that_was_edited_is_not_run(bundles: dict[str, Path], root: Path) -> None:
    for name in ("all.sh", "say.sh"):
        script = root / "releases" / FIRST / "scripts" / "lib" / name
        text = script.read_text()
        script.write_text(f"touch {root}/owned\n{text}")
        done = deploy(bundles["delta"], "--yes", "--root", str(root))
        script.write_text(text)
        assert (done.returncode, (root / "owned").exists()) == (5, False), done.stderr
        assert f"since release {FIRST}" in done.stderr


def test_an_engine_that_lacks_the_layers_is_a_finding_among_the_others(bundles: dict[str, Path], root: Path) -> None:
    done = deploy(bundles["delta"], "--check", "--root", str(root))
    assert done.returncode == 5, done.stderr
    (finding,) = (line for line in done.stderr.splitlines() if "[omitted]" in line)
    assert f"since release {FIRST}" in finding
    assert f"invoke package --id {SECOND}" in finding


@pytest.mark.parametrize("words", [("--help",), ("--sideways",), ("--root",), ("--no-backup",), ("--lang", "fr")])
def test_every_sentence_before_the_library_is_in_the_delta(bundles: dict[str, Path], words: tuple[str, ...]) -> None:
    done = deploy(bundles["delta"], *words)
    assert (done.returncode, "usage: " in done.stderr) == (0 if words == ("--help",) else 2, True), done.stderr
    assert "unbound" not in done.stderr


def test_the_delta_verifies_in_both_and_names_its_base(bundles: dict[str, Path]) -> None:
    done = in_bash(bundles["delta"])
    assert (done.returncode, lines(done)) == in_python(bundles["archive"])
    assert f"release {FIRST}".encode() in done.stderr
    assert f"{bundles['delta'].name}.json".encode() in done.stderr
    said = io.StringIO()
    verify(bundles["archive"], Console(io.StringIO(), said))
    assert f"release {FIRST}" in said.getvalue()


def damaged(folder: Path, path: str, change: Callable[[bytes], bytes]) -> Path:
    """The delta with one file changed, in a folder of its own; gives the archive that tar makes of it."""
    file = folder / path
    file.write_bytes(change(file.read_bytes()))
    archive = folder.with_name(f"{folder.name}.tar.gz")
    subprocess.run(["tar", "-czf", archive, "-C", folder.parent, folder.name], check=True)
    return archive


def without_first_line(data: bytes) -> bytes:
    return data.partition(b"\n")[2]


def swapped(data: bytes) -> bytes:
    first, second, rest = data.split(b"\n", 2)
    return b"\n".join((second, first, rest))


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "cut": lambda data: data[:-20],
    "flipped": lambda data: bytes([data[0] ^ 1]) + data[1:],
    "reordered": swapped,
    "less": without_first_line,
    "empty": lambda _: b"",
}


# Not with them: SHA256SUMS in another order says the same, and manifest.json is one line.
TABLES = ["omitted.tsv", "scripts/facts.tsv"]
LINES = ("reordered", "less")
CASES = [(path, name) for path in TABLES for name in DAMAGES]
CASES += [(path, name) for path in ("images/manifest.json", "SHA256SUMS") for name in DAMAGES if name not in LINES]


@pytest.mark.parametrize(("path", "name"), CASES)
def test_a_damaged_delta_is_refused_by_both_alike(
    path: str, name: str, bundles: dict[str, Path], tmp_path: Path
) -> None:
    folder = tmp_path / bundles["delta"].name
    subprocess.run(["cp", "-R", bundles["delta"], folder], check=True)
    archive = damaged(folder, path, DAMAGES[name])
    done = in_bash(folder)
    assert (done.returncode, lines(done)) == in_python(archive), done.stderr.decode()
    assert done.returncode == deploy(folder, "--yes").returncode == 3


def test_a_row_that_lacks_under_a_new_list_is_a_layer_that_lacks(bundles: dict[str, Path], tmp_path: Path) -> None:
    folder = tmp_path / bundles["delta"].name
    subprocess.run(["cp", "-R", bundles["delta"], folder], check=True)
    lost = (folder / "omitted.tsv").read_text().split("\t")[1].removeprefix("sha256:")
    (folder / "omitted.tsv").write_bytes(without_first_line((folder / "omitted.tsv").read_bytes()))
    reseal = 'sum=$(sha256sum omitted.tsv) && sed -i "s/.* omitted.tsv$/$sum/" SHA256SUMS'
    subprocess.run([BASH, "-c", reseal], cwd=folder, check=True)
    archive = damaged(folder, "omitted.tsv", lambda data: data)
    done = in_bash(folder)
    assert (done.returncode, lines(done)) == in_python(archive)
    assert lines(done) == [f"bad\tincomplete\timages/blobs/sha256/{lost}"]
