"""What changes from one release to another: compared, and read out of bundles."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from offline.bundle import diff, layout, payload, released, write
from offline.console import Console
from offline.errors import UsageError, VerifyError
from offline.release import comparing
from tests import builders
from tests.bundles import Bundle, small_bundle
from tests.parts import cut, part

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from offline.bundle.diff import Difference
    from offline.bundle.write import Written


def described(images: Mapping[str, list[str]], **changes: Any) -> dict[str, Any]:
    """A release.json as far as it is compared: images by role, each with the names of its layers."""
    return {
        "format": 1,
        "id": "20261123-210000",
        "kit": "1",
        "strategy": "offline",
        "platform": "linux/amd64",
        "mode": "all",
        "source": {"revision": "abc"},
        "host": {"minimum_engine": "20.10.10"},
        "data": {"database": {"family": "mysql", "series": "8.0", "folder": "mysql/data"}},
        "images": [
            {
                "role": role,
                "tag": f"shop/{role}:{'-'.join(layers)}",
                "config": f"sha256:{'-'.join(layers)}",
                "layers": [{"digest": f"sha256:{layer}", "size": len(layer)} for layer in layers],
            }
            for role, layers in images.items()
        ],
        **changes,
    }


def compared(
    old: dict[str, Any],
    new: dict[str, Any],
    files: tuple[Mapping[str, str] | None, Mapping[str, str] | None] = (None, None),
    compose: tuple[str | None, str | None] = (None, None),
) -> Difference:
    return diff.compare(
        diff.parse(old, files=files[0], compose=compose[0]), diff.parse(new, files=files[1], compose=compose[1])
    )


def test_images_are_added_removed_changed_or_the_same_with_what_is_new_in_them() -> None:
    found = compared(
        described({"server": ["base", "app"], "db": ["base"], "old": ["base"]}),
        described({"server": ["base", "newer"], "db": ["base"], "web": ["app", "page!!"]}),
    )
    assert {image.role: (image.change, image.bytes, image.new_bytes) for image in found.images} == {
        "server": ("changed", 9, 5),
        "db": ("same", 4, 0),
        "web": ("added", 9, 6),
        "old": ("removed", 4, 0),
    }
    server = found.images[0]
    assert (server.old, server.new) == ("shop/server:base-app", "shop/server:base-newer")
    assert (found.images[-1].old, found.images[-1].new) == ("shop/old:base", None)


def test_layers_are_shared_new_or_gone_each_once_with_its_size_and_users() -> None:
    found = compared(
        described({"a": ["base", "base", "one"], "b": ["base"]}), described({"a": ["base", "three"], "b": ["base"]})
    ).layers
    assert [(layer.digest, layer.size, layer.roles) for layer in found.shared] == [("sha256:base", 4, ("a", "b"))]
    assert [(layer.digest, layer.size, layer.roles) for layer in found.new] == [("sha256:three", 5, ("a",))]
    assert [(layer.digest, layer.size, layer.roles) for layer in found.gone] == [("sha256:one", 3, ("a",))]


def test_payload_is_compared_and_what_the_kit_writes_is_not() -> None:
    own = dict.fromkeys((layout.RELEASE, layout.FACTS, layout.README, layout.COMPOSE, "images/index.json"), "1")
    old = own | {"conf/a": "1", "conf/b": "1", "models/x": "1"}
    new = dict.fromkeys(own, "2") | {"conf/a": "1", "conf/b": "2", "plugins/y": "1"}
    files = compared(described({}), described({}), (old, new)).files
    assert files == diff.Names(added=("plugins/y",), removed=("models/x",), changed=("conf/b",))


def test_versions_and_data_families_that_change_are_named() -> None:
    found = compared(
        described({}),
        described(
            {},
            kit="2",
            host={"minimum_engine": "24.0.0", "memory": "4g"},
            data={"database": {"family": "mysql", "series": "8.4", "folder": "mysql/data"}},
        ),
    )
    assert {(fact.what, fact.old, fact.new) for fact in found.facts} == {
        ("kit", "1", "2"),
        ("host minimum engine", "20.10.10", "24.0.0"),
        ("host memory", None, "4g"),
        ("data database", "mysql 8.0 in mysql/data", "mysql 8.4 in mysql/data"),
    }


def test_the_compose_file_is_compared_line_by_line() -> None:
    assert compared(described({}), described({}), compose=("a\nb\n", "a\nb\n")).compose == ()
    lines = compared(described({}), described({}), compose=("a\nb\n", "a\nc\n")).compose
    assert lines is not None
    assert {"-b", "+c"} <= set(lines)


def test_what_a_release_json_alone_does_not_tell_is_not_known_rather_than_the_same() -> None:
    found = compared(described({}), described({}), ({"a": "1"}, None), ("a", None))
    assert (found.files, found.compose) == (None, None)
    text = "\n".join(diff.lines(found))
    assert text.count("not known") == 2


def test_two_equal_releases_are_the_same_in_everything() -> None:
    one = described({"a": ["base"]})
    found = compared(one, one, ({"x": "1"}, {"x": "1"}), ("a", "a"))
    assert [image.change for image in found.images] == ["same"]
    assert (found.layers.new, found.layers.gone, found.compose, found.facts) == ((), (), (), ())
    assert found.files == diff.Names(added=(), removed=(), changed=())
    assert "\n".join(diff.lines(found)).count("  same") == 4


@pytest.mark.parametrize(
    "value", [None, [], {}, {"format": 1}, described({}, format=2), described({}) | {"images": [{}]}]
)
def test_what_is_no_release_json_of_this_format_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=r"not a release\.json|format is 2"):
        diff.parse(value)


# --- read out of bundles


@pytest.fixture
def quiet() -> Console:
    return Console(io.StringIO(), io.StringIO())


def made(tmp_path: Path, identity: str = builders.ID, part_size: int | None = None) -> Written:
    facts, items, store = builders.facts(tmp_path, identity=identity)
    return write.write(
        facts, items, store=store, folder=tmp_path / "dist", on_bytes=lambda _: None, part_size=part_size
    )


def test_a_real_bundle_is_read_with_its_images_files_and_compose_file(tmp_path: Path, quiet: Console) -> None:
    release = released.of_bundle(made(tmp_path).path, quiet)
    assert (release.id, set(release.images)) == (builders.ID, {"api", "db"})
    assert release.files is not None
    assert {"conf/.conf.yaml", "plugins/配置 one.py", layout.RELEASE} <= set(release.files)
    assert release.compose is not None
    assert release.images["api"].tag in release.compose
    assert release.facts["data database"] == "mysql 8.0 in mysql/data"


def test_a_bundle_in_parts_is_read_as_the_whole_is(tmp_path: Path, quiet: Console) -> None:
    whole = released.of_bundle(made(tmp_path).path, quiet)
    file = made(tmp_path, part_size=3000).path
    assert released.of_bundle(file, quiet) == released.of_bundle(part_of(file, 1), quiet) == whole


def part_of(file: Path, number: int) -> Path:
    return part(file.parent, number, name=file.name.removesuffix(layout.PARTS_SUFFIX))


def test_a_part_that_lacks_is_said_so(tmp_path: Path, quiet: Console) -> None:
    file = made(tmp_path, part_size=3000).path
    part_of(file, 2).unlink()
    with pytest.raises(VerifyError, match="not all of its parts are here"):
        released.of_bundle(file, quiet)


def test_the_bundle_its_result_file_and_its_unpacked_release_json_compare_as_the_same(
    tmp_path: Path, quiet: Console
) -> None:
    bundle = made(tmp_path).path
    (tmp_path / "latest.json").write_text(json.dumps({"bundle": str(bundle), "images": [], "stages": []}))
    host = tmp_path / "host"
    unpack(bundle, host)
    file = host / f"shop-bundle-{builders.ID}" / layout.RELEASE
    for given in (bundle, tmp_path / "latest.json", file):
        found = comparing.compare(str(bundle), str(given), quiet)
        assert (found.compose, found.facts) == ((), ())
        assert found.files == diff.Names(added=(), removed=(), changed=())
        assert not found.layers.new + found.layers.gone


def unpack(bundle: Path, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    subprocess.run(["tar", "-xzf", bundle, "-C", folder], check=True)


def test_a_changed_payload_file_and_source_show_in_the_difference(tmp_path: Path, quiet: Console) -> None:
    old = made(tmp_path).path
    builders.tree(tmp_path / "source")
    facts, _, store = builders.facts(tmp_path, identity="20261124-000000")
    (tmp_path / "source" / "plugins" / "two.py").write_text("y = 3\n")
    items = payload.collect(tmp_path / "source", facts.release.payload, facts.services)
    new = write.write(facts, items, store=store, folder=tmp_path / "dist", on_bytes=lambda _: None).path
    found = comparing.compare(str(old), str(new), quiet)
    assert found.files == diff.Names(added=(), removed=(), changed=("plugins/two.py",))
    assert (found.old, found.new) == (builders.ID, "20261124-000000")
    assert json.loads(json.dumps(found.as_json()))["files"]["changed"] == ["plugins/two.py"]


def release_bundle(**files: str) -> Bundle:
    """A small bundle whose release.json is one that can be compared."""
    bundle = small_bundle()
    bundle[layout.RELEASE] = json.dumps(described({"server": ["base"]}))
    for name, text in files.items():
        bundle[name] = text
    return bundle.seal()


def test_files_that_a_delta_leaves_out_belong_to_the_release_all_the_same(tmp_path: Path, quiet: Console) -> None:
    digest = hashlib.sha256(b"weights").hexdigest()
    bundle = release_bundle()
    bundle[layout.OMITTED] = f"file\tmodels/m.pt\tpayload/a/models/m.pt\t{digest}\nblob\tsha256:{digest}\told\n"
    release = released.of_bundle(bundle.seal().pack(tmp_path), quiet)
    assert release.files is not None
    assert release.files["models/m.pt"] == digest


def test_a_file_that_is_not_as_listed_is_refused(tmp_path: Path, quiet: Console) -> None:
    bundle = release_bundle()
    bundle[layout.RELEASE] = json.dumps(described({}))
    with pytest.raises(VerifyError, match=r"its release\.json is not as listed\n  next: invoke verify"):
        released.of_bundle(bundle.pack(tmp_path), quiet)


@pytest.mark.parametrize("name", [layout.RELEASE, layout.SUMS, layout.COMPOSE])
def test_a_bundle_without_what_is_compared_is_refused(name: str, tmp_path: Path, quiet: Console) -> None:
    bundle = release_bundle()
    del bundle.items[name]
    with pytest.raises(VerifyError, match=f"it has no {name}"):
        released.of_bundle((bundle if name == layout.SUMS else bundle.seal()).pack(tmp_path), quiet)


@pytest.mark.parametrize("data", [b"", b"no gzip", b"\x1f\x8b\x08\x00"])
def test_what_is_no_archive_is_refused_without_a_traceback(data: bytes, tmp_path: Path, quiet: Console) -> None:
    (tmp_path / "x.tar.gz").write_bytes(data)
    with pytest.raises(VerifyError, match="invoke verify"):
        released.of_bundle(tmp_path / "x.tar.gz", quiet)


def test_a_cut_archive_is_refused(tmp_path: Path, quiet: Console) -> None:
    data = release_bundle().pack(tmp_path).read_bytes()
    file = cut(data[:2500], tmp_path / "stick", 2000)
    with pytest.raises(VerifyError):
        released.of_bundle(file, quiet)


def test_what_is_not_there_is_a_usage_error(tmp_path: Path, quiet: Console) -> None:
    with pytest.raises(UsageError, match="there is no such bundle"):
        comparing.compare(str(tmp_path / "no.tar.gz"), str(tmp_path / "no.tar.gz"), quiet)


def test_a_release_json_alone_tells_images_but_not_files(tmp_path: Path, quiet: Console) -> None:
    for name, images in (("old.json", {"a": ["base"]}), ("new.json", {"a": ["base", "app"]})):
        (tmp_path / name).write_text(json.dumps(described(images) | {"services": {}}))
    found = comparing.compare(str(tmp_path / "old.json"), str(tmp_path / "new.json"), quiet)
    assert [image.change for image in found.images] == ["changed"]
    assert found.files is None


def test_an_unpacked_release_json_that_was_edited_is_refused(tmp_path: Path, quiet: Console) -> None:
    bundle = made(tmp_path).path
    unpack(bundle, tmp_path)
    file = tmp_path / f"shop-bundle-{builders.ID}" / layout.RELEASE
    file.write_text(file.read_text().replace("8.0", "9.0"))
    with pytest.raises(VerifyError, match=r"its release\.json is not as listed"):
        comparing.compare(str(bundle), str(file), quiet)
