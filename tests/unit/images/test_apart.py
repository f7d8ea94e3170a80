from __future__ import annotations

import io
import tarfile
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from offline.console import Console
from offline.engine.client import Folder
from offline.images import apart, bases, obtain, plan
from offline.images.tail import NotApartError
from offline.store.blobs import Store
from tests import builders
from tests.unit.modelengine import ModelEngine
from tests.unit.store import streams

if TYPE_CHECKING:
    from pathlib import Path

    from offline.store.applayer import AppLayer

PYTHON = streams.Image("python:3", (streams.layer(b"python"),))
PLAIN = 'FROM python:3\nWORKDIR /opt/app\nCOPY . .\nCMD ["python", \\\n  "app.py"]\n'


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> ModelEngine:
    made = ModelEngine().install(monkeypatch)
    made.registry["python:3"] = PYTHON
    made.configurations["shop/api:build"] = {"Cmd": ["python", "app.py"], "Hostname": "", "Image": "", "Env": None}
    return made


def added(folder: Path, engine: ModelEngine, text: str = PLAIN, **before: AppLayer) -> tuple[AppLayer | None, str]:
    """What the build of the one image adds, and what was said."""
    said = io.StringIO()
    config, console = builders.config(folder, {"mode": "single"}), Console(io.StringIO(), said)
    made = plan.make(config.release, {"source:Dockerfile": text})
    found = bases.prepare(made, config=config, engine=engine, console=console)
    [image] = obtain.obtain(
        made, found, config=config, engine=engine, console=console, retry="invoke build-app", before=before
    )
    return image.app, said.getvalue()


def tar_of(folder: Path, app: AppLayer) -> dict[str, tarfile.TarInfo]:
    data = Store(folder / "work" / "store").read(app.known.layer.digest)
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as archive:
        return {member.name: member for member in archive}


def test_the_files_are_a_layer_in_the_store_and_the_rest_is_what_the_engine_made_of_it(
    tmp_path: Path, engine: ModelEngine
) -> None:
    app, _ = added(tmp_path, engine)
    assert app
    assert app.built == engine.images["shop/api:build"].id
    assert app.below.startswith("offline-base.invalid/python-3:")
    assert app.config == {"Cmd": ["python", "app.py"]}
    assert app.history == ("WORKDIR /opt/app", "COPY . .", 'CMD ["python", "app.py"]')
    assert list(tar_of(tmp_path, app)) == ["opt", "opt/app", "opt/app/all"]


def test_folders_have_the_mode_and_owner_that_they_have_in_the_image(tmp_path: Path, engine: ModelEngine) -> None:
    app, _ = added(tmp_path, engine)
    assert app
    found = tar_of(tmp_path, app)
    assert {(found[name].mode, found[name].uid, found[name].gid) for name in ("opt", "opt/app")} == {(0o750, 7, 8)}
    assert engine.commands("folders") == [("folders", "shop/api:build", "opt", "opt/app")]


def test_below_an_install_step_the_image_is_built_under_a_name_of_its_own(tmp_path: Path, engine: ModelEngine) -> None:
    app, _ = added(tmp_path, engine, "FROM python:3\nRUN install\nWORKDIR /opt/app\nCOPY . .\n")
    assert app
    assert app.below == "shop/api:below"
    assert engine.images["shop/api:build"].layers[:2] == engine.images["shop/api:below"].layers
    assert b"RUN --mount=type=secret" in engine.contexts["shop/api:below"]["Dockerfile"]


def test_the_same_files_give_the_same_layer_in_any_checkout(tmp_path: Path, engine: ModelEngine) -> None:
    one, _ = added(tmp_path / "one", engine)
    other, _ = added(tmp_path / "other", engine)
    assert one == other


def test_what_the_last_build_added_is_taken_again_while_nothing_changed(tmp_path: Path, engine: ModelEngine) -> None:
    first, _ = added(tmp_path, engine)
    assert first
    engine.asked.clear()
    assert added(tmp_path, engine, api=first)[0] == first
    assert [argv for argv in engine.commands("build") if "--output" in argv] == []


@pytest.mark.parametrize("lost", ["blob", "below", "built"])
def test_it_is_made_anew_where_something_of_it_is_gone(tmp_path: Path, engine: ModelEngine, lost: str) -> None:
    first, _ = added(tmp_path, engine)
    assert first
    if lost == "blob":
        Store(tmp_path / "work" / "store").path(first.known.layer.digest).unlink()
    before = replace(first, below="gone:1") if lost == "below" else first
    before = replace(before, built="sha256:other") if lost == "built" else before
    engine.asked.clear()
    assert added(tmp_path, engine, api=before)[0] == first
    assert len([argv for argv in engine.commands("build") if "--output" in argv]) == 1


@pytest.mark.parametrize(
    ("harm", "reason"),
    [
        ({"configurations": {"OnBuild": ["RUN x"]}}, "has ONBUILD instructions"),
        ({"configurations": {"WorkingDir": "/opt/$x"}}, "the image below works in /opt/$x"),
        ({"links": {"opt"}}, "/opt is a link in the image"),
        ({"broken": {"apart"}}, "building its files apart failed: no such output"),
    ],
)
def test_what_cannot_be_had_apart_is_said_and_left_to_the_engine(
    tmp_path: Path, engine: ModelEngine, harm: dict[str, Any], reason: str
) -> None:
    added(tmp_path / "first", engine)
    [base] = [name for name in engine.images if name.startswith("offline-base")]
    engine.configurations[base] = harm.get("configurations", {})
    engine.links |= harm.get("links", set())
    engine.broken |= harm.get("broken", set())
    app, said = added(tmp_path, engine)
    assert app is None
    assert "    api: a change is exported by reading all of it out of the engine: " in said
    assert reason in said


def test_of_an_image_that_copies_nothing_there_is_nothing_to_say(tmp_path: Path, engine: ModelEngine) -> None:
    app, said = added(tmp_path, engine, "FROM python:3\nRUN install\n")
    assert app is None
    assert "read" not in said


def test_a_name_that_removes_something_in_a_layer_is_left_to_the_engine(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "files.tar", "w") as archive:
        archive.addfile(tarfile.TarInfo("opt/.wh.app"))
    with pytest.raises(NotApartError, match=r"cannot hold the name opt/\.wh\.app"):
        list(apart.layer(tmp_path / "files.tar", {}))


def test_a_file_keeps_its_time_and_what_the_build_made_anew_does_not_show(tmp_path: Path) -> None:
    layers = []
    for moment in (1_800_000_000.5, 1_900_000_000.0):
        with tarfile.open(tmp_path / "files.tar", "w") as archive:
            folder, file, link = (tarfile.TarInfo(name) for name in ("opt", "opt/中文.txt", "opt/link"))
            folder.type, folder.mtime, folder.mode = tarfile.DIRTYPE, moment, 0o755
            file.size, file.mtime, file.uname = 3, 1_700_000_000.9, f"user{moment}"
            link.type, link.linkname, link.mtime = tarfile.SYMTYPE, "中文.txt", moment
            archive.addfile(folder)
            archive.addfile(file, io.BytesIO(b"abc"))
            archive.addfile(link)
        layers.append(b"".join(apart.layer(tmp_path / "files.tar", {"opt": Folder(mode=0o1777, uid=1, gid=2)})))
    assert layers[0] == layers[1]
    with tarfile.open(fileobj=io.BytesIO(layers[0])) as archive:
        found = {member.name: member for member in archive}
        opened = archive.extractfile("opt/中文.txt")
        assert opened
        assert opened.read() == b"abc"
    assert (found["opt"].mode, found["opt"].uid, found["opt"].gid) == (0o1777, 1, 2)
    assert (found["opt/中文.txt"].mtime, found["opt/中文.txt"].uname) == (1_700_000_000, "")
    assert found["opt/link"].linkname == "中文.txt"
