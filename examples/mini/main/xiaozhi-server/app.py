# The server: a WebSocket for devices on one port, HTTP for health and OTA on another.
from __future__ import annotations

import asyncio
import logging
import signal
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from aiohttp import web
from config.config_loader import ConfigError, load_config, manager_api, merge, read_yaml
from config.manage_api_client import wait_for_server_config
from core.dialogue import Dialogue
from core.health import Health
from core.http_server import http_application
from core.models import ModelError, load_weights, read_models
from core.websocket_server import websocket_application
from plugins_func.loadplugins import auto_import_modules
from plugins_func.register import all_function_registry

ROOT = Path(__file__).resolve().parent
logger = logging.getLogger("mini")


async def settle_config() -> dict[str, Any]:
    """The file's configuration; in all-module mode, manager-api's answer on top of it."""
    config = load_config(ROOT)
    api = manager_api(config)
    if api is None:
        return config
    return merge(config, await wait_for_server_config(api, seconds=float(config["manager-api-wait"])))


def make_dialogue(config: dict[str, Any]) -> Dialogue:
    """Loads the plugins and the modules that the configuration selects."""
    auto_import_modules("plugins_func.functions")
    names = config["selected_module"]
    memory = import_module(f"core.providers.memory.{names['Memory']}.{names['Memory']}")
    intent = import_module(f"core.providers.intent.{names['Intent']}.{names['Intent']}")
    return Dialogue(
        root=ROOT,
        memory=memory.MemoryProvider(ROOT / "data", **config["Memory"][names["Memory"]]),
        intent=intent.IntentProvider(load_weights(ROOT / "models" / "SenseVoiceSmall")),
        functions=all_function_registry,
        wakeup=read_yaml(ROOT / "data" / ".wakeup_words.yaml"),
    )


async def listen(application: web.Application, host: str, port: int) -> web.AppRunner:
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=2)
    await runner.setup()
    await web.TCPSite(runner, host, port).start()
    return runner


async def serve() -> None:
    config = await settle_config()
    models = read_models(ROOT, config["models"])
    dialogue = make_dialogue(config)
    health = Health(ROOT, models=models, api=manager_api(config))
    server = config["server"]
    runners = [
        await listen(websocket_application(dialogue), server["ip"], server["port"]),
        await listen(http_application(config, health), server["ip"], server["http_port"]),
    ]
    logger.info("serving %d functions, WebSocket on %s, HTTP on %s", *served(config))
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()
    for runner in runners:
        await runner.cleanup()


def served(config: dict[str, Any]) -> tuple[int, int, int]:
    return len(all_function_registry), config["server"]["port"], config["server"]["http_port"]


def main() -> int:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stdout)
    try:
        asyncio.run(serve())
    except (ConfigError, ModelError) as error:
        logger.error("not started: %s", error)  # noqa: TRY400 - the message is for people, a traceback is not
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
