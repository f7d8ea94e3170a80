"""The hosts are what they are said to be, reach nothing, and leave nothing; and the proof of that can fail."""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.airgap import images, leftovers, network, proof
from tests.airgap.conftest import OLDEST
from tests.airgap.outside import docker

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.airgap.hosts import Host

KIT = Path(__file__).parents[2]


def test_engine_compose_and_image_store_are_those_of_its_kind(standing: Host) -> None:
    facts = standing.facts()
    kind = standing.kind
    found = (facts.engine.partition("+")[0], facts.compose.partition("-")[0], facts.store)
    assert found == (kind.engine, kind.compose, kind.store)


def test_openssh_enters_as_root_and_as_an_admin_with_sudo(standing: Host) -> None:
    assert standing.ssh("id -un").out == "root\n"
    assert standing.ssh("id -un; sudo -n id -un", alias=standing.admin_alias).out == "admin\nroot\n"


def test_scripts_find_what_an_operators_host_has_and_nothing_more(standing: Host) -> None:
    found = "for tool in {}; do command -v $tool; done || true"
    assert standing.run(found.format("python python3 pip jq curl wget zstd rsync git")).out == ""
    tools = "bash sha256sum grep sed awk flock tar gzip ip iptables ps hostname findmnt"
    assert len(standing.run(found.format(tools)).out.split()) == len(tools.split())


def test_it_reaches_nothing_but_itself(standing: Host) -> None:
    assert standing.speak("reach", "127.0.0.1", "22") == {"reached": True}
    assert proof.reached(standing.name) == []


@contextmanager
def bystander(made: network.Network) -> Iterator[str]:
    """A container on a network, with nothing done to keep it from reaching out but what the network does."""
    words = ("--init", "--network", made.name, *leftovers.labels(made.name))
    words += ("--dns-option", "timeout:1", "--dns-option", "attempts:1")
    try:
        docker("run", "--detach", "--name", made.name, *words, images.image(OLDEST), "sleep", "infinity")
        yield made.name
    finally:
        leftovers.remove(made.name)


def new_name() -> str:
    return f"offline-airgap-test-{secrets.token_hex(4)}"


def test_the_proof_fails_on_an_ordinary_network() -> None:
    with bystander(network.ordinary(new_name())) as container:
        found = proof.reached(container)
        with pytest.raises(AssertionError, match=f"{container} is not without a network, it reaches"):
            proof.prove_unreachable(container)
    assert {f"tcp {address}" for address in proof.addresses()} <= {what.rpartition(" port ")[0] for what in found}
    assert any(what.startswith("udp to this machine") for what in found)
    # What is outside counts as far as this machine reaches it: without, the proof has less to show, not less to hold.
    if proof.attempt("tcp", proof.OUTSIDE, 80):
        assert f"the name {proof.OUTSIDE}" in found
        assert any(what.startswith("tcp ") and what.endswith(" port 80") for what in found)
    for server in proof.nameservers():
        assert (f"dns {server} port 53" in found) == proof.attempt("dns", server, 53)


def test_the_proof_fails_where_only_this_machine_is_reached() -> None:
    name = new_name()
    with bystander(network.internal(name, f"oag{secrets.token_hex(4)}")) as container:
        found = proof.reached(container)
    assert any(what.startswith("udp to this machine") for what in found)
    assert any(what.startswith("tcp 198.18.") for what in found)
    assert f"the name {proof.OUTSIDE}" not in found
