"""The proof that a host reaches nothing: it tries, while what it must not reach is really there.

Also run by file name inside the host's network: JSON list of attempts in, those that came through out.
"""

from __future__ import annotations

import json
import socket
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

OUTSIDE = "deb.debian.org"
_SECONDS = 1.0
_ADDRESSES = ("1.1.1.1", "2606:4700:4700::1111")
_NAMESERVERS = ("8.8.8.8", "1.1.1.1")
# A question for the A record of OUTSIDE: header (id, recursion desired, one question), name, type, class.
_QUESTION = b"\x0f\x0f\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00"
_QUESTION += b"".join(bytes([len(part)]) + part.encode() for part in OUTSIDE.split(".")) + b"\x00\x00\x01\x00\x01"

Attempt = tuple[str, str, int]
"""How (tcp, dns: a question that gets any answer, udp: sent only), to which address and port."""


def reached(container: str) -> list[str]:
    """What a container reaches of the world and of this machine; nothing, where it is a host without a network.

    AssertionError where this machine's own listener is not even reached from here: the proof would prove nothing.
    """
    from tests.airgap.outside import docker, in_network_of

    lookup = "getent ahosts " + OUTSIDE
    with _listening() as (port, heard), ThreadPoolExecutor() as together:
        named = together.submit(docker, "exec", container, "sh", "-c", lookup, check=False)
        tries = json.dumps(_attempts(port))
        found: list[str] = json.loads(in_network_of(container, sys.executable, __file__, tries).out)
        found += heard()
        if named.result().code == 0:
            found.append(f"the name {OUTSIDE}")
    return found


def prove_unreachable(container: str) -> None:
    """AssertionError that lists what the container reaches."""
    found = reached(container)
    assert not found, f"{container} is not without a network, it reaches:\n" + "\n".join(f"  {what}" for what in found)


def addresses() -> list[str]:
    """This machine's own IPv4 addresses, the gateways of all containers among them."""
    from offline.run import run

    links = json.loads(run(["ip", "-json", "-4", "address", "show", "scope", "global"]).out)
    return [info["local"] for link in links for info in link.get("addr_info", ())]


def nameservers() -> list[str]:
    """Those that this machine asks itself, and public ones."""
    lines = [line.split() for line in Path("/etc/resolv.conf").read_text().splitlines()]
    own = [words[1] for words in lines if words[:1] == ["nameserver"] and not words[1].startswith("127.")]
    return [*own, *_NAMESERVERS]


def attempt(how: str, address: str, port: int) -> bool:
    """Whether one attempt comes through; never raises for a network that is not there."""
    try:
        if how == "tcp":
            socket.create_connection((address, port), timeout=_SECONDS).close()
            return True
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.settimeout(_SECONDS)
            sender.connect((address, port))
            sender.send(_QUESTION)
            return how == "dns" and bool(sender.recv(512))
    except OSError:
        return False


def _attempts(port: int) -> list[Attempt]:
    """Own addresses at a port where something listens; what is outside at ports where something does."""
    own = addresses()
    outside = [*_ADDRESSES, *_resolved(OUTSIDE)]
    return [
        *(("tcp", address, port) for address in own),
        *(("udp", address, port) for address in own),
        *(("tcp", address, number) for address in outside for number in (80, 443)),
        *(("dns", address, 53) for address in [*nameservers(), *own]),
    ]


def _resolved(name: str) -> set[str]:
    try:
        return {str(found[4][0]) for found in socket.getaddrinfo(name, 80, proto=socket.IPPROTO_TCP)}
    except OSError:
        return set()


@contextmanager
def _listening() -> Iterator[tuple[int, Callable[[], list[str]]]]:
    """Listen on every address of this machine, TCP and UDP at one port; gives the port and who was heard by UDP."""
    with socket.create_server(("0.0.0.0", 0)) as tcp, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:  # noqa: S104
        port: int = tcp.getsockname()[1]
        udp.bind(("0.0.0.0", port))  # noqa: S104
        udp.settimeout(0)
        unheard = {address for address in addresses() if not attempt("tcp", address, port)}
        # Asked again: another run's host, and the address of its bridge, may be gone by now.
        assert not unheard.intersection(addresses()), f"{unheard} port {port}: not reached from this machine itself"

        def heard() -> list[str]:
            try:
                return [f"udp to this machine, from {udp.recvfrom(512)[1][0]}"]
            except BlockingIOError:
                return []

        yield port, heard


def _through(attempts: Iterable[Attempt]) -> list[str]:
    listed = [tuple(one) for one in attempts]
    with ThreadPoolExecutor(len(listed)) as together:
        results = together.map(lambda one: attempt(*one), listed)
        return [
            f"{how} {address} port {port}" for (how, address, port), came in zip(listed, results, strict=True) if came
        ]


if __name__ == "__main__":
    json.dump(_through(json.loads(sys.argv[1])), sys.stdout)
