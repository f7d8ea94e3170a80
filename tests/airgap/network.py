"""A network of one's own that leads nowhere, this machine included."""

from __future__ import annotations

import itertools
import secrets
from dataclasses import dataclass

from offline.run import CommandError, run
from tests.airgap import leftovers
from tests.airgap.outside import docker

_SUBNETS = 256


@dataclass(frozen=True, kw_only=True)
class Network:
    """A network, and the address that its one host has before and after a restart."""

    name: str
    address: str


def isolated(name: str) -> Network:
    """Make a network without a way out, whose host cannot open a connection to this machine either.

    Removed by `leftovers.remove`. This machine still opens connections to the host.
    """
    bridge = f"oag{secrets.token_hex(4)}"
    made = internal(name, bridge)
    run(["iptables", "--wait", "-I", *leftovers.rule(bridge)])
    return made


def internal(name: str, bridge: str) -> Network:
    """Make a network that no packet leaves for another; this machine, its gateway, is still reached."""
    return ordinary(name, "--internal", "--opt", f"com.docker.network.bridge.name={bridge}")


def ordinary(name: str, *options: str) -> Network:
    """Make a network in 198.18.0.0/15, which nobody uses (RFC 2544): a host's own networks never meet it."""
    for number in itertools.count():
        subnet = f"198.18.{number}.0/28"
        try:
            docker("network", "create", *leftovers.labels(name), "--subnet", subnet, *options, name)
        except CommandError as error:
            if "overlaps" not in error.tail or number + 1 == _SUBNETS:
                raise
        else:
            return Network(name=name, address=f"198.18.{number}.2")
    raise AssertionError
