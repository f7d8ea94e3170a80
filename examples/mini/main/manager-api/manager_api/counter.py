# One number in redis.
from __future__ import annotations

from typing import TYPE_CHECKING

import redis

if TYPE_CHECKING:
    from manager_api.settings import Redis

CounterError = redis.RedisError
KEY = "mini:count"


def client(settings: Redis) -> redis.Redis:
    return redis.Redis(
        host=settings.host,
        port=settings.port,
        password=settings.password or None,
        socket_connect_timeout=3,
        socket_timeout=5,
    )


def ping(settings: Redis) -> None:
    with client(settings) as opened:
        opened.ping()


def count(settings: Redis) -> int:
    with client(settings) as opened:
        return int(opened.get(KEY) or 0)


def increment(settings: Redis) -> int:
    with client(settings) as opened:
        return int(opened.incr(KEY))
