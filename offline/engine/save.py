"""The engine's save stream: all references in one tar, and layers that they share in it once.

Read from the engine's own socket where it has one, else through the docker client, which knows TLS, ssh and Windows'
pipes. The client copies every byte once more, and waits at the end until the engine has removed a copy of its own: of
2.7 GB, a second and a half of processor time and half a second.
"""

from __future__ import annotations

import http.client
import json
import socket
import urllib.parse
from contextlib import closing, contextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol

from offline.errors import FailedError
from offline.run import CommandError, reading

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    Saving = Callable[[Sequence[str]], AbstractContextManager["Stream"]]

_PIECE = 1 << 20


class SaveError(FailedError):
    """The engine, or the client between, gave up."""


class Stream(Protocol):
    """Bytes as they flow."""

    def read(self, count: int, /) -> bytes:
        """Up to `count` bytes; none at the end. SaveError when there will be no more for another reason."""


def saving(address: str, client: str, version: str, references: Sequence[str]) -> AbstractContextManager[Stream]:
    """Let the engine begin with a save, and give the stream, of which no more than the archive needs to be read.

    `version` is that of the engine's API, which the client knows by itself. Raises SaveError, in the block or at its
    end. (Docker Engine API, "Export several images")
    """
    scheme, _, path = address.partition("://")
    if scheme == "unix" and path:
        return _from_socket(path, version, references)
    return _through_client(client, references)


@contextmanager
def _through_client(client: str, references: Sequence[str]) -> Iterator[Stream]:
    try:
        with reading((client, "image", "save", *references)) as stream:
            yield stream
            while stream.read(_PIECE):  # so that the client can end
                pass
    except CommandError as error:
        raise SaveError(error.message) from None


@contextmanager
def _from_socket(path: str, version: str, references: Sequence[str]) -> Iterator[Stream]:
    names = urllib.parse.urlencode([("names", reference) for reference in references])
    with closing(_Connection(path)) as connection:
        answer = _Answer(connection)
        with _explained("it cannot be reached"):
            connection.request("GET", f"/v{version}/images/get?{names}")
        try:
            yield answer
        finally:
            answer.close()


class _Connection(http.client.HTTPConnection):
    """HTTP over the engine's socket."""

    def __init__(self, path: str) -> None:
        super().__init__("docker")
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self._path)


class _Answer:
    """What the engine answers. Awaited at the first read: it is silent while it writes a copy of its own."""

    def __init__(self, connection: http.client.HTTPConnection) -> None:
        self._connection = connection
        self._response: http.client.HTTPResponse | None = None

    def read(self, count: int, /) -> bytes:
        with _explained("its answer breaks off"):
            if self._response is None:
                self._response = self._connection.getresponse()
            if self._response.status != HTTPStatus.OK:
                raise SaveError(_refusal(self._response))
            return self._response.read(count)

    def close(self) -> None:
        if self._response:
            self._response.close()


def _refusal(response: http.client.HTTPResponse) -> str:
    """What the engine says where it does not begin."""
    text = response.read(_PIECE).decode(errors="replace")
    try:
        return str(json.loads(text)["message"])
    except (ValueError, TypeError, KeyError):
        return f"it answers {response.status} {response.reason}: {text}"


@contextmanager
def _explained(what: str) -> Iterator[None]:
    try:
        yield
    except http.client.IncompleteRead:
        raise SaveError(what) from None
    except (OSError, http.client.HTTPException) as error:
        raise SaveError(f"{what}: {error}") from None
