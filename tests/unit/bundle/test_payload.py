from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from offline.bundle import payload
from offline.config.load import load
from offline.errors import UsageError
from offline.images import plan
from offline.paths import MINI
from tests import builders

if TYPE_CHECKING:
    from pathlib import Path

    from offline.bundle.payload import Item


def collected(source: Path, changes: dict[str, Any] | None = None, services: tuple[str, ...] = ("api", "db")) -> dict[str, Item]:  # fmt: skip  # noqa: E501
    items = payload.collect(source, builders.release(changes).payload, services)
    return {item.spec.bundle: item for item in items}


def refused(source: Path, changes: dict[str, Any] | None = None) -> str:
    with pytest.raises(UsageError) as caught:
        collected(source, changes)
    assert caught.value.hint == "nothing was written"
    return caught.value.message


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return builders.tree(tmp_path / "source")


def test_globs_folders_and_single_files_come_under_their_name_in_the_bundle(source: Path) -> None:
    found = collected(source)
    assert [file.name for file in found["conf"].files] == ["conf/.conf.yaml"]
    assert [file.name for file in found["plugins"].files] == ["plugins/two.py", "plugins/配置 one.py"]
    assert [file.name for file in found["start.sh"].files] == ["start.sh"]
    assert found["mysql/data"].files == ()


def test_hidden_files_come_with_a_glob_that_asks_for_them(source: Path) -> None:
    builders.tree(source, {"data/.config.yaml": "a", "data/.wakeup.yaml": "b", "data/other.yaml": "c"})
    found = collected(source, {"payload.0.files": ["data/.*", "app.py"]})["conf"]
    assert sorted(file.name for file in found.files) == ["conf/.config.yaml", "conf/.wakeup.yaml", "conf/app.py"]


def test_what_a_service_outside_the_bundle_would_mount_is_left_out(source: Path) -> None:
    assert list(collected(source, services=("db",))) == ["mysql/data"]


def test_a_required_item_that_is_missing_is_refused(source: Path) -> None:
    assert refused(source, {"payload.0.files": ["nope/*.yaml"]}) == (
        f"payload:\n  nope/*.yaml: nothing of that name in {source}, and the item is required"
    )


def test_an_optional_item_that_is_missing_drops_its_mount_and_says_what_it_missed(source: Path) -> None:
    item = collected(source, {"payload.1.files": ["nope"], "payload.1.optional": True})["plugins"]
    assert (item.files, item.missing, item.mounted) == ((), ("nope",), False)


def test_a_folder_of_the_hosts_own_is_mounted_although_nothing_is_in_it(source: Path) -> None:
    changes = {"payload.0.files": ["nope"], "payload.0.optional": True}
    assert collected(source, changes)["conf"].mounted
    assert collected(source)["mysql/data"].mounted


def test_all_problems_are_named_at_once(source: Path) -> None:
    (source / "plugins" / "gone.py").symlink_to("nowhere")
    message = refused(source, {"payload.0.files": ["nope"], "payload.2.files": ["nope.sh"]})
    assert [line.split(": ")[0].strip() for line in message.splitlines()[1:]] == ["nope", "plugins/gone.py", "nope.sh"]


@pytest.mark.parametrize("name", ["a\nb", "a\tb", "a\x7fb", "a\\b"])
def test_a_name_that_no_bundle_can_hold_is_refused_and_shown_on_one_line(source: Path, name: str) -> None:
    builders.tree(source, {f"plugins/{name}": "x"})
    message = refused(source)
    assert "a name with control characters or backslashes; rename it" in message
    assert len(message.splitlines()) == 2
    assert "plugins/a\\x" in message


def test_a_name_that_is_not_utf_8_is_refused(source: Path) -> None:
    (source / "plugins" / b"\xff\xfe".decode(errors="surrogateescape")).write_text("x")
    assert "\\xff\\xfe" in refused(source)


@pytest.mark.parametrize("name", ["with space.py", "配置.py", "-rf", "$(x)", "'\"", "*"])
def test_other_odd_names_are_taken(source: Path, name: str) -> None:
    builders.tree(source, {f"plugins/{name}": "x"})
    assert f"plugins/{name}" in {file.name for file in collected(source)["plugins"].files}


def test_a_link_inside_the_source_ships_what_it_points_to(source: Path) -> None:
    (source / "plugins" / "link.py").symlink_to("two.py")
    found = {file.name: file.sha256 for file in collected(source)["plugins"].files}
    assert found["plugins/link.py"] == found["plugins/two.py"] == hashlib.sha256(b"y = 2\n").hexdigest()


@pytest.mark.parametrize("pattern", ["outside.txt", "link", "folder", "folder/*", "folder/key", "../key", "*/key"])
def test_what_lies_outside_the_source_never_ships_by_link_or_by_path(source: Path, pattern: str) -> None:
    (source.parent / "key").write_text("private")
    (source / "outside.txt").symlink_to("../key")
    (source / "link").symlink_to(source.parent / "key")
    (source / "folder").symlink_to("..")
    message = refused(source, {"payload.0.files": [pattern]})
    assert "lies outside the source" in message or "nothing of that name" in message or "neither a file" in message


def test_a_link_that_leaves_the_source_is_named_with_where_it_leads(source: Path) -> None:
    (source.parent / "key").write_text("private")
    (source / "plugins" / "link.py").symlink_to("../../key")
    assert refused(source) == f"payload:\n  plugins/link.py: it lies outside the source ({source.parent / 'key'})"


def test_a_link_to_nothing_and_a_link_to_a_folder_are_refused(source: Path) -> None:
    (source / "plugins" / "gone.py").symlink_to("nowhere")
    (source / "plugins" / "folder").symlink_to("../conf")
    message = refused(source)
    assert "plugins/gone.py: neither a file nor a link to one" in message
    assert "plugins/folder: neither a file nor a link to one" in message


@pytest.mark.parametrize("content", ["a\n", "#!/bin/sh\na\n"])
def test_two_items_that_ship_different_files_under_one_name_are_refused(source: Path, content: str) -> None:
    builders.tree(source, {"a/x": content, "b/x": content + "b\n"})
    changes = {"payload.0.files": ["a/x"], "payload.0.bundle": "plugins", "payload.1.files": ["b/x"]}
    assert "plugins/x: two payload items ship a file of this name" in refused(source, changes)


def test_two_items_that_ship_the_same_file_are_fine(source: Path) -> None:
    changes = {"payload.0.files": ["plugins"], "payload.0.bundle": "plugins"}
    assert collected(source, changes)


@pytest.mark.parametrize("content", ["a\n", "#!/bin/sh\na\n"])
def test_two_globs_of_an_item_that_meet_in_one_name_are_refused(source: Path, content: str) -> None:
    builders.tree(source, {"a/x": content, "b/x": content})
    assert "conf/x: both a/x and b/x would be this file" in refused(source, {"payload.0.files": ["a/x", "b/x"]})
    assert "start.sh: both a/x and b/x would" in refused(source, {"payload.2.files": ["*/x"]})


def test_two_globs_of_an_item_that_name_the_same_file_are_fine(source: Path) -> None:
    found = collected(source, {"payload.1.files": ["plugins/two.py", "plugins"]})["plugins"]
    assert [file.name for file in found.files] == ["plugins/two.py", "plugins/配置 one.py"]


def test_a_name_that_is_a_file_of_one_item_and_a_folder_of_another_is_refused(source: Path) -> None:
    message = refused(source, {"payload.2.bundle": "plugins"})
    assert "plugins: a file of one payload item, and a folder of another (plugins/two.py)" in message


@pytest.mark.parametrize("name", ["images/x", "scripts", "release.json", "SHA256SUMS", "omitted.tsv", "engine"])
def test_the_kits_own_names_in_the_bundle_are_refused(source: Path, name: str) -> None:
    assert f"{name}: this name in the bundle is the kit's own" in refused(source, {"payload.1.bundle": name})


@pytest.mark.parametrize("name", ["image", "my/scripts", "readme.txt"])
def test_names_that_only_look_like_the_kits_own_are_taken(source: Path, name: str) -> None:
    assert name in collected(source, {"payload.1.bundle": name})


def test_caches_of_python_do_not_ship(source: Path) -> None:
    builders.tree(source, {"plugins/__pycache__/two.pyc": "x", "plugins/x.pyc": "x", "plugins/.DS_Store": "x"})
    assert len(collected(source)["plugins"].files) == 2


def test_failures_5_and_15_a_script_comes_with_lf_line_ends_and_executable_and_the_source_stays(source: Path) -> None:
    """Failures 5 and 15: `exec /start.sh: no such file or directory` after CRLF made on Windows."""
    builders.tree(source, {"start.sh": "#!/bin/sh\r\nexec app\r\n"})
    (source / "start.sh").chmod(0o644)
    [file] = collected(source)["start.sh"].files
    assert (file.data, file.executable) == (b"#!/bin/sh\nexec app\n", True)
    assert b"\r\n" in (source / "start.sh").read_bytes()


@pytest.mark.parametrize(
    ("name", "content", "shipped", "executable"),
    [
        ("a.sh", b"a\r\n", b"a\n", True),
        ("entry", b"#!/bin/sh\r\n", b"#!/bin/sh\n", True),
        ("nginx.conf", b"a\r\n", b"a\n", False),
        ("x.py", b"a\r\n", b"a\n", False),
    ],
)
def test_what_linux_runs_comes_with_lf_line_ends(
    source: Path,
    name: str,
    content: bytes,
    shipped: bytes,
    executable: bool,  # noqa: FBT001 - a column of the table
) -> None:
    (source / name).write_bytes(content)
    file = payload.read(source / name, name)
    assert (file.data, file.executable, file.size) == (shipped, executable, len(shipped))


def test_every_other_file_is_read_where_it_lies(source: Path) -> None:
    (source / "model.pt").write_bytes(b"a\r\n" * 9)
    file = payload.read(source / "model.pt", "model.pt")
    assert (file.data, file.path, file.size, file.executable) == (None, source / "model.pt", 27, False)


def hashed(source: Path, changes: dict[str, Any] | None = None) -> str:
    return payload.folder("api", list(collected(source, changes).values()))


def test_the_host_folder_is_named_by_service_and_content(source: Path) -> None:
    name, _, digest = hashed(source).rpartition("-")
    assert name == "payload/api"
    assert len(digest) == 12


def test_the_name_changes_with_content_and_name(source: Path) -> None:
    seen = {hashed(source)}
    builders.tree(source, {"plugins/two.py": "y = 3\n"})
    seen.add(hashed(source))
    (source / "plugins" / "two.py").rename(source / "plugins" / "three.py")
    seen.add(hashed(source))
    assert len(seen) == 3


def test_the_name_changes_with_the_mode_alone(source: Path) -> None:
    item = collected(source)["plugins"]
    names = {
        payload.folder("api", [replace(item, files=(payload.of_bytes("x", b"a", executable=executable),))])
        for executable in (True, False)
    }
    assert len(names) == 2


def test_the_name_stays_when_anything_else_changes(source: Path) -> None:
    before = hashed(source)
    (source / "app.py").write_text("other")
    (source / "conf" / ".conf.yaml").write_text("the host's own: other")
    (source / "plugins" / "two.py").chmod(0o600)
    (source / "plugins" / "two.py").touch()
    assert hashed(source, {"payload.3.mode": "0750"}) == before


def test_the_example_ships_its_hidden_files_and_a_start_script_that_runs() -> None:
    release = load(environ={}, config=str(MINI / "release.yml")).release
    items = payload.collect(MINI, release.payload, plan.services_of(release))
    files = {file.name: file for item in items for file in item.files}
    assert {"data/.config.yaml", "data/.wakeup_words.yaml", "data/config.yaml", "plugins_func/register.py"} <= set(
        files
    )
    assert b"\r" not in (files["docker-config/start.sh"].data or b"\r")
