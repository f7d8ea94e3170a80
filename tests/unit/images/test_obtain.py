from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest

from offline.console import Console
from offline.errors import FailedError, UsageError
from offline.images import bases, obtain, plan
from offline.images.obtain import is_family
from tests import builders
from tests.unit.modelengine import ModelEngine
from tests.unit.store import streams

if TYPE_CHECKING:
    from pathlib import Path

    from offline.config.load import Config
    from offline.images.obtain import ObtainedImage

PYTHON = streams.Image("python:3", (streams.layer(b"python"),))
MYSQL = streams.Image("mysql:8.0", (streams.layer(b"mysql"),))


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> ModelEngine:
    made = ModelEngine().install(monkeypatch)
    made.registry |= {"python:3": PYTHON, "mysql:8.0": MYSQL}
    return made


def obtained(
    config: Config,
    engine: ModelEngine,
    *,
    dockerfile: str = "FROM python:3\nCOPY . .\n",
    console: Console | None = None,
) -> dict[str, ObtainedImage]:
    console = console or Console(io.StringIO(), io.StringIO())
    made = plan.make(config.release, {"source:Dockerfile": dockerfile})
    found = bases.prepare(made, config=config, engine=engine, console=console)
    images = obtain.obtain(made, found, config=config, engine=engine, console=console, retry="invoke build-app")
    return {image.role: image for image in images}


def test_images_are_built_and_pulled_as_the_configuration_says(tmp_path: Path, engine: ModelEngine) -> None:
    found = obtained(builders.config(tmp_path), engine)
    assert (found["api"].kind, found["api"].why) == ("build", "source:Dockerfile (strategy offline)")
    assert (found["db"].kind, found["db"].why, found["db"].digest) == (
        "pull",
        "pulled as mysql:8.0",
        f"mysql@{MYSQL.id}",
    )
    assert found["api"].facts.layers[0] == PYTHON.diff_ids[0]


def test_the_build_command_line(tmp_path: Path, engine: ModelEngine) -> None:
    config = builders.config(tmp_path, {"images.api.build.args": {"A": "1"}})
    obtained(config, engine, dockerfile="FROM python:3\nARG A\nCOPY . .\n")
    argv, *_ = engine.commands("build")
    assert argv[:3] == ("docker", "build", "--progress=plain")
    assert argv[argv.index("--tag") + 1] == "shop/api:build"
    assert argv[argv.index("--build-arg") + 1] == "A=1"
    assert [word.split(",")[0] for word in argv if word.startswith("id=")] == ["id=offline_env", "id=offline_ca"]
    assert argv[-1].startswith(str(config.work))
    assert list(config.work.glob("build-*")) == []


def test_the_build_sees_the_staged_tree_the_kits_scripts_and_local_bases_only(
    tmp_path: Path, engine: ModelEngine
) -> None:
    config = builders.config(tmp_path, {"images.api.build.leave_out": ["conf"]})
    builders.tree(config.source, {"start.sh": "#!/bin/sh\r\nexec app\r\n", ".dockerignore": "**\r\n!app.py\r\n"})
    obtained(config, engine)
    seen = engine.contexts["shop/api:build"]
    assert seen["start.sh"] == b"#!/bin/sh\nexec app\n"
    assert "conf/.conf.yaml" not in seen
    assert seen[".dockerignore"] == b"**\n!app.py\n!.offline\n"
    assert ".offline/install-requirements.sh" in seen
    assert b"FROM offline-base.invalid/python-3:" in seen["Dockerfile"]
    assert b"\r" in (config.source / "start.sh").read_bytes()


def test_a_folder_of_the_kits_own_name_in_the_source_is_not_what_the_build_runs(
    tmp_path: Path, engine: ModelEngine
) -> None:
    config = builders.config(tmp_path)
    builders.tree(config.source, {".offline/install-requirements.sh": "evil"})
    obtained(config, engine)
    assert engine.contexts["shop/api:build"][".offline/install-requirements.sh"] != b"evil"


def test_an_image_of_the_kit_is_built_from_its_own_folder(tmp_path: Path, engine: ModelEngine) -> None:
    engine.registry["debian:bookworm-slim"] = PYTHON
    config = builders.config(tmp_path, {"images.api": {"bootstrap": "redis"}})
    made = plan.make(config.release, {"kit:redis/Dockerfile": "FROM debian:bookworm-slim\n"})
    console = Console(io.StringIO(), io.StringIO())
    found = bases.prepare(made, config=config, engine=engine, console=console)
    obtain.obtain(made, found, config=config, engine=engine, console=console, retry="x")
    assert "entrypoint.sh" in engine.contexts["shop/api:build"]
    assert "app.py" not in engine.contexts["shop/api:build"]


def test_a_failed_build_shows_the_step_its_last_lines_the_log_and_the_retry_command(
    tmp_path: Path, engine: ModelEngine
) -> None:
    engine.broken.add("build")
    config = builders.config(tmp_path)
    with pytest.raises(FailedError) as caught:
        obtained(config, engine)
    assert str(caught.value) == (
        "building api failed at [2/3] RUN false:\n"
        "     > [2/3] RUN false:\n"
        "    #9 0.1 build is broken\n"
        "  next: mend it, then: invoke build-app\n"
        f"  kept: {config.work / 'logs' / 'build-api.log'}"
    )
    assert list(config.work.glob("build-*")) == []


def test_what_a_sources_dockerfile_leaves_in_the_image_is_warned_about(tmp_path: Path, engine: ModelEngine) -> None:
    console = Console(io.StringIO(), io.StringIO())
    text = "FROM python:3\nRUN pip config set global.index-url https://mirror\n"
    obtained(builders.config(tmp_path), engine, dockerfile=text, console=console)
    assert (
        "source:Dockerfile leaves this in the image: RUN pip config set global.index-url https://mirror"
        in console.warnings
    )


@pytest.mark.parametrize("name", ["mysql:latest", "mysql", "host:5000/mysql", "library/mysql"])
def test_an_unpinned_image_is_warned_about_and_its_digest_recorded(
    tmp_path: Path, engine: ModelEngine, name: str
) -> None:
    engine.registry[name] = MYSQL
    console = Console(io.StringIO(), io.StringIO())
    found = obtained(builders.config(tmp_path, {"images.db": {"pull": name}}), engine, console=console)
    assert console.warnings == [f"images.db: {name} is not pinned; this release holds {found['db'].digest}"]
    assert MYSQL.id in found["db"].digest


@pytest.mark.parametrize("name", ["mysql:8.0", "host:5000/mysql:8.0", f"mysql@{MYSQL.id}"])
def test_a_pinned_image_is_not(tmp_path: Path, engine: ModelEngine, name: str) -> None:
    engine.registry[name] = MYSQL
    console = Console(io.StringIO(), io.StringIO())
    obtained(builders.config(tmp_path, {"images.db": {"pull": name}}), engine, console=console)
    assert console.warnings == []


def test_an_image_that_the_engine_has_is_not_pulled_again(tmp_path: Path, engine: ModelEngine) -> None:
    engine.images["mysql:8.0"] = engine.registry.pop("mysql:8.0")
    obtained(builders.config(tmp_path), engine)
    assert [argv[-1] for argv in engine.commands("pull")] == ["python:3"]


def test_an_image_that_no_registry_gives_is_a_failure_with_a_cure(tmp_path: Path, engine: ModelEngine) -> None:
    del engine.registry["mysql:8.0"]
    with pytest.raises(FailedError, match=r"images\.db: cannot pull mysql:8\.0: .*no such host\n  next: reach the reg"):
        obtained(builders.config(tmp_path), engine)


def prebuilt(name: str) -> dict[str, Any]:
    return {"images.api": {"prebuilt": name}}


def test_a_prebuilt_image_of_the_engine_is_taken(tmp_path: Path, engine: ModelEngine) -> None:
    engine.images["mine:1"] = PYTHON
    found = obtained(builders.config(tmp_path, prebuilt("mine:1")), engine)["api"]
    assert (found.facts.id, found.reference, found.why) == (PYTHON.id, "shop/api:build", "prebuilt mine:1")


def test_a_prebuilt_image_that_the_engine_does_not_have_is_a_failure(tmp_path: Path, engine: ModelEngine) -> None:
    with pytest.raises(FailedError, match=r"images\.api\.prebuilt: the engine has no image mine:1"):
        obtained(builders.config(tmp_path, prebuilt("mine:1")), engine)


def test_a_prebuilt_archive_is_loaded(tmp_path: Path, engine: ModelEngine) -> None:
    config = builders.config(tmp_path, prebuilt("mine.tar"))
    (config.source / "mine.tar").write_bytes(streams.stream(streams.classic([PYTHON])))
    assert obtained(config, engine)["api"].facts.id == PYTHON.id


def test_a_prebuilt_archive_that_is_not_there_is_refused(tmp_path: Path, engine: ModelEngine) -> None:
    with pytest.raises(UsageError, match=r"mine\.tar: there is no such file"):
        obtained(builders.config(tmp_path, prebuilt("mine.tar")), engine)


def test_an_image_of_another_platform_is_refused(tmp_path: Path, engine: ModelEngine) -> None:
    engine.registry["mysql:8.0"] = streams.Image("mysql:8.0", MYSQL.layers, platform="linux/arm64")
    with pytest.raises(FailedError, match=r"images\.db: mysql:8\.0 is for linux/arm64, the release for linux/amd64"):
        obtained(builders.config(tmp_path), engine)


def test_a_database_of_another_family_is_never_taken_silently(tmp_path: Path, engine: ModelEngine) -> None:
    engine.versions["mysqld"] = "mysqld  Ver 10.11.6-MariaDB for linux\n"
    with pytest.raises(
        FailedError, match=r"data\.database: mysql 8\.0 in release\.yml, but mysql:8\.0 says: .*MariaDB"
    ):
        obtained(builders.config(tmp_path), engine)
    assert engine.commands("run")[0] == (
        *("docker", "run", "--rm", "--network", "none", "--pull", "never", "--entrypoint", "mysqld", "mysql:8.0"),
        "--version",
    )


def test_a_mode_without_the_database_does_not_ask_for_it(tmp_path: Path, engine: ModelEngine) -> None:
    obtained(builders.config(tmp_path, {"mode": "single"}), engine)
    assert engine.commands("run") == []


@pytest.mark.parametrize(
    ("said", "family", "series", "fits"),
    [
        ("mysqld  Ver 8.0.42 for Linux (MySQL Community Server)", "mysql", "8.0", True),
        ("mysqld  Ver 8.4.1 for Linux (MySQL Community Server)", "mysql", "8.0", False),
        ("mysqld  Ver 18.0.1 for Linux (MySQL Community Server)", "mysql", "8.0", False),
        ("mysqld  Ver 5.8.0 for Linux (MySQL Community Server)", "mysql", "8.0", False),
        ("mariadbd  Ver 10.11.6-MariaDB", "mariadb", "10.11", True),
        ("mariadbd  Ver 10.1.6-MariaDB", "mariadb", "10.11", False),
        ("mariadbd  Ver 10.11.6-MariaDB", "mariadb", "10.1", False),
        ("mariadbd  Ver 10.11.6-MariaDB", "mysql", "10.11", False),
        ("Redis server v=7.0.15 sha=0", "redis", "7.0", True),
        ("Redis server v=7.2.15 sha=0", "redis", "7.0", False),
    ],
)
def test_family_and_series_are_read_from_what_the_program_says(
    said: str,
    family: str,
    series: str,
    fits: bool,  # noqa: FBT001 - a column of the table
) -> None:
    data = builders.release({"data.database.family": family, "data.database.series": series}).data["database"]
    assert is_family(said, data) is fits
