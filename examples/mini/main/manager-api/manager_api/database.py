# Users and parameters in the database. One connection a question: nothing to mend after the database was away.
from __future__ import annotations

import contextlib
import time
import uuid
from typing import TYPE_CHECKING, Any

import pymysql

if TYPE_CHECKING:
    from collections.abc import Iterator

    from manager_api.settings import Database

DatabaseError = pymysql.err.MySQLError
SECRET = "server.secret"  # noqa: S105 - the name of the parameter, not its value
UNSET = "null"  # upstream's tables hold this word until the application has made the value
WAIT_SECONDS = 120
PAUSE = 1.0
TABLES = (
    """CREATE TABLE IF NOT EXISTS sys_params (
        id BIGINT NOT NULL PRIMARY KEY,
        param_code VARCHAR(32) UNIQUE,
        param_value VARCHAR(2000)
    ) DEFAULT CHARSET = utf8mb4""",
    """CREATE TABLE IF NOT EXISTS sys_user (
        id BIGINT NOT NULL PRIMARY KEY AUTO_INCREMENT,
        username VARCHAR(50) NOT NULL UNIQUE
    ) DEFAULT CHARSET = utf8mb4""",
)


@contextlib.contextmanager
def cursor(settings: Database) -> Iterator[Any]:
    connection = pymysql.connect(
        host=settings.host,
        port=settings.port,
        user=settings.user,
        password=settings.password,
        database=settings.name,
        charset="utf8mb4",
        autocommit=True,
        connect_timeout=3,
        read_timeout=10,
        write_timeout=10,
    )
    with connection, connection.cursor() as opened:
        yield opened


def ping(settings: Database) -> None:
    with cursor(settings) as opened:
        opened.execute("SELECT COUNT(*) FROM sys_params")


def wait_and_prepare(settings: Database, *, seconds: float = WAIT_SECONDS) -> None:
    """Waits until the database lets us in, then makes tables and secret. Raises DatabaseError when time is up."""
    end = time.monotonic() + seconds
    while True:
        try:
            return prepare(settings)
        except DatabaseError:
            if time.monotonic() >= end:
                raise
        time.sleep(PAUSE)


def prepare(settings: Database) -> None:
    """Makes what a fresh database lacks; on any other it changes nothing."""
    with cursor(settings) as opened:
        for table in TABLES:
            opened.execute(table)
        opened.execute("INSERT IGNORE INTO sys_params VALUES (102, %s, %s)", (SECRET, UNSET))
        opened.execute(
            "UPDATE sys_params SET param_value = %s WHERE param_code = %s AND param_value = %s",
            (str(uuid.uuid4()), SECRET, UNSET),
        )


def secret(settings: Database) -> str:
    with cursor(settings) as opened:
        opened.execute("SELECT param_value FROM sys_params WHERE param_code = %s", (SECRET,))
        row = opened.fetchone()
    return str(row[0]) if row else ""


def users(settings: Database) -> list[dict[str, Any]]:
    with cursor(settings) as opened:
        opened.execute("SELECT id, username FROM sys_user ORDER BY id")
        return [{"id": number, "username": name} for number, name in opened.fetchall()]


def add_user(settings: Database, name: str) -> int | None:
    """The new user's number; None where the name is taken."""
    try:
        with cursor(settings) as opened:
            opened.execute("INSERT INTO sys_user (username) VALUES (%s)", (name,))
            return int(opened.lastrowid)
    except pymysql.err.IntegrityError:
        return None
