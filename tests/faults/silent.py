"""An engine that falls silent in the middle of an answer: the moment to interrupt whoever listens lasts."""

from __future__ import annotations

import threading
from contextlib import contextmanager, suppress
from socket import AF_UNIX, SHUT_WR, socket
from socketserver import BaseRequestHandler, ThreadingUnixStreamServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.engine import Engine


@contextmanager
def silent_after(engine: Engine, count: int, path: Path) -> Iterator[str]:
    """Speak for the engine on a socket of its own, `count` bytes of each answer; gives the DOCKER_HOST."""
    over = threading.Event()

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

    with ThreadingUnixStreamServer(str(path), Between) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        try:
            yield f"unix://{path}"
        finally:
            over.set()
            server.shutdown()


def _pass_on(asked: socket, behind: socket) -> None:
    with suppress(OSError):
        while data := asked.recv(1 << 16):
            behind.sendall(data)
        behind.shutdown(SHUT_WR)
