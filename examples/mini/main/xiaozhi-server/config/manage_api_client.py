# Asks manager-api for the server's configuration, with the secret as bearer token.
from __future__ import annotations

import asyncio
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import aiohttp
from config.config_loader import ConfigError

if TYPE_CHECKING:
    from config.config_loader import ManagerApi

PAUSE = 1.0


class UnreachableError(Exception):
    """manager-api does not answer, or not yet."""


async def server_config(api: ManagerApi, *, seconds: float = 5) -> dict[str, Any]:
    """One question. Raises UnreachableError, and ConfigError where the secret is refused."""
    timeout = aiohttp.ClientTimeout(total=seconds)
    headers = {"Authorization": f"Bearer {api.secret}"}
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout, headers=headers) as session,
            session.get(f"{api.url}/server/config") as response,
        ):
            if response.status == HTTPStatus.UNAUTHORIZED:
                message = f"{api.url} refuses manager-api.secret; it must equal server.secret in table sys_params"
                raise ConfigError(message)
            response.raise_for_status()
            answer = await response.json()
    except (aiohttp.ClientError, TimeoutError, asyncio.TimeoutError, ValueError) as error:
        message = f"{api.url} does not answer: {str(error) or type(error).__name__}"
        raise UnreachableError(message) from error
    data = answer.get("data") if isinstance(answer, dict) and answer.get("code") == 0 else None
    if not isinstance(data, dict):
        message = f"{api.url} answers with something else than a configuration"
        raise UnreachableError(message)
    return data


async def wait_for_server_config(api: ManagerApi, *, seconds: float) -> dict[str, Any]:
    """Asks again until there is an answer. Raises ConfigError when time is up or the secret is refused."""
    end = time.monotonic() + seconds
    while True:
        try:
            return await server_config(api)
        except UnreachableError as error:
            if time.monotonic() >= end:
                message = f"{error}; waited {seconds:.0f} s"
                raise ConfigError(message) from error
        await asyncio.sleep(PAUSE)
