# The HTTP side: paths to functions, functions to JSON. nginx stands before it and passes /xiaozhi/ on.
from __future__ import annotations

import hmac
import json
import logging
import time
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from manager_api import counter, database, uploads

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from manager_api.settings import Database, Redis

logger = logging.getLogger("manager-api")
OK = "ok"
NAME_LENGTH = 50
MODULES = {"Memory": "mem_local_short", "Intent": "intent_llm"}


@dataclass(frozen=True)
class Services:
    database: Database
    redis: Redis
    uploads: Path


class RefusedError(Exception):
    """A request that gets a status and a message instead of what it asked for."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Question:
    services: Services
    authorization: str
    host: str
    name: str  # what follows the path's fixed part, decoded
    body: bytes


Reply = tuple[HTTPStatus, "dict[str, Any] | bytes"]


def health(question: Question) -> Reply:
    services = question.services
    needs = {
        "database": state(lambda: database.ping(services.database)),
        "redis": state(lambda: counter.ping(services.redis)),
        "uploadfile": OK if uploads.writable(services.uploads) else "cannot be written",
    }
    fine = all(value == OK for value in needs.values())
    return HTTPStatus.OK if fine else HTTPStatus.SERVICE_UNAVAILABLE, {"ok": fine, "needs": needs}


def state(ask: Callable[[], None]) -> str:
    try:
        ask()
    except (database.DatabaseError, counter.CounterError) as error:
        return type(error).__name__
    return OK


def list_users(question: Question) -> Reply:
    return HTTPStatus.OK, {"users": database.users(question.services.database)}


def add_user(question: Question) -> Reply:
    try:
        name = json.loads(question.body)["username"]
    except (ValueError, KeyError, TypeError):
        name = None
    if not isinstance(name, str) or not name.strip() or len(name) > NAME_LENGTH:
        raise RefusedError(HTTPStatus.BAD_REQUEST, f'expected {{"username": "1 to {NAME_LENGTH} letters"}}')
    number = database.add_user(question.services.database, name)
    if number is None:
        raise RefusedError(HTTPStatus.CONFLICT, "that name is taken")
    return HTTPStatus.CREATED, {"id": number, "username": name}


def read_count(question: Question) -> Reply:
    return HTTPStatus.OK, {"count": counter.count(question.services.redis)}


def add_count(question: Question) -> Reply:
    return HTTPStatus.OK, {"count": counter.increment(question.services.redis)}


def safe_name(question: Question) -> str:
    if not uploads.is_safe(question.name):
        raise RefusedError(HTTPStatus.BAD_REQUEST, "a name of letters, digits, dot, dash, space and underscore")
    return question.name


def store_upload(question: Question) -> Reply:
    name = safe_name(question)
    uploads.store(question.services.uploads, name, question.body)
    return HTTPStatus.CREATED, {"name": name, "bytes": len(question.body)}


def read_upload(question: Question) -> Reply:
    file = question.services.uploads / safe_name(question)
    if not file.is_file():
        raise RefusedError(HTTPStatus.NOT_FOUND, "no such upload")
    return HTTPStatus.OK, file.read_bytes()


def server_config(question: Question) -> Reply:
    """What upstream's server asks for at its start; the envelope with a code is upstream's too."""
    expected = f"Bearer {database.secret(question.services.database)}"
    if not hmac.compare_digest(expected.encode(), question.authorization.encode()):
        raise RefusedError(HTTPStatus.UNAUTHORIZED, "the secret is not server.secret")
    return HTTPStatus.OK, {"code": 0, "msg": "success", "data": {"selected_module": MODULES}}


def ota(question: Question) -> Reply:
    host = question.host.partition(":")[0]
    return HTTPStatus.OK, {
        "server_time": {"timestamp": int(time.time() * 1000), "timezone_offset": 8 * 60},
        "firmware": {"version": "0.0.0", "url": ""},
        "websocket": {"url": f"ws://{host}:8000/xiaozhi/v1/", "token": ""},
    }


UPLOAD = "/xiaozhi/upload/"
ROUTES: dict[tuple[str, str], Callable[[Question], Reply]] = {
    ("GET", "/xiaozhi/health"): health,
    ("GET", "/xiaozhi/users"): list_users,
    ("POST", "/xiaozhi/users"): add_user,
    ("GET", "/xiaozhi/count"): read_count,
    ("POST", "/xiaozhi/count"): add_count,
    ("GET", UPLOAD): read_upload,
    ("POST", UPLOAD): store_upload,
    ("GET", "/xiaozhi/server/config"): server_config,
    ("GET", "/xiaozhi/ota/"): ota,
    ("POST", "/xiaozhi/ota/"): ota,
}


def split_target(target: str) -> tuple[str, str]:
    """A request's target as route and name; only uploads have a name."""
    path = urlsplit(target).path
    if path.startswith(UPLOAD):
        return UPLOAD, unquote(path.removeprefix(UPLOAD))
    return path, ""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60
    services: Services

    def do_GET(self) -> None:
        self.reply()

    def do_POST(self) -> None:
        self.reply()

    def reply(self) -> None:
        try:
            status, content = self.answer()
        except RefusedError as error:
            status, content = error.status, {"message": str(error)}
        except (database.DatabaseError, counter.CounterError, OSError) as error:
            logger.exception("%s %s failed", self.command, self.path)
            status, content = HTTPStatus.SERVICE_UNAVAILABLE, {"message": type(error).__name__}
        self.send(status, content)

    def answer(self) -> Reply:
        body = self.read_body()
        route, name = split_target(self.path)
        function = ROUTES.get((self.command, route))
        if function is None:
            raise RefusedError(HTTPStatus.NOT_FOUND, "no such path")
        authorization = self.headers.get("Authorization", "")
        host = self.headers.get("Host", "")
        return function(Question(services=self.services, authorization=authorization, host=host, name=name, body=body))

    def read_body(self) -> bytes:
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal() or int(length) > uploads.LIMIT:
            self.close_connection = True  # the body is still on its way and nobody will read it
            raise RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"at most {uploads.LIMIT} bytes")
        return self.rfile.read(int(length))

    def send(self, status: HTTPStatus, content: dict[str, Any] | bytes) -> None:
        raw = isinstance(content, bytes)
        body = content if isinstance(content, bytes) else json.dumps(content, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/octet-stream" if raw else "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the method we override
        logger.debug(format, *args)


def serve(services: Services, *, host: str, port: int) -> None:
    handler = type("BoundHandler", (Handler,), {"services": services})
    with ThreadingHTTPServer((host, port), handler) as server:
        logger.info("listening on %s:%d", host, port)
        server.serve_forever()
