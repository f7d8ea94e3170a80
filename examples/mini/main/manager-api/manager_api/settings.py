# What the container's environment says; the names are those of upstream's Spring application.
from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX = "jdbc:"
MYSQL_PORT = 3306
REDIS_PORT = 6379


class SettingsError(Exception):
    """The environment does not let the API run."""


@dataclass(frozen=True)
class Database:
    host: str
    port: int
    name: str
    user: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class Redis:
    host: str
    port: int
    password: str = field(repr=False)


def jdbc_address(url: str) -> tuple[str, int, str]:
    """Host, port and database of `jdbc:mysql://host:port/name?options`; the options are for Java's driver alone.

    Raises SettingsError, without repeating the url: its options may hold a password.
    """
    parts = urlsplit(url.removeprefix(PREFIX))
    try:
        port = parts.port or MYSQL_PORT
    except ValueError as error:
        message = "SPRING_DATASOURCE_DRUID_URL names a port that is none"
        raise SettingsError(message) from error
    name = parts.path.removeprefix("/")
    if not url.startswith(PREFIX) or parts.scheme not in {"mysql", "mariadb"} or not parts.hostname or not name:
        message = "SPRING_DATASOURCE_DRUID_URL must look like jdbc:mysql://HOST:3306/DATABASE"
        raise SettingsError(message)
    return parts.hostname, port, name


def required(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name, "")
    if not value:
        message = f"{name} is not set"
        raise SettingsError(message)
    return value


def database_settings(environment: Mapping[str, str]) -> Database:
    host, port, name = jdbc_address(required(environment, "SPRING_DATASOURCE_DRUID_URL"))
    return Database(
        host=host,
        port=port,
        name=name,
        user=required(environment, "SPRING_DATASOURCE_DRUID_USERNAME"),
        password=required(environment, "SPRING_DATASOURCE_DRUID_PASSWORD"),
    )


def redis_settings(environment: Mapping[str, str]) -> Redis:
    port = environment.get("SPRING_DATA_REDIS_PORT") or str(REDIS_PORT)
    if not port.isdecimal():
        message = "SPRING_DATA_REDIS_PORT is not a number"
        raise SettingsError(message)
    return Redis(
        host=required(environment, "SPRING_DATA_REDIS_HOST"),
        port=int(port),
        password=environment.get("SPRING_DATA_REDIS_PASSWORD", ""),
    )
