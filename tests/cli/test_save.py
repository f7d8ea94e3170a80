"""The save stream from the engine's socket and through a docker client: real sockets and processes, no engine."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingUnixStreamServer
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import parse_qs, urlsplit

import pytest

from offline.engine.save import SaveError, saving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from offline.engine.save import Stream

    Reply = Callable[["Asked"], None]

CONTENT = b"as it flows " * 100_000


class Asked(BaseHTTPRequestHandler):
    """A request to an engine, as Docker's own engines answer it: chunked, of no announced length."""

    protocol_version = "HTTP/1.1"
    engine: ClassVar[Engine]

    def do_GET(self) -> None:
        self.engine.asked.append(self.path)
        self.engine.reply(self)

    def begin(self) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def chunk(self, data: bytes) -> None:
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Engine:
    """An engine on a socket."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "engine.sock"
        self.asked: list[str] = []
        self.reply: Reply = whole

    @contextmanager
    def answering(self, reply: Reply) -> Iterator[None]:
        self.reply = reply
        handler = type("Handler", (Asked,), {"engine": self})
        with ThreadingUnixStreamServer(str(self.path), handler) as server:
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
            thread.start()
            try:
                yield
            finally:
                server.shutdown()
                thread.join()

    def saving(self, *references: str) -> AbstractContextManager[Stream]:
        return saving(f"unix://{self.path}", "no-client", "1.41", references)

    def all(self, *references: str) -> bytes:
        """Everything that it saves."""
        with self.saving(*references) as stream:
            return b"".join(iter(lambda: stream.read(100_000), b""))


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return Engine(tmp_path)


def whole(asked: Asked) -> None:
    asked.begin()
    for start in range(0, len(CONTENT), 32_768):
        asked.chunk(CONTENT[start : start + 32_768])
    asked.chunk(b"")


def test_all_references_are_asked_for_at_once_and_come_as_they_are(engine: Engine) -> None:
    with engine.answering(whole):
        assert engine.all("mini/a:build", "mini/b:build") == CONTENT
    (asked,) = map(urlsplit, engine.asked)
    assert asked.path == "/v1.41/images/get"
    assert parse_qs(asked.query) == {"names": ["mini/a:build", "mini/b:build"]}


def test_an_engine_begins_before_anything_is_read(engine: Engine) -> None:
    begun = threading.Event()

    def reply(asked: Asked) -> None:
        begun.set()
        whole(asked)

    with engine.answering(reply), engine.saving("a") as stream:
        assert begun.wait(20)
        assert stream.read(10) == CONTENT[:10]


def test_nobody_waits_for_what_an_engine_does_after_the_archive(engine: Engine) -> None:
    tidied, waited = threading.Event(), list[bool]()

    def reply(asked: Asked) -> None:
        asked.begin()
        asked.chunk(CONTENT)
        waited.append(tidied.wait(20))

    with engine.answering(reply):
        with engine.saving("a") as stream:
            assert stream.read(len(CONTENT)) == CONTENT
        tidied.set()
    assert waited == [True]


def test_an_answer_without_chunks_is_left_as_one_with_them(engine: Engine) -> None:
    def reply(asked: Asked) -> None:
        asked.send_response(200)
        asked.send_header("Connection", "close")
        asked.end_headers()
        with suppress(OSError):  # nobody listens any more
            asked.wfile.write(CONTENT)

    with engine.answering(reply):
        assert engine.all("a") == CONTENT
        with engine.saving("a") as stream:
            assert stream.read(10) == CONTENT[:10]


@pytest.mark.parametrize("cut", ["before the answer", "between two chunks", "in a chunk"])
def test_an_engine_that_dies_is_told_from_one_that_has_ended(engine: Engine, cut: str) -> None:
    def reply(asked: Asked) -> None:
        asked.close_connection = True
        if cut != "before the answer":
            asked.begin()
            asked.chunk(CONTENT[:1000])
        if cut == "in a chunk":
            asked.wfile.write(b"fff\r\nhalf of it")

    with engine.answering(reply), pytest.raises(SaveError, match=r"^its answer breaks off"):
        engine.all("a")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (json.dumps({"message": "reference does not exist"}), "reference does not exist"),
        ("<html>", "it answers 404 Not Found: <html>"),
        ("[]", r"it answers 404 Not Found: \[\]"),
    ],
)
def test_a_refusal_is_in_the_engines_own_words(engine: Engine, body: str, said: str) -> None:
    def reply(asked: Asked) -> None:
        asked.send_response(404)
        asked.send_header("Content-Length", str(len(body)))
        asked.end_headers()
        asked.wfile.write(body.encode())

    with engine.answering(reply), pytest.raises(SaveError, match=rf"^{said}$"):
        engine.all("a")


def test_an_engine_that_has_gone_is_a_failure_of_the_save_and_not_of_the_disk(engine: Engine) -> None:
    with pytest.raises(SaveError, match=r"^it cannot be reached: .*No such file"):
        engine.all("a")


def docker_client(folder: Path, script: str) -> str:
    path = folder / "docker"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:2376", "ssh://host", "npipe:////./pipe/docker_engine", "unix://"])
def test_any_other_engine_is_reached_through_the_docker_client(tmp_path: Path, address: str) -> None:
    client = docker_client(tmp_path, 'echo "$*"')
    with saving(address, client, "1.41", ["a:1", "b:1"]) as stream:
        assert stream.read(1000) == b"image save a:1 b:1\n"


def test_a_client_may_say_more_than_is_read_and_its_failure_counts(tmp_path: Path) -> None:
    client = docker_client(tmp_path, "seq 1000000\necho 'the daemon is gone' >&2\nexit 1")
    with (
        pytest.raises(SaveError, match="the daemon is gone"),
        saving("tcp://127.0.0.1:2376", client, "1.41", ["a"]) as stream,
    ):
        stream.read(10)
