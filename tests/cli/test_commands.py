from __future__ import annotations

import json
import os
import tarfile
from typing import TYPE_CHECKING

import pytest

from offline.store.blobs import Store
from offline.tasks import namespace
from tests import builders
from tests.cli.test_failures import exported

if TYPE_CHECKING:
    from tests.cli.conftest import Kit


def test_the_list_of_commands_comes_at_once_with_a_line_for_each(kit: Kit) -> None:
    done = kit("--list")
    assert done.code == 0
    listed = [line for line in done.out.splitlines() if line.startswith("  ") and line[2] != " "]
    assert [line.split()[0] for line in listed] == sorted(namespace.task_names)
    assert all(len(line.split()) > 1 for line in listed)
    assert min(seconds_to_list(kit) for _ in range(3)) <= 0.3


def seconds_to_list(kit: Kit) -> float:
    """Of the processor, not of the wall: a busy machine is not the kit's fault."""
    before = os.times()
    kit("--list")
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def test_config_shows_each_value_with_its_origin(kit: Kit) -> None:
    done = kit("config", "--mode", "single", OFFLINE_KEEP="7")
    assert done.code == 0
    assert f"# {kit.source}/release.yml (the source brings it)" in done.out
    for line in ("mode = single    [--mode]", "keep = 7    [OFFLINE_KEEP]", "stack = shop    [release.yml]"):
        assert line in done.out.splitlines()


def test_config_hides_passwords(kit: Kit) -> None:
    done = kit("config", OFFLINE_MIRRORS__PIP="https://me:hush@mirror/simple")
    assert "https://[redacted]@mirror/simple" in done.out
    assert "hush" not in done.out + done.err


def test_config_as_json_is_json_and_nothing_else_on_stdout(kit: Kit) -> None:
    assert json.loads(kit("config", "--json").out)["stack"] == {"value": "shop", "origin": "release.yml"}


def test_package_as_json_puts_one_object_on_stdout_and_the_rest_on_stderr(kit: Kit) -> None:
    exported(kit)
    done = kit("package", "--json", "--id", builders.ID)
    assert done.code == 0, done.err
    said = json.loads(done.out)
    assert {"id", "bundle", "bytes", "sha256", "images", "stages"} <= set(said)
    assert said == json.loads((kit.dist / "latest.json").read_text(encoding="utf-8"))
    assert "==> package" in done.err


def test_package_writes_a_bundle_that_verify_takes_by_name_and_by_result(kit: Kit) -> None:
    exported(kit)
    done = kit("package", "--id", builders.ID)
    assert done.code == 0, done.err
    bundle = kit.dist / f"shop-bundle-{builders.ID}.tar.gz"
    assert tarfile.is_tarfile(bundle)
    assert f"Next     invoke verify {bundle}" in done.out
    for name in (bundle, kit.dist / "latest.json"):
        verified = kit("verify", str(name))
        assert verified.code == 0, verified.err
        assert verified.out.startswith("ok\t")


def test_two_packages_with_one_id_are_byte_equal(kit: Kit) -> None:
    exported(kit)
    bundle = kit.dist / f"shop-bundle-{builders.ID}.tar.gz"
    assert kit("package", "--id", builders.ID).code == 0
    first = bundle.read_bytes()
    assert kit("package", "--id", builders.ID).code == 0
    assert bundle.read_bytes() == first


def test_optional_payload_that_is_missing_is_one_warning_and_one_line_of_the_summary(kit: Kit) -> None:
    exported(kit)
    file = kit.source / "release.yml"
    file.write_text(builders.STACK.replace("files: [plugins]", "files: [nope], optional: true"))
    done = kit("package")
    assert done.code == 0, done.err
    assert done.err.count("nope") == 1
    assert "warning: payload: nope is not in the source; it is optional and left out" in done.err
    assert "Left out nope" in done.out


def test_store_gc_says_what_went_and_what_stayed(kit: Kit) -> None:
    exported(kit)
    builders.stored(Store(kit.work / "store"), [builders.image("old", b"old")])
    done = kit("store-gc")
    assert done.code == 0, done.err
    assert "1 images and 3 blobs removed" in done.err


@pytest.mark.parametrize("words", [["--help", "release"], ["--help", "package"], ["--help", "verify"]])
def test_every_flag_has_its_help(kit: Kit, words: list[str]) -> None:
    done = kit(*words)
    assert done.code == 0
    assert "Options:" in done.out
