# Devices on /xiaozhi/v1/: JSON messages in, JSON messages out.
from __future__ import annotations

import json
import logging
import uuid
from typing import TYPE_CHECKING, Any

from aiohttp import WSMsgType, web

if TYPE_CHECKING:
    from core.dialogue import Dialogue

logger = logging.getLogger("mini")


def respond(dialogue: Dialogue, device: str, session: str, raw: str) -> dict[str, Any]:
    """The answer to one message; a message that is no use gets an answer of type error."""
    try:
        message = json.loads(raw)
    except ValueError:
        return {"type": "error", "message": "not JSON"}
    match message:
        case {"type": "hello"}:
            return {"type": "hello", "version": 1, "transport": "websocket", "session_id": session}
        case {"type": "listen", "text": str(text)} if text.strip():
            answer = dialogue.answer(device, text)
            return {
                "type": "tts",
                "state": "sentence_start",
                "text": answer.text,
                "function": answer.function,
                "remembered": answer.remembered,
                "session_id": session,
            }
    return {"type": "error", "message": "expected type hello, or type listen with a text"}


def websocket_application(dialogue: Dialogue) -> web.Application:
    async def running(_: web.Request) -> web.Response:
        return web.Response(text="Server is running\n")

    async def device(request: web.Request) -> web.StreamResponse:
        if request.headers.get("Upgrade", "").lower() != "websocket":
            return await running(request)
        name = request.headers.get("device-id") or request.query.get("device-id", "")
        socket = web.WebSocketResponse(heartbeat=30)
        await socket.prepare(request)
        if not name:
            await socket.send_json({"type": "error", "message": "no device-id in header or query"})
        else:
            await converse(dialogue, socket, name)
        await socket.close()
        return socket

    application = web.Application()
    application.add_routes([web.get("/xiaozhi/v1/", device), web.get("/", running)])
    return application


async def converse(dialogue: Dialogue, socket: web.WebSocketResponse, device: str) -> None:
    session = str(uuid.uuid4())
    async for message in socket:
        if message.type is WSMsgType.TEXT:
            reply = respond(dialogue, device, session, message.data)
            await socket.send_str(json.dumps(reply, ensure_ascii=False))
        elif message.type is WSMsgType.ERROR:
            logger.warning("%s: connection lost: %s", device, socket.exception())
