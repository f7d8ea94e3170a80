"""Real MySQL, as Debian has it in sid: a backup, everything wiped, and it is all back, routines and odd bytes, too."""

from __future__ import annotations

import hashlib
import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from offline.config.schema import Bootstrap, Mirrors
from offline.images import bootstrap
from offline.run import follow, writing_to
from tests.airgap.by_hand import ROOT, Operator, Releases
from tests.airgap.hosts import host
from tests.airgap.images import ARCHITECTURE
from tests.airgap.outside import NAME, docker, docker_client
from tests.airgap.ssh_deploys import release

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.timeout(900)

# What the official image does at its start, as far as this needs it.
SERVE = r"""#!/bin/sh
set -eu
data=/var/lib/mysql
if [ ! -d $data/mysql ]; then
    mysqld --initialize-insecure --user=mysql --datadir=$data
    printf "%s\n" "ALTER USER root@localhost IDENTIFIED BY '$MYSQL_ROOT_PASSWORD';" \
        "CREATE USER root@'%' IDENTIFIED BY '$MYSQL_ROOT_PASSWORD';" \
        "GRANT ALL ON *.* TO root@'%' WITH GRANT OPTION;" "CREATE DATABASE IF NOT EXISTS shop;" >/tmp/first.sql
    set -- --init-file=/tmp/first.sql
fi
exec mysqld --user=mysql --datadir=$data --socket=/tmp/mysqld.sock --mysqlx=OFF --secure-file-priv=NULL \
    --event-scheduler=ON "$@"
"""
SPEC = Bootstrap(
    suite="sid",
    packages=("mysql-server-core", "mysql-client-core", "tzdata"),
    commands=(
        "groupadd --system --gid 999 mysql; useradd --system --uid 999 --gid mysql --no-create-home mysql",
        "install -d -o mysql -g mysql /var/lib/mysql",
        f"cat >/usr/local/bin/serve <<'EOF'\n{SERVE}EOF\nchmod 0755 /usr/local/bin/serve",
    ),
)
RELEASE = """
schema: 1
stack: mini
bundle: mini-mysql
source: .
network: {{subnet: 172.30.79.0/24}}
host: {{root: /opt/mini, memory: 1g, cpus: 1}}
images:
  db: {{prebuilt: "{image}"}}
services:
  db:
    image: db
    command: [/usr/local/bin/serve]
    ports: ["9306:3306"]
    environment: {{MYSQL_ROOT_PASSWORD: "${{MYSQL_ROOT_PASSWORD:?}}"}}
    healthcheck:
      test: [CMD-SHELL, 'MYSQL_PWD="$MYSQL_ROOT_PASSWORD" mysqladmin --protocol=tcp -h 127.0.0.1 -u root ping']
      interval: 2
      retries: 60
    stop_grace: 60
    memory: 1g
    probes:
      - {{port: 9306, type: greeting, contains: "{series}"}}
payload:
  - {{bundle: mysql/data, service: db, target: /var/lib/mysql, owner: host, user: "999:999", mode: "0700"}}
data:
  database: {{service: db, family: mysql, series: "{series}", folder: mysql/data, version: [mysqld, --version]}}
secrets: [MYSQL_ROOT_PASSWORD]
"""
FIRST = """
CREATE TABLE users (id INT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(100) NOT NULL, face BLOB, born DATETIME(6),
    twice INT GENERATED ALWAYS AS (CHAR_LENGTH(name) * 2) STORED, more JSON) DEFAULT CHARSET utf8mb4;
CREATE TABLE `odd``name 表` (a BIGINT UNSIGNED, b DOUBLE, c BIT(9), d ENUM('x', 'y'), PRIMARY KEY (a));
CREATE TABLE seen (id INT, what VARCHAR(9));
CREATE VIEW grown AS SELECT name FROM users WHERE id > 1;
DELIMITER ;;
CREATE TRIGGER counted AFTER INSERT ON users FOR EACH ROW BEGIN INSERT INTO seen VALUES (NEW.id, 'new'); END;;
CREATE PROCEDURE twice(IN n INT) BEGIN SELECT n * 2; -- ends; here
END;;
CREATE EVENT later ON SCHEDULE EVERY 1 YEAR DO DELETE FROM seen WHERE id < 0;;
DELIMITER ;
INSERT INTO users (name, face, born, more) VALUES
    ('A', X'000A0D275C22FF', '2026-01-02 03:04:05.678901', '{"k": [1, "二"]}'),
    ('李雷 🙂', NULL, NULL, NULL), ('it''s; a\\nline\\n-- Dump completed', '', '1000-01-01', 'null');
INSERT INTO `odd``name 表` VALUES (18446744073709551615, -1.5e300, b'101010101', 'y'), (0, 0.1, b'0', NULL);
"""
EVERYTHING = """
SELECT id, name, HEX(face), born, twice, more FROM users ORDER BY id; SELECT *, BIN(c) FROM `odd``name 表` ORDER BY a;
SELECT * FROM seen ORDER BY id; SELECT * FROM grown; CALL twice(21);
SELECT trigger_name, action_statement FROM information_schema.triggers WHERE trigger_schema = 'shop';
SELECT event_name, event_definition FROM information_schema.events WHERE event_schema = 'shop';
"""


@pytest.fixture(scope="module")
def image() -> str:
    """MySQL on sid in this machine's engine; made once."""
    tag = f"{NAME}/mysql:{hashlib.sha256(SPEC.model_dump_json().encode()).hexdigest()[:12]}"
    if docker("image", "inspect", tag, check=False).code:
        with tempfile.TemporaryDirectory(prefix=f"{NAME}-") as folder:
            root = Path(folder) / "root.tar"
            program, *words = bootstrap.argv(SPEC, Mirrors(), root, architecture=ARCHITECTURE)
            argv = (program, '--aptopt=Acquire::Check-Valid-Until "false"', "--dpkgopt=force-unsafe-io", *words)
            follow(argv, lambda _line: None, env={"LC_ALL": "C.UTF-8", "TMPDIR": folder}, timeout=900)
            with writing_to([docker_client(), "load", "--quiet"]) as sink:
                bootstrap.write_archive(root, sink, tag=tag, platform=f"linux/{ARCHITECTURE}", history="mysql")
    return tag


@pytest.fixture(scope="module")
def operator(image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    folder = tmp_path_factory.mktemp("mysql")
    version = docker("run", "--rm", image, "mysqld", "--version").out
    series = ".".join(version.partition("Ver ")[2].split(".")[:2])
    (folder / "source").mkdir()
    (folder / "source" / "release.yml").write_text(RELEASE.format(image=image, series=series))
    bundle = release(folder / "source", folder / "dist")
    with host("20.10") as standing:
        made = Operator(standing, Releases(folder, {"first": bundle}))
        done = made.deploy("first")
        assert done.code == 0, done.out
        sql(made, FIRST)
        yield made


def sql(operator: Operator, statements: str) -> str:
    """What MySQL answers."""
    client = "docker exec -i db sh -c 'MYSQL_PWD=$MYSQL_ROOT_PASSWORD exec mysql -h 127.0.0.1 -u root"
    return operator.host.run(f"{client} --default-character-set=utf8mb4 shop'", stdin=statements.encode()).out


def test_everything_wiped_a_is_there_and_b_is_not(operator: Operator) -> None:
    before = sql(operator, EVERYTHING)
    done = operator.script("backup", "--drill")
    assert done.code == 0, done.out
    backup = operator.state()["backup"]
    manifest = json.loads(operator.host.run(f"cat {ROOT}/backups/{backup}/manifest.json").out)
    assert {table["table"]: table["rows"] for table in manifest["tables"]} == {"users": 3, "odd`name 表": 2, "seen": 3}
    assert [family["family"] for family in manifest["families"]] == ["mysql"]
    sql(operator, "INSERT INTO users (name) VALUES ('B'); DROP TABLE seen; DROP PROCEDURE twice")
    operator.host.run(f"docker rm --force db && mv {ROOT}/shared /root/wiped")
    done = operator.script("restore", backup, "--yes")
    assert done.code == 0, done.out
    assert sql(operator, EVERYTHING) == before
    assert operator.status()["healthy"] is True
