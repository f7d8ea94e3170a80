# Health in both modes; OTA in single mode only: with all modules the web service answers devices.
from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from aiohttp import web

if TYPE_CHECKING:
    from core.health import Health

MINUTES = 60


def websocket_url(server: dict[str, Any], asked_host: str) -> str:
    """The address for devices: the configured one, or this server under the name it was asked by."""
    return str(server.get("websocket") or f"ws://{asked_host}:{server['port']}/xiaozhi/v1/")


def ota_answer(server: dict[str, Any], *, url: str, version: str) -> dict[str, Any]:
    return {
        "server_time": {"timestamp": int(time.time() * 1000), "timezone_offset": server["timezone_offset"] * MINUTES},
        "firmware": {"version": version, "url": ""},
        "websocket": {"url": url, "token": ""},
    }


async def reported_version(request: web.Request) -> str:
    """The firmware version in a device's report, which may be empty or no JSON at all."""
    try:
        body = await request.json()
    except ValueError:
        return "0.0.0"
    application = body.get("application") if isinstance(body, dict) else None
    return str(application.get("version", "0.0.0")) if isinstance(application, dict) else "0.0.0"


def http_application(config: dict[str, Any], health: Health) -> web.Application:
    server = config["server"]

    async def get_health(_: web.Request) -> web.Response:
        report = await health.report()
        return web.json_response(report, status=200 if report["ok"] else 503)

    async def get_ota(request: web.Request) -> web.Response:
        return web.Response(text=f"OTA is up; devices connect to {websocket_url(server, request.url.host or '')}\n")

    async def post_ota(request: web.Request) -> web.Response:
        if not request.headers.get("device-id") or not request.headers.get("client-id"):
            return web.json_response({"success": False, "message": "device-id and client-id are needed"})
        url = websocket_url(server, request.url.host or "")
        return web.json_response(ota_answer(server, url=url, version=await reported_version(request)))

    application = web.Application()
    application.add_routes([web.get("/health", get_health)])
    if health.api is None:
        application.add_routes([web.get("/xiaozhi/ota/", get_ota), web.post("/xiaozhi/ota/", post_ota)])
    return application
