from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest

from offline.console import Console
from offline.errors import FailedError
from offline.images import bases, bootstrap, plan
from offline.store.blobs import Store
from offline.store.export import export
from offline.store.model import Inspected
from tests import builders
from tests.unit.modelengine import ModelEngine
from tests.unit.store import streams

if TYPE_CHECKING:
    from pathlib import Path

    from offline.config.load import Config
    from offline.images.bases import ResolvedBase

FROM = {"source:Dockerfile": "FROM python:3\nCOPY . .\n"}
PYTHON = streams.Image("python:3", (streams.layer(b"python"),))
BOOTSTRAP = {"suite": "bookworm", "packages": ["python3"]}


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> ModelEngine:
    return ModelEngine().install(monkeypatch)


def spec(**keys: Any) -> dict[str, Any]:
    return {"bases": {"python:3": {"from": keys.pop("origins"), **keys}}}


def prepared(
    config: Config, engine: ModelEngine, texts: dict[str, str] | None = None, *, said: io.StringIO | None = None
) -> dict[str, ResolvedBase]:
    made = plan.make(config.release, {**FROM, **(texts or {})})
    return bases.prepare(made, config=config, engine=engine, console=Console(io.StringIO(), said or io.StringIO()))


def test_a_pulled_base_gets_a_local_name_and_its_registry_digest_is_recorded(
    tmp_path: Path, engine: ModelEngine
) -> None:
    engine.registry["python:3"] = PYTHON
    base = prepared(builders.config(tmp_path, spec(origins=["registry"])), engine)["python:3"]
    assert (base.origin, base.digest) == ("registry", f"python@{PYTHON.id}")
    assert base.tag.startswith("offline-base.invalid/python-3:")
    assert engine.images[base.tag] is PYTHON
    recorded = json.loads((tmp_path / "work" / "bases.json").read_text())
    assert [(entry["reference"], entry["digest"]) for entry in recorded] == [("python:3", f"python@{PYTHON.id}")]


def test_mirrors_are_asked_in_their_order(tmp_path: Path, engine: ModelEngine) -> None:
    engine.registry["b/python:3"] = PYTHON
    config = builders.config(tmp_path, spec(origins=["registry"], registry=["a/python:3", "b/python:3", "c/python:3"]))
    prepared(config, engine)
    assert [argv[-1] for argv in engine.commands("pull")] == ["a/python:3", "b/python:3"]


def test_the_platform_of_the_release_is_asked_for(tmp_path: Path, engine: ModelEngine) -> None:
    engine.registry["python:3"] = PYTHON
    prepared(builders.config(tmp_path, spec(origins=["registry"]) | {"platform": "linux/arm64"}), engine)
    assert engine.commands("pull") == [("docker", "pull", "--quiet", "--platform", "linux/arm64", "python:3")]


@pytest.mark.parametrize(
    ("answer", "tries"), [("connection reset by peer", 3), ("manifest unknown", 1), ("no such host", 1)]
)
def test_a_pull_is_tried_again_unless_that_cannot_help(
    tmp_path: Path, engine: ModelEngine, answer: str, tries: int
) -> None:
    engine.refusals["python:3"] = answer
    with pytest.raises(FailedError, match=answer):
        prepared(builders.config(tmp_path, spec(origins=["registry"])), engine)
    assert len(engine.commands("pull")) == tries


def test_origins_are_tried_in_the_configured_order_and_each_refusal_is_said(
    tmp_path: Path, engine: ModelEngine
) -> None:
    said = io.StringIO()
    changes = spec(origins=["registry", "archive", "bootstrap"], archive="missing.tar", bootstrap=BOOTSTRAP)
    base = prepared(builders.config(tmp_path, changes), engine, said=said)["python:3"]
    assert (base.origin, base.digest) == ("bootstrap", "")
    lines = [line for line in said.getvalue().splitlines() if "not from" in line]
    assert [line.split(": ")[1] for line in lines] == ["not from registry", "not from archive"]
    assert "no such host" in lines[0]
    assert "missing.tar: there is no such file" in lines[1]


def test_when_no_origin_gives_it_every_refusal_is_reported(
    tmp_path: Path, engine: ModelEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bootstrap, "unavailable", lambda: "mmdebstrap runs on Linux only, and this is darwin")
    origins = ["registry", "archive", "bootstrap", "build"]
    config = builders.config(
        tmp_path, spec(origins=origins, archive="no.tar", bootstrap=BOOTSTRAP, build=["source:Base"])
    )
    with pytest.raises(FailedError) as caught:
        prepared(config, engine)
    message = caught.value.message
    assert message.startswith("base python:3: no origin gave it:\n  registry: python:3: dial tcp")
    assert "\n  archive: " in message
    assert "Linux only, and this is darwin" in message
    assert message.endswith("\n  build: none of the Dockerfiles named for it exists")
    assert 'bases."python:3" in' in caught.value.hint
    assert caught.value.exit_code == 6


def test_a_base_from_an_archive(tmp_path: Path, engine: ModelEngine) -> None:
    config = builders.config(tmp_path, spec(origins=["archive"], archive="python.tar"))
    config.file.with_name("python.tar").write_bytes(streams.stream(streams.classic([PYTHON])))
    base = prepared(config, engine)["python:3"]
    assert (base.origin, base.id) == ("archive", PYTHON.id)


def test_an_archive_of_two_images_is_refused(tmp_path: Path, engine: ModelEngine) -> None:
    config = builders.config(tmp_path, spec(origins=["archive"], archive="two.tar"))
    both = [PYTHON, streams.Image("other:1", (streams.layer(b"x"),))]
    config.file.with_name("two.tar").write_bytes(streams.stream(streams.classic(both)))
    with pytest.raises(FailedError, match=r"two\.tar: holds 2 images; give an archive of exactly one"):
        prepared(config, engine)


def test_a_bootstrapped_base_is_loaded_under_its_local_name(tmp_path: Path, engine: ModelEngine) -> None:
    base = prepared(builders.config(tmp_path, spec(origins=["bootstrap"], bootstrap=BOOTSTRAP)), engine)["python:3"]
    assert engine.images[base.tag].id == base.id
    assert engine.images[base.tag].layers == (streams.layer(b"debian"),)
    assert list((tmp_path / "work" / "logs").iterdir()) == []


def test_a_base_that_is_there_costs_nothing(tmp_path: Path, engine: ModelEngine) -> None:
    config = builders.config(tmp_path, spec(origins=["registry"]))
    engine.registry["python:3"] = PYTHON
    first = prepared(config, engine)
    engine.asked.clear()
    assert prepared(config, engine) == first
    assert engine.asked == []


def test_a_pruned_engine_gets_its_base_back_from_the_layer_store_byte_for_byte(
    tmp_path: Path, engine: ModelEngine
) -> None:
    config = builders.config(tmp_path, spec(origins=["bootstrap"], bootstrap=BOOTSTRAP))
    first = prepared(config, engine)["python:3"]
    before = engine.images[first.tag]
    wanted = {first.tag: Inspected(id=first.id, diff_ids=before.diff_ids)}
    store = Store(config.work / "store")
    export(engine.saving, store, wanted, platform="linux/amd64", on_bytes=lambda _: None)
    engine.images.clear()
    engine.asked.clear()
    assert prepared(config, engine)["python:3"] == first
    assert engine.images[first.tag].id == first.id
    assert engine.images[first.tag].layers == before.layers
    assert [argv[1] for argv in engine.asked] == ["load"]


@pytest.mark.parametrize("harm", [b"", b"{", b"[]", b'[{"tag": 1}]'])
def test_an_unreadable_record_only_costs_time(tmp_path: Path, engine: ModelEngine, harm: bytes) -> None:
    config = builders.config(tmp_path, spec(origins=["registry"]))
    engine.registry["python:3"] = PYTHON
    config.work.mkdir()
    (config.work / "bases.json").write_bytes(harm)
    assert prepared(config, engine)["python:3"].origin == "registry"


@pytest.fixture(name="two_stage")
def two_stage_config(tmp_path: Path, engine: ModelEngine) -> Config:
    """A base that is built from what the source says of its packages, on a base from the registry."""
    engine.registry["debian:12"] = PYTHON
    changes = {"bases": {"python:3": {"from": ["build"], "build": ["source:Base"]}}}
    config = builders.config(tmp_path, changes)
    builders.tree(config.source, {"requirements.txt": "one\n"})
    return config


BASE = {"source:Base": "FROM debian:12\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\n"}


def test_a_built_base_changes_when_what_it_copies_changes_and_only_then(two_stage: Config, engine: ModelEngine) -> None:
    first = prepared(two_stage, engine, BASE)
    (two_stage.source / "app.py").write_text("other")
    assert prepared(two_stage, engine, BASE) == first
    assert len(engine.commands("build")) == 1
    (two_stage.source / "requirements.txt").write_text("two\n")
    assert prepared(two_stage, engine, BASE)["python:3"].tag != first["python:3"].tag
    assert len(engine.commands("build")) == 2


@pytest.mark.parametrize(
    ("copy", "seen"),
    [
        ("COPY requirements.txt .", ["requirements.txt"]),
        ("COPY ./requirements.txt /requirements.txt .", ["requirements.txt"]),
        ("COPY plugins/. /p", ["plugins/two.py", "plugins/配置 one.py"]),
        ("COPY *.txt .", ["requirements.txt"]),
        ('COPY ["plugins", "/p"]', ["plugins/two.py", "plugins/配置 one.py"]),
    ],
)
def test_a_built_base_sees_only_what_it_copies(
    two_stage: Config, engine: ModelEngine, copy: str, seen: list[str]
) -> None:
    base = prepared(two_stage, engine, {"source:Base": f"FROM debian:12\n{copy}\n"})["python:3"]
    names = [name for name in engine.contexts[base.tag] if not name.startswith((".offline/", "offline_", "Dockerfile"))]
    assert sorted(names) == sorted(seen)


@pytest.mark.parametrize("copy", ["COPY . .", "COPY / /x", "COPY ./ .", "COPY ${DIR}/requirements.txt ."])
def test_a_built_base_that_copies_everything_or_who_knows_what_sees_everything(
    two_stage: Config, engine: ModelEngine, copy: str
) -> None:
    base = prepared(two_stage, engine, {"source:Base": f"FROM debian:12\n{copy}\n"})["python:3"]
    assert {"app.py", "requirements.txt", "plugins/two.py"} <= set(engine.contexts[base.tag])
