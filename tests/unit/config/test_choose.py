from __future__ import annotations

from pathlib import Path

import pytest

from offline import paths
from offline.config.load import choose, load


@pytest.fixture
def kit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A kit in a folder of its own, so that the test decides what lies beside it."""
    folder = tmp_path / "kit"
    folder.mkdir()
    (folder / "release.yml").write_bytes((paths.KIT / "release.yml").read_bytes())
    monkeypatch.setattr(paths, "KIT", folder)
    return folder


def chosen(
    cwd: Path, *, source: str | None = None, config: str | None = None, environ: dict[str, str] | None = None
) -> tuple[Path, str]:
    return choose(environ=environ or {}, source=source, config=config, cwd=cwd)


def test_a_named_file_wins_over_everything(kit: Path, tmp_path: Path) -> None:
    (kit.parent / "xiaozhi-esp32-server").mkdir()
    environ = {"OFFLINE_CONFIG": "b.yml", "OFFLINE_SOURCE": "s"}
    assert chosen(tmp_path, source="s", config="a.yml", environ=environ) == (tmp_path / "a.yml", "named by --config")
    assert chosen(tmp_path, source="s", environ=environ) == (tmp_path / "b.yml", "named by OFFLINE_CONFIG")


def test_a_source_that_brings_a_release_yml_is_believed(kit: Path, tmp_path: Path) -> None:  # noqa: ARG001
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "release.yml").touch()
    assert chosen(tmp_path, source="app") == (tmp_path / "app" / "release.yml", "the source brings it")
    found = chosen(tmp_path, environ={"OFFLINE_SOURCE": "app"})
    assert found == (tmp_path / "app" / "release.yml", "the source brings it")


def test_another_source_is_packaged_by_the_kits_own_configuration(kit: Path, tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    assert chosen(tmp_path, source="app") == (kit / "release.yml", "the kit's own, for the given source")


def test_without_a_source_a_sibling_checkout_is_taken(kit: Path, tmp_path: Path) -> None:
    (kit.parent / "xiaozhi-esp32-server").mkdir()
    found = chosen(tmp_path)
    assert found == (kit / "release.yml", "there is a checkout ../xiaozhi-esp32-server")
    resolved = load(environ={}, cwd=tmp_path)
    assert resolved.source == kit.parent / "xiaozhi-esp32-server"
    assert resolved.why.endswith(f"; source {resolved.release.source}")


def test_without_anything_the_example_is_taken_and_it_says_how_to_choose(kit: Path, tmp_path: Path) -> None:  # noqa: ARG001
    file, why = chosen(tmp_path)
    assert file == paths.MINI / "release.yml"
    assert why == "no --source given and no ../xiaozhi-esp32-server: the example; choose with --source DIR"
