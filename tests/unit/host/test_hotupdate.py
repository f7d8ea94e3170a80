from __future__ import annotations

import hashlib
import io
import tarfile
from typing import TYPE_CHECKING

import pytest

from offline.errors import FailedError, UsageError
from offline.host import hotupdate
from offline.host.hotupdate import Difference, Module
from tests import builders

if TYPE_CHECKING:
    from pathlib import Path

    from offline.config.load import Config

OURS, THEIRS, OLD = "a" * 64, "b" * 64, "c" * 64


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return builders.config(tmp_path)


def test_hot_modules_are_those_that_release_yml_marks_and_no_others(config: Config) -> None:
    assert set(hotupdate.modules_of(config, ())) == {"plugins/配置 one.py", "plugins/two.py"}


def test_they_have_the_bytes_that_a_release_would_ship_line_ends_too(config: Config) -> None:
    (config.source / "plugins" / "two.py").write_bytes(b"y = 3\r\n")
    assert hotupdate.modules_of(config, ())["plugins/two.py"].sha256 == hashlib.sha256(b"y = 3\n").hexdigest()


def test_a_module_is_named_by_its_path_in_the_source_from_here_or_in_the_bundle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = {"payload.1.files": ["main/server/plugins"]}
    config = builders.config(tmp_path, deep)
    builders.tree(config.source, {"main/server/plugins/two.py": "y = 2\n"})
    monkeypatch.chdir(config.source / "main")
    for name in ("main/server/plugins/two.py", "server/plugins/two.py", "plugins/two.py"):
        assert set(hotupdate.modules_of(config, [name])) == {"plugins/two.py"}


@pytest.mark.parametrize("name", ["plugins/twoo.py", "plugins/tow.py"])
def test_a_name_that_no_hot_module_has_is_refused_and_the_near_one_named(config: Config, name: str) -> None:
    with pytest.raises(UsageError, match=r'no hot module .*did you mean "plugins/two\.py"'):
        hotupdate.modules_of(config, [name])


def test_a_file_that_ships_and_is_not_hot_is_refused_too(config: Config) -> None:
    with pytest.raises(UsageError, match="no hot module"):
        hotupdate.modules_of(config, ["start.sh"])


def test_a_stack_without_hot_modules_says_what_makes_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="hot: true"):
        hotupdate.modules_of(builders.config(tmp_path, {"payload.1.hot": False}), ())


def listed(*modules: tuple[str, str, str], due: str = "") -> hotupdate.Listed:
    lines = [f"api\t{path}\t{live or '-'}\t{proved or '-'}" for path, live, proved in modules]
    return hotupdate.parse("\n".join([*lines, *([f"due\t{due}"] if due else [])]))


def test_what_the_host_lists_is_read() -> None:
    found = listed(("x.py", OURS, ""), due="api")
    assert found.modules == (Module(service="api", path="x.py", live=OURS, proved=""),)
    assert found.due == ("api",)


def test_another_answer_is_a_failure_that_shows_it() -> None:
    with pytest.raises(FailedError, match="could not be read") as caught:
        hotupdate.parse("bash: no such thing\n")
    assert "no such thing" in caught.value.hint


def test_only_what_differs_is_sent() -> None:
    found = hotupdate.compare(
        {"same.py": OURS, "changed.py": OURS, "new.py": OURS, "mine.py": OURS, "again.py": OURS},
        listed(
            ("same.py", OURS, OURS),
            ("changed.py", OLD, OLD),
            ("mine.py", THEIRS, OLD),
            ("again.py", OURS, OLD),
            ("there.py", THEIRS, THEIRS),
        ),
        whole=True,
    )
    assert found == Difference(
        changed=("changed.py", "mine.py"),
        added=("new.py",),
        unproved=("again.py",),
        edited=("mine.py",),
        only_there=("there.py",),
    )
    assert found.sent == ("changed.py", "mine.py", "new.py")
    assert "mine.py: changed; the host's own edit of it is kept there" in hotupdate.describe(found)


def test_a_module_of_two_services_is_sent_where_one_of_them_differs() -> None:
    host = hotupdate.parse(f"api\tx.py\t{OURS}\t{OURS}\nweb\tx.py\t{OLD}\t{OLD}\n")
    assert hotupdate.compare({"x.py": OURS}, host, whole=True).sent == ("x.py",)


def test_where_files_were_named_what_else_is_on_the_host_is_not_spoken_of() -> None:
    assert hotupdate.compare({}, listed(("there.py", OURS, OURS)), whole=False).only_there == ()


def test_files_travel_with_their_paths_in_the_bundle(config: Config) -> None:
    packed = hotupdate.packed(list(hotupdate.modules_of(config, ()).values()))
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        found = {member.name: tar.extractfile(member) for member in tar}
        assert {name: file.read() for name, file in found.items() if file} == {
            "plugins/配置 one.py": b"x = 1\n",
            "plugins/two.py": b"y = 2\n",
        }
