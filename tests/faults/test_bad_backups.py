"""Backups that are not what was made, or do not fit: each refused by name, and nothing on the host is changed.

The hand-written scripts had no restore at all, and an emptied data folder for a cure (failures 14 and 18).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.airgap.backups import back_up, forget, holds, restore, write
from tests.airgap.by_hand import DB, ROOT, SERVER, Operator, Releases, containers
from tests.airgap.hosts import host

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.timeout(900)

HARMS = {
    "truncated": ("truncate --size -1 $B/database.sql.gz", "bad\tchanged\tdatabase.sql.gz"),
    "flipped": ("printf x | dd of=$B/redis.rdb.gz bs=1 seek=20 conv=notrunc status=none", "bad\tchanged\tredis.rdb.gz"),
    "missing": ("rm $B/uploads.tar.gz", "bad\tmissing\tuploads.tar.gz"),
    "extra": ("touch $B/more", "bad\textra\tmore"),
    "counts": ("sed -i 's/sys_user\\t1/sys_user\\t2/' $B/manifest.tsv", "bad\tmalformed\tmanifest.tsv"),
    "unsealed": ("sed -i '$d' $B/manifest.tsv", "bad\tmalformed\tmanifest.tsv"),
}
RESEAL = (
    "sed -i '$d' $B/manifest.tsv; printf 'sealed\\t%s\\n' $(sha256sum <$B/manifest.tsv | cut -c 1-64) >>$B/manifest.tsv"
)
UNFIT = {
    "newer release": (
        "sed -i 's/^release.*/release\\t20991231-000000/' $B/manifest.tsv",
        "release 20991231-000000, which is newer",
    ),
    "another family": ("sed -i 's/\\tmariadb\\t/\\tmysql\\t/' $B/manifest.tsv", "of mysql 10.11"),
    "newer server": ("sed -i 's/\\t10.11\\t/\\t11.4\\t/' $B/manifest.tsv", "of mariadb 11.4"),
    "another stack": ("sed -i 's/^stack.*/stack\\tshop/' $B/manifest.tsv", "of the stack shop"),
}


@pytest.fixture(scope="module")
def operator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    with host("20.10") as standing:
        made = Operator(standing, Releases(tmp_path_factory.mktemp("bad")))
        assert made.deploy("first").code == 0
        write(made, "A")
        yield made


@pytest.fixture(scope="module")
def backup(operator: Operator) -> str:
    return back_up(operator)


@pytest.fixture
def copy(operator: Operator, backup: str) -> Iterator[str]:
    """A copy of the backup, to be harmed."""
    operator.host.run(f"cp -a {ROOT}/backups/{backup} /root/harmed")
    yield "/root/harmed"
    operator.host.run("rm -rf /root/harmed")


@pytest.mark.parametrize("harm", HARMS)
def test_a_damaged_backup_is_refused_by_name(operator: Operator, copy: str, harm: str) -> None:
    command, named = HARMS[harm]
    before, state = containers(operator.host), operator.state()
    operator.host.run(f"B={copy}; {command}")
    for script in ("restore", "drill"):
        done = operator.script(script, copy, *(("--yes",) if script == "restore" else ()))
        assert (done.code, named in done.out) == (3, True), done.out
    assert (containers(operator.host), operator.state()) == (before, state)


@pytest.mark.parametrize("harm", UNFIT)
def test_a_backup_that_does_not_fit_is_refused_with_the_reason(operator: Operator, copy: str, harm: str) -> None:
    command, reason = UNFIT[harm]
    before, state = containers(operator.host), operator.state()
    operator.host.run(f"B={copy}; {command}; {RESEAL}")
    done = restore(operator, copy)
    assert (done.code, reason in done.out) == (5, True), done.out
    assert (containers(operator.host), operator.state()) == (before, state)


def test_a_backup_whose_rows_are_not_those_it_counts_never_goes_into_service(operator: Operator, copy: str) -> None:
    before = containers(operator.host)
    operator.host.run(f"B={copy}; sed -i 's/sys_user\\t1/sys_user\\t2/' $B/manifest.tsv; {RESEAL}")
    done = restore(operator, copy)
    assert (done.code, "does not have the rows" in done.out) == (6, True), done.out
    assert containers(operator.host) == before
    drilled = operator.script("drill", copy)
    assert drilled.code == 6, drilled.out
    assert "drill\t" in operator.host.run(f"grep failed {copy}/manifest.tsv").out
    assert operator.status()["drill"]["passed"] == ""
    holds(operator, "A")


def test_a_folder_that_cannot_be_renamed_is_found_before_anything_happens(operator: Operator, backup: str) -> None:
    before, place = containers(operator.host), f"{ROOT}/shared/uploadfile"
    operator.host.run(f"mount --bind {place} {place}")
    done = restore(operator, backup)
    operator.host.run(f"umount {place}")
    assert (done.code, "is a file system of its own" in done.out) == (5, True), done.out
    assert containers(operator.host) == before


def test_data_with_which_the_stack_does_not_work_is_taken_back_by_itself(operator: Operator) -> None:
    config = f"{ROOT}/shared/data/.config.yaml"
    operator.host.run(f"cp -p {config} /root/config && echo 'not: [yaml' >>{config}")
    broken = back_up(operator)
    operator.host.run(f"cp -p /root/config {config}")
    write(operator, "B")
    done = restore(operator, broken)
    assert (done.code, f"{SERVER} does not work" in done.out) == (6, True), done.out
    holds(operator, "A", "B")
    operator.every_port_speaks()
    assert operator.status()["half_restored"] is False
    forget(operator)


def test_a_restore_needs_no_word_of_the_seeds_cure(operator: Operator, backup: str) -> None:
    """`rm -rf mysql/data/*` was its cure for a database that does not start; a restore is ours."""
    operator.host.run(f"docker stop {DB}; for f in {ROOT}/shared/mysql/data/ib*; do echo broken >$f; done")
    done = restore(operator, backup)
    assert done.code == 0, done.out
    assert "nobody can say what was written since" in done.out
    holds(operator, "A")
    operator.every_port_speaks()
