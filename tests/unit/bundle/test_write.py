from __future__ import annotations

import errno
import gzip
import hashlib
import io
import json
import os
import subprocess
import tarfile
from typing import TYPE_CHECKING, Any

import pytest

from offline.bundle import layout, payload, write
from offline.bundle.verify import inspect
from offline.errors import FailedError, VerifyError
from offline.paths import HOST_SCRIPTS
from offline.sink import Sink
from offline.store import archive
from tests import builders
from tests.unit.disk import lost_in_the_background

if TYPE_CHECKING:
    from pathlib import Path

    from offline.bundle.write import Written


def made(
    tmp_path: Path, changes: dict[str, Any] | None = None, *, identity: str = builders.ID, into: str = "dist"
) -> Written:
    """A bundle of the small stack."""
    facts, items, store = builders.facts(tmp_path, changes=changes, identity=identity)
    return write.write(facts, items, store=store, folder=tmp_path / into, on_bytes=lambda _: None)


def members(bundle: Written) -> list[tarfile.TarInfo]:
    with tarfile.open(bundle.path) as tar:
        return tar.getmembers()


def content(bundle: Written, name: str) -> bytes:
    with tarfile.open(bundle.path) as tar:
        file = tar.extractfile(f"shop-bundle-{builders.ID}/{name}")
        assert file is not None
        return file.read()


def names(bundle: Written) -> list[str]:
    top = f"shop-bundle-{builders.ID}/"
    return [member.name.removeprefix(top) for member in members(bundle) if member.name.startswith(top)]


def left_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_the_bundle_verifies(tmp_path: Path) -> None:
    bundle = made(tmp_path)
    with bundle.path.open("rb") as file:
        report = inspect(file, bundle.path.name)
    assert report.bad == ()
    assert report.sums == bundle.sums_sha256


def test_size_and_digest_are_those_of_the_file(tmp_path: Path) -> None:
    bundle = made(tmp_path)
    data = bundle.path.read_bytes()
    assert (bundle.size, bundle.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    assert bundle.path.name == f"shop-bundle-{builders.ID}.tar.gz"
    assert left_in(tmp_path / "dist") == [bundle.path.name]


def test_plain_tar_unpacks_it_to_one_folder_and_sha256sum_agrees_with_the_list(tmp_path: Path) -> None:
    bundle = made(tmp_path)
    subprocess.run(["tar", "-xzf", bundle.path, "-C", tmp_path], check=True)
    folder = tmp_path / f"shop-bundle-{builders.ID}"
    listed = dict(line.split("  ", 1)[::-1] for line in (folder / layout.SUMS).read_text().splitlines())
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    assert set(listed) == set(files) - {layout.SUMS}
    assert {name: hashlib.sha256(files[name].read_bytes()).hexdigest() for name in listed} == listed


def test_the_list_of_sums_is_sorted_by_bytes(tmp_path: Path) -> None:
    listed = [line.split(b"  ", 1)[1] for line in content(made(tmp_path), layout.SUMS).splitlines()]
    assert listed == sorted(listed)


def test_two_runs_with_one_id_are_byte_equal(tmp_path: Path) -> None:
    first = made(tmp_path)
    for path in (tmp_path / "source").rglob("*"):
        os.utime(path, (1, 1))
        path.chmod(0o700)
    second = made(tmp_path, into="again")
    assert first.path.read_bytes() == second.path.read_bytes()
    assert first.sha256 == second.sha256


def test_another_id_changes_the_folder_the_facts_and_the_texts_only(tmp_path: Path) -> None:
    def sums(bundle: Written) -> dict[str, str]:
        with tarfile.open(bundle.path) as tar:
            top = tar.getnames()[0]
            file = tar.extractfile(f"{top}/{layout.SUMS}")
            assert file is not None
            return dict(line.split("  ", 1)[::-1] for line in file.read().decode().splitlines())

    first, second = sums(made(tmp_path)), sums(made(tmp_path, identity="20270101-000000", into="again"))
    texts = {layout.README, layout.MANIFEST_TEXT, layout.GUIDE_EN, layout.GUIDE_ZH}
    assert {name for name in first if first[name] != second[name]} == {layout.RELEASE, layout.FACTS, *texts}


def test_no_release_id_is_in_any_image_tag(tmp_path: Path) -> None:
    bundle = made(tmp_path)
    for name in (layout.INDEX, layout.IMAGE_MANIFEST, layout.COMPOSE):
        assert builders.ID.encode() not in content(bundle, name)


def test_entries_are_sorted_folders_before_what_they_hold(tmp_path: Path) -> None:
    found = [member.name.encode() for member in members(made(tmp_path))]
    assert found == sorted(found)
    assert len(found) == len(set(found))
    seen: set[bytes] = set()
    for name in found:
        assert b"/" not in name or name.rpartition(b"/")[0] in seen
        seen.add(name)


def test_owner_modes_and_times_are_those_of_the_release(tmp_path: Path) -> None:
    for member in members(made(tmp_path)):
        assert (member.uid, member.gid) == (0, 0)
        assert member.mtime == 1_795_467_600
        script = member.isdir() or member.name.endswith(".sh")
        assert member.mode == (0o755 if script else 0o644), member.name


def test_failures_5_and_15_a_start_script_with_crlf_arrives_with_lf_and_executable(tmp_path: Path) -> None:
    """Failures 5 and 15: `exec /start.sh: no such file or directory` after CRLF made on Windows."""
    facts, _, store = builders.facts(tmp_path)
    builders.tree(tmp_path / "source", {"start.sh": "#!/bin/sh\r\nexec app\r\n"})
    (tmp_path / "source" / "start.sh").chmod(0o644)
    items = payload.collect(tmp_path / "source", facts.release.payload, facts.services)
    bundle = write.write(facts, items, store=store, folder=tmp_path / "dist", on_bytes=lambda _: None)
    assert content(bundle, "start.sh") == b"#!/bin/sh\nexec app\n"
    [member] = [member for member in members(bundle) if member.name.endswith(f"{builders.ID}/start.sh")]
    assert member.mode == 0o755


def test_host_scripts_are_in_it_byte_for_byte(tmp_path: Path) -> None:
    bundle = made(tmp_path)
    assert content(bundle, layout.VERIFY_SCRIPT) == (HOST_SCRIPTS / "verify.sh").read_bytes()
    shipped = {name for name in names(bundle) if name.startswith(f"{layout.SCRIPT_LIB}/")}
    assert shipped == {
        f"{layout.SCRIPTS}/{path.relative_to(HOST_SCRIPTS)}" for path in (HOST_SCRIPTS / "lib").glob("*.sh")
    }


def test_empty_folders_of_the_hosts_own_are_there(tmp_path: Path) -> None:
    found = {member.name.partition("/")[2] for member in members(made(tmp_path)) if member.isdir()}
    assert {"conf", "mysql", "mysql/data"} <= found


def test_payload_with_spaces_and_chinese_names_is_there(tmp_path: Path) -> None:
    assert content(made(tmp_path), "plugins/配置 one.py") == b"x = 1\n"


def test_an_optional_item_that_is_missing_is_listed_and_has_no_file(tmp_path: Path) -> None:
    changes = {"payload.1.files": ["nope"], "payload.1.optional": True}
    bundle = made(tmp_path, changes)
    assert json.loads(content(bundle, layout.RELEASE))["left_out"] == ["nope"]
    assert not [name for name in names(bundle) if name.startswith("plugins")]


def test_failure_6_each_distinct_layer_is_in_it_once_and_its_blob_is_stored_as_it_is(tmp_path: Path) -> None:
    """Failure 6: shared layers repeated in every image's own tar."""
    facts, items, store = builders.facts(tmp_path)
    bundle = write.write(facts, items, store=store, folder=tmp_path / "dist", on_bytes=lambda _: None)
    blobs = [name for name in names(bundle) if name.startswith(f"{layout.BLOBS}/")]
    assert len(blobs) == len(set(blobs)) == 3 + 2 * 2
    digest = facts.images[0].stored.layers[0].digest
    data = store.path(digest).read_bytes()
    assert content(bundle, layout.blob(digest)) == data
    # Small enough for one stored block: its bytes are in the bundle, not compressed again.
    assert data in bundle.path.read_bytes()


def test_images_are_an_oci_layout_and_a_docker_archive_at_once(tmp_path: Path) -> None:
    facts, _, _ = builders.facts(tmp_path)
    bundle = made(tmp_path)
    index = json.loads(content(bundle, layout.INDEX))
    archive = json.loads(content(bundle, layout.IMAGE_MANIFEST))
    assert json.loads(content(bundle, layout.OCI_LAYOUT)) == {"imageLayoutVersion": "1.0.0"}
    assert [entry["RepoTags"] for entry in archive] == [[image.tag] for image in facts.images]
    assert [entry["digest"] for entry in index["manifests"]] == [image.stored.manifest for image in facts.images]
    for entry, image in zip(archive, facts.images, strict=True):
        config = json.loads(content(bundle, f"images/{entry['Config']}"))
        raw = [gzip.decompress(content(bundle, f"images/{layer}")) for layer in entry["Layers"]]
        assert [f"sha256:{hashlib.sha256(layer).hexdigest()}" for layer in raw] == config["rootfs"]["diff_ids"]
        assert (
            f"sha256:{hashlib.sha256(content(bundle, 'images/' + entry['Config'])).hexdigest()}" == image.stored.config
        )


def test_a_damaged_blob_of_the_store_is_refused_and_nothing_is_left(tmp_path: Path) -> None:
    facts, items, store = builders.facts(tmp_path)
    path = store.path(facts.images[0].stored.layers[0].digest)
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(VerifyError, match="its bytes hash to") as caught:
        write.write(facts, items, store=store, folder=tmp_path / "dist", on_bytes=lambda _: None)
    assert caught.value.exit_code == 3
    assert left_in(tmp_path / "dist") == []


@pytest.mark.parametrize("harm", ["missing", "short", "long"])
def test_a_missing_or_cut_blob_of_the_store_is_refused(tmp_path: Path, harm: str) -> None:
    facts, items, store = builders.facts(tmp_path)
    path = store.path(facts.images[0].stored.layers[0].digest)
    data = path.read_bytes()
    path.unlink()
    if harm != "missing":
        path.write_bytes(data[:-1] if harm == "short" else data + b"x")
    with pytest.raises(VerifyError):
        write.write(facts, items, store=store, folder=tmp_path / "dist", on_bytes=lambda _: None)
    assert left_in(tmp_path / "dist") == []


@pytest.mark.parametrize("now", [b"y = 3\n", b"y = 2\nmore", b"", b"y"])
def test_a_file_that_changes_while_it_is_packed_is_refused_by_name_and_nothing_is_left(
    tmp_path: Path, now: bytes
) -> None:
    builders.tree(tmp_path / "source", {"plugins/big.bin": "y = 2\n"})
    facts, _, store = builders.facts(tmp_path)
    items = payload.collect(tmp_path / "source", facts.release.payload, facts.services)
    (tmp_path / "source" / "plugins" / "big.bin").write_bytes(now)
    with pytest.raises((FailedError, VerifyError), match=r"big\.bin") as caught:
        write.write(facts, items, store=store, folder=tmp_path / "dist", on_bytes=lambda _: None)
    assert caught.value.exit_code == 6
    assert "no bundle was written" in caught.value.hint
    assert left_in(tmp_path / "dist") == []


def test_a_file_that_vanishes_while_it_is_packed_is_refused_by_name(tmp_path: Path) -> None:
    builders.tree(tmp_path / "source", {"plugins/big.bin": "x"})
    facts, items, store = builders.facts(tmp_path, payload_of(tmp_path))
    (tmp_path / "source" / "plugins" / "big.bin").unlink()
    with pytest.raises(FailedError, match=r"big\.bin: this file changed while the bundle was written"):
        write.write(facts, items, store=store, folder=tmp_path / "dist", on_bytes=lambda _: None)
    assert left_in(tmp_path / "dist") == []


def payload_of(tmp_path: Path) -> Any:
    builders.tree(tmp_path / "source")
    return payload.collect(tmp_path / "source", builders.release().payload, ("api", "db"))


def test_a_full_disk_is_a_failure_with_a_cure_and_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    facts, items, store = builders.facts(tmp_path)
    monkeypatch.setattr(Sink, "write", full)
    with pytest.raises(FailedError, match=r"cannot write .*\.tar\.gz: No space left on device") as caught:
        write.write(facts, items, store=store, folder=tmp_path / "dist", on_bytes=lambda _: None)
    assert "OFFLINE_OUTPUT" in caught.value.hint
    assert left_in(tmp_path / "dist") == []


@pytest.mark.parametrize("part_size", [None, 5000])
def test_bytes_that_did_not_reach_the_disk_are_a_failure_though_the_last_flush_succeeds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part_size: int | None
) -> None:
    facts, items, store = builders.facts(tmp_path)
    lost_in_the_background(monkeypatch)
    with pytest.raises(FailedError, match=r"cannot write .*\.tar\.gz: Input/output error"):
        write.write(facts, items, store=store, folder=tmp_path / "dist", on_bytes=lambda _: None, part_size=part_size)
    assert left_in(tmp_path / "dist") == []


def test_an_interruption_leaves_nothing(tmp_path: Path) -> None:
    facts, items, store = builders.facts(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        write.write(facts, items, store=store, folder=tmp_path / "dist", on_bytes=interrupt)
    assert left_in(tmp_path / "dist") == []


def test_progress_counts_every_byte_that_was_announced(tmp_path: Path) -> None:
    facts, items, store = builders.facts(tmp_path)
    counted: list[int] = []
    write.write(facts, items, store=store, folder=tmp_path / "dist", on_bytes=counted.append)
    assert sum(counted) >= write.total_bytes(facts, items) > 0


def test_a_bundle_of_the_same_name_is_replaced_whole(tmp_path: Path) -> None:
    (tmp_path / "dist").mkdir()
    old = tmp_path / "dist" / f"shop-bundle-{builders.ID}.tar.gz"
    old.write_bytes(b"old")
    facts, items, store = builders.facts(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        write.write(facts, items, store=store, folder=tmp_path / "dist", on_bytes=interrupt)
    assert old.read_bytes() == b"old"
    made(tmp_path)
    assert tarfile.is_tarfile(old)


def interrupt(_: int) -> None:
    raise KeyboardInterrupt


def test_the_images_load_as_one_archive_too(tmp_path: Path) -> None:
    facts, _, store = builders.facts(tmp_path)
    sink = io.BytesIO()
    archive.write(store, {image.tag: image.stored for image in facts.images}, sink, lambda _: None)
    sink.seek(0)
    with tarfile.open(fileobj=sink) as tar:
        archived = tar.getnames()
    shipped = [name.removeprefix("images/") for name in names(made(tmp_path)) if name.startswith("images/")]
    assert {name for name in archived if "/" in name} <= set(shipped)
    assert len(archived) == len(set(archived))
