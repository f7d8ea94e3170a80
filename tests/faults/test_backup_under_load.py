"""200 000 rows backed up while people write: the dump is one moment with the rows it says, and nobody gets an error."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.airgap.by_hand import DB, ROOT, WEB, Operator, Releases
from tests.airgap.hosts import host
from tests.airgap.outside import docker_client
from tests.engine import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.timeout(600)

ROWS = 200_000
MANY = """
CREATE DATABASE load_test;
USE load_test;
CREATE TABLE load_test.many (id INT PRIMARY KEY AUTO_INCREMENT, content CHAR(64), more CHAR(64));
INSERT INTO load_test.many (content, more) SELECT SHA2(seq, 256), SHA2(-seq, 256) FROM seq_1_to_{rows};
CREATE TABLE load_test.debit (id INT PRIMARY KEY AUTO_INCREMENT);
CREATE TABLE load_test.credit (id INT PRIMARY KEY AUTO_INCREMENT);
"""
# Each transaction writes to three tables: in one moment two of them have the same number of rows.
BOOKING = (
    "START TRANSACTION; INSERT INTO load_test.credit VALUES ();"
    " INSERT INTO load_test.many (content) VALUES ('new'); INSERT INTO load_test.debit VALUES (); COMMIT;"
)
BOOK = f"""
while [ -e /root/load ]; do echo "{BOOKING}"; done |
    docker exec -i {DB} sh -c 'MYSQL_PWD=$MYSQL_ROOT_PASSWORD exec mariadb -h 127.0.0.1 -u root'
"""
# In the web container, through its own port: rows, uploads and counts, four at a time, until the file goes.
VISIT = """
import json, pathlib, sys, threading, urllib.error, urllib.request
done, failed = [], []
def visit(who):
    number = 0
    while pathlib.Path("/uploadfile/.load").exists():
        number += 1
        body = json.dumps({"username": f"user {who} {number}"}).encode()
        for path in ("users", "count", f"upload/file-{who}-{number}"):
            try:
                url = f"http://127.0.0.1:8002/xiaozhi/{path}"
                urllib.request.urlopen(urllib.request.Request(url, body, method="POST"), timeout=30).read()
                done.append(path)
            except (OSError, urllib.error.URLError) as error:
                failed.append(f"{path}: {error}")
threads = [threading.Thread(target=visit, args=(who,)) for who in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(json.dumps({"done": len(done), "failed": failed[:5]}))
"""


@pytest.fixture(scope="module")
def operator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    with host("20.10") as standing:
        made = Operator(standing, Releases(tmp_path_factory.mktemp("load")))
        assert made.deploy("first").code == 0
        made.host.run(
            f"docker exec -i {DB} sh -c 'MYSQL_PWD=$MYSQL_ROOT_PASSWORD exec mariadb -h 127.0.0.1 -u root'",
            stdin=MANY.format(rows=ROWS).encode(),
        )
        yield made


def booked(operator: Operator) -> int:
    """Rows that the load has written by now."""
    count = "SELECT COUNT(*) FROM load_test.credit"
    return int(
        operator.host.run(
            f"docker exec {DB} sh -c 'MYSQL_PWD=$MYSQL_ROOT_PASSWORD mariadb -h 127.0.0.1 -u root -N -e \"{count}\"'"
        ).out
    )


def errors(operator: Operator) -> int:
    """What the web service itself counts as failed; nginx does so while the API behind it starts."""
    return operator.host.run(f"docker logs {WEB} 2>&1").out.count(" failed")


def test_the_rows_of_the_dump_are_those_of_one_moment_and_nobody_gets_an_error(operator: Operator) -> None:
    errors_before = errors(operator)
    operator.host.run(f"touch /root/load {ROOT}/shared/uploadfile/.load")
    inside = [docker_client(), "exec", "--interactive", operator.host.name]
    with (
        subprocess.Popen([*inside, "bash", "-c", BOOK]) as bookings,
        subprocess.Popen(
            [*inside, "docker", "exec", "-i", WEB, "python3", "-c", VISIT], stdout=subprocess.PIPE
        ) as visits,
    ):
        wait_until(lambda: booked(operator) > 100, seconds=60, what="the load to be on")
        before = booked(operator)
        done = operator.script("backup")
        after = booked(operator)
        operator.host.run(f"rm /root/load {ROOT}/shared/uploadfile/.load")
        said, _ = visits.communicate(timeout=60)
        assert bookings.wait(60) == 0, "a booking got an error"
    assert done.code == 0, done.out
    visited = json.loads(said)
    assert visited["failed"] == []
    assert visited["done"] > 50
    assert errors(operator) == errors_before

    manifest = json.loads(operator.host.run(f"cat {ROOT}/backups/{operator.state()['backup']}/manifest.json").out)
    rows = {table["table"]: table["rows"] for table in manifest["tables"]}
    assert rows["credit"] == rows["debit"] == rows["many"] - ROWS
    assert before <= rows["credit"] < after, "nothing was written meanwhile"


def test_what_was_made_under_load_has_these_rows_when_it_is_restored(operator: Operator) -> None:
    done = operator.script("drill")
    assert done.code == 0, done.out
    assert operator.status()["drill"]["backup"] == operator.state()["target"]
