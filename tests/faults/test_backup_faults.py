"""Backups that fail on a real host: each ends with 6 and a reason, leaves nothing that looks like one, lets none go.

The hand-written script ended with 0 when the database was down or the dump had failed, and removed old backups by a
pattern (failure 13).
"""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.airgap.backups import back_up, holds, write
from tests.airgap.by_hand import DB, REDIS, ROOT, Operator, Releases, containers
from tests.airgap.hosts import host
from tests.airgap.outside import docker_client

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.timeout(900)

APP = "xiaozhi_esp32_server"
# Keeps one: if a failing backup let any go, it would be seen.
ONE = ("--keep-last", "1", "--keep-daily", "0", "--keep-weekly", "0")
# So many rows that a dump takes seconds, of bytes that gzip makes little smaller.
MANY = """
CREATE TABLE many (id INT PRIMARY KEY, content CHAR(64), more CHAR(64));
INSERT INTO many SELECT seq, SHA2(seq, 256), SHA2(-seq, 256) FROM seq_1_to_200000;
"""
DUMPING = f"until [ -s {ROOT}/backups/.partial-*/database.sql.gz ]; do sleep 0.01; done 2>/dev/null"


@pytest.fixture(scope="module")
def operator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    with host("20.10") as standing:
        made = Operator(standing, Releases(tmp_path_factory.mktemp("failing")))
        assert made.deploy("first").code == 0
        write(made, "A")
        back_up(made)
        back_up(made)
        sql(made, MANY)
        yield made


def sql(operator: Operator, statements: str, *, password: str = "") -> str:
    """What the application's database answers, by default with the password that the host knows."""
    password = password or "$MYSQL_ROOT_PASSWORD"
    client = f"docker exec -i {DB} sh -c 'MYSQL_PWD={password} exec mariadb -h 127.0.0.1 -u root {APP}'"
    return operator.host.run(client, stdin=statements.encode()).out


def backups(operator: Operator) -> str:
    """Every file below backups/, with its hash."""
    return operator.host.run(
        f"cd {ROOT}/backups && find . -type f ! -path ./lost+found | sort | xargs sha256sum && ls -A"
    ).out


def fails(operator: Operator, reason: str) -> None:
    """A backup ends with 6 and that reason; the others are as they were, and the stack is as it was."""
    standing, serving = backups(operator), containers(operator.host)
    done = operator.script("backup", *ONE)
    assert (done.code, reason in done.out) == (6, True), done.out
    assert "There is no backup" in done.out
    assert backups(operator) == standing
    assert containers(operator.host) == serving


def meanwhile(operator: Operator, script: str) -> subprocess.Popen[bytes]:
    """Something on the host beside what follows."""
    return subprocess.Popen([docker_client(), "exec", operator.host.name, "bash", "-c", script])


@pytest.mark.parametrize(("name", "part"), [(DB, "database"), (REDIS, "redis")])
def test_a_service_that_is_stopped(operator: Operator, name: str, part: str) -> None:
    operator.host.run(f"docker stop {name}")
    try:
        fails(operator, f"{part} cannot be backed up: container {name} does not run")
    finally:
        assert operator.script("restart").code == 0


def test_a_password_that_somebody_changed(operator: Operator) -> None:
    change = "; ".join(f"ALTER USER root@'{place}' IDENTIFIED BY '%s'" for place in ("localhost", "%"))
    sql(operator, change.replace("%s", "changed"))
    try:
        fails(operator, "did not answer as it should")
    finally:
        password = operator.host.run(f"sed -n 's/^MYSQL_ROOT_PASSWORD=//p' {ROOT}/.env").out.strip()
        sql(operator, change.replace("%s", password), password="changed")


@pytest.mark.parametrize("victim", ["mariadb-dump", "mariadbd"])
def test_a_dump_that_is_killed_in_the_middle(operator: Operator, victim: str) -> None:
    standing = backups(operator)
    with meanwhile(operator, f"{DUMPING}; pkill -KILL -x {victim}") as killing:
        done = operator.script("backup", *ONE)
        assert killing.wait(60) == 0, "the dump was over before its moment"
    assert (done.code, "could not be read or written to its end" in done.out) == (6, True), done.out
    assert backups(operator) == standing
    assert operator.script("restart").code == 0


def test_a_disk_that_fills_up_while_the_dump_flows(operator: Operator) -> None:
    operator.host.run(f"mv {ROOT}/backups {ROOT}/elsewhere")
    operator.host.disk(f"{ROOT}/backups", size=1_000_000_000)
    operator.host.run(f"cp -a {ROOT}/elsewhere/. {ROOT}/backups/")
    free = f"$(df -P -B 1 {ROOT}/backups | awk 'NR == 2 {{ print $4 }}')"
    most = f"fallocate -l $(({free} - 20000000)) {ROOT}/backups/most"
    fill = f"{most} && ! dd if=/dev/zero of={ROOT}/backups/rest bs=64k 2>/dev/null"
    try:
        standing = backups(operator)
        with meanwhile(operator, f"{DUMPING}; {fill}") as filling:
            done = operator.script("backup", *ONE)
            assert filling.wait(60) == 0, "the dump was over before its moment"
        assert (done.code, "No space left on device" in done.out) == (6, True), done.out
        operator.host.run(f"rm {ROOT}/backups/most {ROOT}/backups/rest")
        assert backups(operator) == standing
    finally:
        operator.host.run(f"umount {ROOT}/backups; rmdir {ROOT}/backups; mv {ROOT}/elsewhere {ROOT}/backups")


def test_a_disk_without_the_room_is_found_before_anything_is_written(operator: Operator) -> None:
    operator.host.run(f"mv {ROOT}/backups {ROOT}/elsewhere")
    operator.host.disk(f"{ROOT}/backups", size=50_000_000)
    try:
        fails(operator, "Too little room for a backup")
    finally:
        operator.host.run(f"umount {ROOT}/backups; rmdir {ROOT}/backups; mv {ROOT}/elsewhere {ROOT}/backups")


def test_backups_that_are_mounted_read_only(operator: Operator) -> None:
    operator.host.run(f"mount --bind {ROOT}/backups {ROOT}/backups && mount -o remount,bind,ro {ROOT}/backups")
    try:
        fails(operator, "cannot be written: is its disk mounted read-only?")
    finally:
        operator.host.run(f"umount {ROOT}/backups")


HARMS = {
    "no snapshot": ("CREATE TABLE odd (id INT) ENGINE=MyISAM", "no snapshot holds for"),
    "broken view": (
        "CREATE TABLE odd (id INT); CREATE VIEW seen AS SELECT id FROM odd; DROP TABLE odd",
        "could not be read or written to its end",
    ),
    "migration": (
        "CREATE TABLE DATABASECHANGELOGLOCK (locked BIT, lockgranted DATETIME, lockedby CHAR(9)) SELECT 1 AS locked",
        "is being changed right now",
    ),
}


@pytest.mark.parametrize("harm", HARMS)
def test_tables_that_cannot_be_dumped_well(operator: Operator, harm: str) -> None:
    statements, reason = HARMS[harm]
    sql(operator, statements)
    try:
        fails(operator, reason)
    finally:
        sql(operator, "DROP VIEW IF EXISTS seen; DROP TABLE IF EXISTS odd, DATABASECHANGELOGLOCK")


def test_a_table_whose_file_is_broken(operator: Operator) -> None:
    sql(operator, "CREATE TABLE broken AS SELECT * FROM many LIMIT 5000")
    file = f"{ROOT}/shared/mysql/data/{APP}/broken.ibd"
    pages = "bs=16384 seek=8 count=20 conv=notrunc status=none"
    operator.host.run(f"docker stop {DB}; dd if=/dev/urandom of={file} {pages}")
    assert operator.script("restart").code == 0
    try:
        standing = backups(operator)
        done = operator.script("backup", *ONE)
        assert (done.code, "There is no backup" in done.out) == (6, True), done.out
        assert backups(operator) == standing
    finally:
        assert operator.script("restart").code == 0
        sql(operator, "DROP TABLE broken")


def test_without_a_backup_a_deploy_goes_no_further_unless_that_is_meant(operator: Operator) -> None:
    operator.host.run(f"docker stop {DB}")
    serving = containers(operator.host)
    done = operator.deploy("app")
    assert (done.code, "There is no backup of what is in service" in done.out) == (6, True), done.out
    assert operator.current() == operator.releases.id("first")
    assert containers(operator.host) == serving
    done = operator.deploy("app", "--no-backup")
    assert done.code == 0, done.out
    assert operator.current() == operator.releases.id("app")
    assert f"no-backup\t{operator.releases.id('first')}" in operator.host.run(f"cat {ROOT}/audit.log").out


def test_no_password_is_in_any_command_line_while_a_backup_runs(operator: Operator) -> None:
    """The hand-written scripts had it there, and it was 123456 (failure 9)."""
    password = operator.host.run(f"sed -n 's/^MYSQL_ROOT_PASSWORD=//p' {ROOT}/.env").out.strip()
    at_work = f"[ -d {ROOT}/backups/.partial-* ]"
    look = "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' '"
    watch = f"until {at_work}; do sleep 0.01; done 2>/dev/null; while {at_work}; do {look}; done >/root/seen"
    with meanwhile(operator, watch) as watching:
        done = operator.script("backup")
        assert watching.wait(60) == 0
    assert done.code == 0, done.out
    seen = operator.host.run("cat /root/seen").out
    assert "mariadb-dump --no-defaults" in seen
    assert "redis-cli" in seen
    assert len(password) == 32
    assert password not in seen


def test_after_all_that_a_backup_is_made_restored_and_the_older_ones_go(operator: Operator) -> None:
    done = operator.script("backup", "--drill", *ONE)
    assert done.code == 0, done.out
    assert "was restored for a test" in done.out
    name = operator.state()["backup"]
    assert operator.status()["backup"]["last"] == operator.status()["drill"]["backup"] == name
    # the newest of the release before stays, too
    first = operator.releases.id("first")
    former = operator.host.run(f"cd {ROOT}/backups && grep -l release.{first} */manifest.tsv").out.split()
    kept = [*(path.removesuffix("/manifest.tsv") for path in former), name]
    assert (operator.host.run(f"ls -A {ROOT}/backups").out.split(), len(former)) == (kept, 1)
    holds(operator, "A")
