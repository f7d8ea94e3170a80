"""The kit's own release.yml stands in a source without being taken for a Compose file."""

from __future__ import annotations

from offline.audit.project import audit
from offline.paths import MINI


def test_a_release_yml_is_no_compose_file() -> None:
    assert "release.yml" not in {file.path for file in audit([MINI]).files}
