from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from offline.config.load import load
from offline.config.redact import redacted
from offline.config.show import rows
from tests.builders import STACK

if TYPE_CHECKING:
    from pathlib import Path


def shown(tmp_path: Path, environ: dict[str, str] | None = None) -> dict[str, tuple[str, str]]:
    file = tmp_path / "release.yml"
    file.write_text(STACK)
    return {path: (value, origin) for path, value, origin in rows(load(environ=environ or {}, config=str(file)))}


def test_every_value_is_shown_with_where_it_came_from(tmp_path: Path) -> None:
    found = shown(tmp_path, {"OFFLINE_KEEP": "9", "OFFLINE_MIRRORS": "{pip: https://x/}"})
    assert found["stack"] == ("shop", "release.yml")
    assert found["keep"] == ("9", "OFFLINE_KEEP")
    assert found["strategy"] == ("offline", "default")
    assert found["mirrors.pip"] == ("https://x/", "OFFLINE_MIRRORS")
    assert found["images.api.build.offline"] == ("source:Dockerfile", "release.yml")
    assert found["payload[1].hot"] == ("true", "release.yml")
    assert found["services.api.probes[0].port"] == ("8000", "release.yml")


def test_a_default_inside_a_part_that_the_file_has_is_a_default(tmp_path: Path) -> None:
    found = shown(tmp_path)
    assert found["images.api.strategy"] == ("-", "default")
    assert found["payload[0].hot"] == ("false", "default")


@pytest.mark.parametrize(
    ("path", "value", "text"),
    [
        ("mirrors.pip", "https://me:hush@mirror/simple", "https://[redacted]@mirror/simple"),
        ("mirrors.pip", "https://mirror/simple", "https://mirror/simple"),
        ("images.api.build.args.API_TOKEN", "hush", "[redacted]"),
        ("services.db.environment.MYSQL_ROOT_PASSWORD", "${DB_PASSWORD:?}", "${DB_PASSWORD:?}"),
        ("services.db.environment.PASSWORD", "", ""),
        ("secrets", "DB_PASSWORD", "DB_PASSWORD"),
        ("services.api.environment.MAIL", "me@here", "me@here"),
        ("mirrors.apt", None, "-"),
    ],
)
def test_nothing_secret_is_shown(path: str, value: object, text: str) -> None:
    assert redacted(path, value) == text
