from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from offline.config import problems
from offline.config.load import load
from offline.config.schema import Part, Release
from offline.paths import KIT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import BaseModel

REFERENCE = KIT / "release.yml"
EXAMPLES = [REFERENCE, KIT / "examples" / "mini" / "release.yml", KIT / "tests" / "second" / "release.yml"]


def parts(kind: type[BaseModel] = Part) -> Iterator[type[BaseModel]]:
    for part in kind.__subclasses__():
        yield part
        yield from parts(part)


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.parent.name)
def test_every_release_yml_of_the_kit_loads(file: Any) -> None:
    assert load(environ={}, config=str(file)).release.schema_ == 1


def test_the_reference_mentions_every_key_of_the_schema() -> None:
    text = REFERENCE.read_text(encoding="utf-8")
    # A key stands before a colon, in a comment too: `# apt: https://…`, `{port: 8000, …}`.
    mentioned = set(re.findall(r"([\w-]+)`?:(?=[\s`]|$)", text, flags=re.MULTILINE)) | set(re.findall(r"`(\w+)`", text))
    missing = {f"{part.__name__}.{key}" for part in parts() for key in problems.keys(part) if key not in mentioned}
    assert missing == set()


def test_the_reference_describes_xiaozhi_as_upstream_runs_it() -> None:
    release = load(environ={}, config=str(REFERENCE)).release
    assert release.images["db"].pull == "mysql:8.0"
    assert (release.data["database"].family, release.data["database"].series) == ("mysql", "8.0")
    assert [name for name, service in release.services.items() if "single" in service.modes] == ["xiaozhi-esp32-server"]


def test_only_release_yml_knows_the_application() -> None:
    named = [
        str(path.relative_to(KIT))
        for path in (KIT / "offline").rglob("*.py")
        if "xiaozhi" in path.read_text(encoding="utf-8") and path.parent.name != "tasks"
    ]
    # Which checkout is looked for beside the kit; the help texts of the tasks say so too.
    assert named == ["offline/config/load.py"]


def test_defaults_need_nothing_but_what_names_the_stack() -> None:
    needed = {key for key, field in Release.model_fields.items() if field.is_required()}
    assert needed == {"schema_", "stack", "bundle", "source", "network", "host", "images", "services"}
