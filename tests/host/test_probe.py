"""probe.sh against real sockets: only what answers with the right bytes is well."""

from __future__ import annotations

import subprocess
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer
from typing import TYPE_CHECKING

import pytest
from websockets.sync.server import ServerConnection, serve

if TYPE_CHECKING:
    from collections.abc import Iterator

PROBE = Path(__file__).parents[2] / "scripts" / "host" / "lib" / "probe.sh"


@contextmanager
def answering(answer: bytes, *, hears: bool = True) -> Iterator[int]:
    """A server that says this to everybody and hangs up; gives its port."""

    class Handler(BaseRequestHandler):
        def handle(self) -> None:
            if hears:
                self.request.recv(4096)
            self.request.sendall(answer)

    with ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}).start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()


def probe(kind: str, port: int, *, path: str = "/", status: int = 200, contains: str = "") -> str:
    """Why it is not well; empty when it is."""
    argv = ["bash", str(PROBE), kind, str(port), path, str(status), contains]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=20)
    assert done.stderr == ""
    assert done.returncode == bool(done.stdout)
    return done.stdout.strip()


def response(status: int, body: str) -> bytes:
    return f"HTTP/1.1 {status} Any\r\nContent-Type: text/plain\r\n\r\n{body}".encode()


def test_an_answer_with_the_status_is_enough() -> None:
    with answering(response(200, "")) as port:
        assert probe("http", port) == ""
    with answering(response(401, "")) as port:
        assert probe("http", port, status=401) == ""


def test_another_status_is_named() -> None:
    with answering(response(503, "")) as port:
        assert probe("http", port, path="/health") == f"port {port} /health: status 503, not 200"


@pytest.mark.parametrize(("body", "well"), [("x 版本 1.2 y", True), ("\0\0版本 1.2", True), ("版本 1.3", False)])
def test_the_text_must_be_in_the_body(body: str, well: bool) -> None:  # noqa: FBT001 - a table's column
    with answering(response(200, body)) as port:
        assert (probe("http", port, contains="版本 1.2") == "") is well


def test_text_in_a_header_does_not_count() -> None:
    with answering(b"HTTP/1.0 200 OK\r\nX: needle\r\n\r\nbody") as port:
        assert "does not contain" in probe("http", port, contains="needle")


def test_nobody_listening_is_said_at_once() -> None:
    with answering(b"") as port:
        pass
    started = time.monotonic()
    assert probe("http", port) == f"port {port}: nobody listens"
    assert time.monotonic() - started < 3


@pytest.mark.parametrize("kind", ["http", "websocket", "greeting"])
def test_a_proxy_that_accepts_for_nobody_is_not_well(kind: str) -> None:
    with answering(b"", hears=kind != "greeting") as port:
        assert probe(kind, port) != ""


def test_a_server_that_never_answers_is_given_up() -> None:
    with answering(b"", hears=True) as port:
        assert probe("http", port) == f"port {port}: no HTTP answer"


def listen(opened: ServerConnection) -> None:
    opened.recv()


def test_a_websocket_server_shakes_hands() -> None:
    with serve(listen, "127.0.0.1", 0) as server:
        threading.Thread(target=server.serve_forever).start()
        assert probe("websocket", server.socket.getsockname()[1], path="/xiaozhi/v1/") == ""
        server.shutdown()


def test_a_101_that_did_not_understand_the_key_is_no_websocket() -> None:
    with answering(b"HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: AAAA\r\n\r\n") as port:
        assert probe("websocket", port).endswith("not a WebSocket handshake")
    with answering(response(200, "a page")) as port:
        assert probe("websocket", port).endswith("status 200, not 101")


def test_a_greeting_is_what_the_server_says_first() -> None:
    with answering(b"220 mail ready", hears=False) as port:
        assert probe("greeting", port) == ""
        assert probe("greeting", port, contains="mail") == ""
        assert probe("greeting", port, contains="news").endswith("no greeting with: news")
