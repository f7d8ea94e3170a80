"""Somebody who speaks for an engine: who falls silent in the middle of an answer, or is reached another way."""

from __future__ import annotations

import math
import threading
from contextlib import contextmanager, suppress
from socket import AF_UNIX, SHUT_WR, socket
from socketserver import BaseRequestHandler, ThreadingTCPServer, ThreadingUnixStreamServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.engine import Engine


@contextmanager
def silent_after(engine: Engine, count: int, path: Path) -> Iterator[str]:
    """Speak for the engine on a socket of its own, `count` bytes of each answer; gives the DOCKER_HOST.

    The moment to interrupt whoever listens lasts.
    """
    over = threading.Event()
    with ThreadingUnixStreamServer(str(path), _between(engine, count, over)) as server:
        try:
            with _serving(server):
                yield f"unix://{path}"
        finally:
            over.set()


@contextmanager
def over_tcp(engine: Engine) -> Iterator[str]:
    """Speak for the engine on a port of the loopback; gives the DOCKER_HOST."""
    with (
        ThreadingTCPServer(("127.0.0.1", 0), _between(engine, math.inf, threading.Event())) as server,
        _serving(server),
    ):
        yield f"tcp://127.0.0.1:{server.server_address[1]}"


@contextmanager
def _serving(server: ThreadingTCPServer | ThreadingUnixStreamServer) -> Iterator[None]:
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()


def _between(engine: Engine, count: float, over: threading.Event) -> type[BaseRequestHandler]:
    """Who passes on what the engine says; after `count` bytes of an answer not before it is `over`."""

    class Between(BaseRequestHandler):
        def handle(self) -> None:
            with socket(AF_UNIX) as behind:
                behind.connect(engine.host.removeprefix("unix://"))
                threading.Thread(target=_pass_on, args=(self.request, behind), daemon=True).start()
                passed = 0
                with suppress(OSError):  # the listener has gone, as it should
                    while data := behind.recv(1 << 16):
                        passed += len(data)
                        if passed > count:
                            over.wait()
                        self.request.sendall(data)

    return Between


def _pass_on(asked: socket, behind: socket) -> None:
    with suppress(OSError):
        while data := asked.recv(1 << 16):
            behind.sendall(data)
        behind.shutdown(SHUT_WR)
