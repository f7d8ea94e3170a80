from __future__ import annotations

import json
import os
import re
import signal
from typing import TYPE_CHECKING

import pytest

from offline.store.blobs import Store
from offline.store.lock import holding
from tests import builders
from tests.cli.conftest import awaited, ended, shell, shell_started

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Ended, Kit


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def refused(done: Ended, code: int, *words: str) -> None:
    assert done.code == code, done.err
    assert done.out == ""
    assert "Traceback" not in done.err
    assert "error: " in done.err
    assert "\n  next: " in done.err
    for word in words:
        assert word in done.err


def exported(kit: Kit) -> None:
    """Leave what an export leaves: the images in the store, and the record of them."""
    images = [builders.image(role, role.encode()) for role in ("api", "db")]
    stored = builders.stored(Store(kit.work / "store"), images)
    record = [
        {"role": role, "kind": "build", "why": "", "registry_digest": "", "config": stored[name].config, "new_bytes": 0}
        for role, name in (("api", "shop/api:build"), ("db", "shop/db:build"))
    ]
    (kit.work / "export.json").write_text(json.dumps({"stack": "shop", "images": record}))


@pytest.mark.parametrize("command", ["release", "build-base", "build-offline"])
def test_an_engine_that_does_not_answer(kit: Kit, command: str) -> None:
    refused(kit(command), 5, "cannot reach the Docker engine", "start Docker", "sh scripts/bootstrap.sh")
    assert left(kit.dist) == []


def test_no_docker_client_at_all(kit: Kit) -> None:
    done = kit("release", PATH=str(kit.folder / "nothing"))
    refused(done, 5, "no docker client on PATH that can use BuildKit", "none at all")


def test_a_client_that_cannot_use_buildkit_is_named(kit: Kit) -> None:
    (kit.folder / "bin" / "docker").write_text("#!/bin/sh\necho 'Docker version 28.2.2'\n[ \"$1\" = --version ]\n")
    done = kit("release", PATH=str(kit.folder / "bin"))
    refused(done, 5, f"{kit.folder}/bin/docker: Docker version 28.2.2, without the buildx plugin")


def test_a_source_that_is_not_there(kit: Kit) -> None:
    refused(kit("release", "--source", str(kit.folder / "none")), 2, "there is no such folder", "--source DIR")


def test_a_source_that_is_no_xiaozhi_tree(kit: Kit) -> None:
    (kit.folder / "other").mkdir()
    refused(kit("release", "--source", str(kit.folder / "other")), 2, "not a checkout of xiaozhi; it has no main/xiaoz")


def test_an_unknown_key(kit: Kit) -> None:
    file = kit.source / "release.yml"
    file.write_text(builders.STACK.replace("    tag: shop", "    tagg: shop"))
    line = builders.STACK.splitlines().index("    tag: shop:custom") + 1
    refused(kit("config"), 2, f'{file}:{line}: images.api.tagg: unknown key; did you mean "tag"?')


def test_a_duplicate_key(kit: Kit) -> None:
    file = kit.source / "release.yml"
    file.write_text(builders.STACK + "stack: other\n")
    done = kit("release")
    assert (done.code, done.out) == (2, "")
    last = len(builders.STACK.splitlines()) + 1
    assert done.err == f"error: {file}:{last}: stack: duplicate key; it stands already in line 2\n"


def test_an_unknown_variable(kit: Kit) -> None:
    done = kit("config", OFFLINE_STRATEGI="offline")
    assert (done.code, done.out) == (2, "")
    assert 'OFFLINE_STRATEGI: no configuration key fits this variable; did you mean "strategy"?' in done.err


def test_a_second_run_while_the_first_is_at_work(kit: Kit) -> None:
    with holding(kit.work / "lock", "invoke release"):
        done = kit("package")
    refused(done, 4, "another run is at work", f"process {os.getpid()}, since 20", "UTC: invoke release")


def test_a_payload_link_that_leaves_the_source_stops_before_any_build(kit: Kit) -> None:
    (kit.folder / "key").write_text("private")
    (kit.source / "plugins" / "key.py").symlink_to("../../key")
    # The engine does not answer: had it been asked, the code would be 5.
    refused(kit("release"), 2, "plugins/key.py: it lies outside the source")
    assert left(kit.dist) == []


def test_required_payload_that_is_missing_stops_before_any_build(kit: Kit) -> None:
    (kit.source / "start.sh").unlink()
    refused(kit("release"), 2, "start.sh: nothing of that name", "the item is required", "nothing was written")


def test_a_payload_name_with_a_newline(kit: Kit) -> None:
    (kit.source / "plugins" / "a\nb").write_text("x")
    refused(kit("release"), 2, "plugins/a\\x0ab: a name with control characters")


def test_verify_of_what_is_not_there(kit: Kit) -> None:
    refused(kit("verify", "none.tar.gz"), 2, "none.tar.gz: there is no such bundle", "dist/latest.json")


def test_verify_of_what_powershell_redirected(kit: Kit) -> None:
    (kit.folder / "result.json").write_bytes('{"bundle": "x"}\r\n'.encode("utf-16"))
    done = kit("verify", str(kit.folder / "result.json"))
    refused(done, 2, "PowerShell's > writes UTF-16", "read dist/latest.json")


def test_verify_of_a_damaged_bundle(kit: Kit) -> None:
    exported(kit)
    assert kit("package").code == 0
    [bundle] = kit.dist.glob("*.tar.gz")
    data = bytearray(bundle.read_bytes())
    data[len(data) // 2] ^= 1
    bundle.write_bytes(data)
    done = kit("verify", str(bundle))
    assert done.code == 3
    assert done.out.startswith("bad\t")


def test_package_without_an_export(kit: Kit) -> None:
    refused(kit("package"), 2, "export.json: there is nothing to go on from", "first: invoke export")
    assert left(kit.dist) == []


def test_export_without_a_build(kit: Kit) -> None:
    refused(kit("export"), 2, "first: invoke build-app or invoke build-offline")


def test_a_bad_id(kit: Kit) -> None:
    done = kit("package", "--id", "2026-11-23")
    assert done.code == 2
    assert "not a release id; write YYYYMMDD-HHMMSS" in done.err


def test_a_mistake_on_the_command_line_is_invokes_own(kit: Kit) -> None:
    done = kit("release", "--sorce", "x")
    assert done.code == 1
    assert "No idea what '--sorce' is!" in done.err + done.out


def test_a_disk_that_takes_no_more_while_the_bundle_is_written(kit: Kit) -> None:
    exported(kit)
    builders.tree(kit.source, {"plugins/big.bin": os.urandom(3 << 20)})
    # Files end at 1 MiB here, as they do at 4 GiB on FAT32.
    done = shell(kit, "ulimit -f 1024; exec invoke package")
    refused(done, 6, "cannot write", "nothing was left under that name", "OFFLINE_OUTPUT")
    assert left(kit.dist) == []


def test_an_output_folder_that_may_not_be_written(kit: Kit) -> None:
    exported(kit)
    (kit.folder / "dist").write_text("a file where the folder should be")
    done = kit("package")
    refused(done, 6)
    assert (kit.folder / "dist").read_text() == "a file where the folder should be"


@pytest.mark.parametrize(
    ("caller", "number"),
    [("", signal.SIGINT), ("trap '' INT; ", signal.SIGINT), ("", signal.SIGTERM)],
    ids=["Ctrl-C", "Ctrl-C in a script's background job", "SIGTERM"],
)
def test_a_signal_during_a_run_leaves_nothing_half_written(kit: Kit, caller: str, number: signal.Signals) -> None:
    exported(kit)
    with (kit.source / "plugins" / "big.bin").open("wb") as file:
        file.truncate(300 << 20)
    with shell_started(kit, f"{caller}exec invoke package") as process:
        awaited(lambda: any(name.startswith(".partial-") for name in left(kit.dist)))
        process.send_signal(number)
        done = ended(process)
    assert done.code == 130
    assert done.err.endswith("error: interrupted; nothing half-written was left\n")
    assert left(kit.dist) == []
    # The lock is free again.
    assert "another run" not in kit("export").err


def test_a_reader_that_goes_away_is_no_failure_to_talk_about(kit: Kit) -> None:
    done = shell(kit, "invoke config | head -n 1")
    assert done.out.startswith("# ")
    assert done.err == ""


def test_the_lock_is_told_in_words_that_people_can_use(kit: Kit) -> None:
    with holding(kit.work / "lock", "invoke build-app"):
        done = kit("store-gc")
    assert re.search(r"process \d+, since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC: invoke build-app", done.err)


def test_no_backup_before_a_deploy_has_to_be_meant(kit: Kit) -> None:
    refused(kit("deploy", "--host", "nobody@203.0.113.1", "--no-backup"), 2, "only together with --yes")


def test_a_hot_module_that_the_source_does_not_have_reaches_no_host(kit: Kit) -> None:
    done = kit("hot-update", "--host", "nobody@203.0.113.1", "--file", "plugins/tow.py")
    refused(done, 2, "plugins/tow.py: no hot module of", 'did you mean "plugins/two.py"')
