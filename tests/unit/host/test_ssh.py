from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from offline.errors import FailedError, PreflightError, UsageError
from offline.host import ssh

CHANGED = """@@@@@@@@@@@
@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @
The fingerprint for the ED25519 key sent by the remote host is
SHA256:abc.
Offending ED25519 key in /home/me/.ssh/known_hosts:3
Host key verification failed.
"""
DEBUG = """debug1: Server host key: ssh-ed25519 SHA256:jump
debug1: Server host key: ssh-ed25519 SHA256:0000/zz+
"""


@pytest.mark.parametrize(
    ("given", "destination", "port"),
    [
        ("web1", "web1", None),
        ("root@web1", "root@web1", None),
        ("root@web1:2222", "root@web1", 2222),
        ("10.0.0.7:22", "10.0.0.7", 22),
        ("root@[fe80::1%eth0]:22", "root@fe80::1%eth0", 22),
    ],
)
def test_a_host_is_read_as_people_write_it(given: str, destination: str, port: int | None) -> None:
    found = ssh.target(given)
    assert (found.given, found.destination, found.port) == (given, destination, port)


@pytest.mark.parametrize("given", ["", "-oProxyCommand=evil", "root@-l", "a b", "web1:0", "web1:65536", "web1:", "@x"])
def test_what_is_no_host_is_refused(given: str) -> None:
    with pytest.raises(UsageError, match="not a host"):
        ssh.target(given)


def test_a_command_is_words_for_a_bash_that_reads_its_script_from_stdin() -> None:
    argv = ssh.command(ssh.target("root@web1:2222"), "/opt/a b", "$(x)", socket=Path("/run/s"))
    assert argv[:2] == ("ssh", "-T")
    assert argv[-3:] == ("--", "root@web1", "bash -s -- '/opt/a b' '$(x)'")
    assert argv[argv.index("-p") + 1] == "2222"
    assert argv[argv.index("-S") + 1] == "/run/s"


@pytest.mark.parametrize(
    "argv",
    [
        ssh.master(ssh.target("web1", Path("/etc/kit.conf")), Path("/run/s")),
        ssh.command(ssh.target("web1", Path("/etc/kit.conf"))),
        ssh.asking_for_key(ssh.target("web1", Path("/etc/kit.conf"))),
    ],
    ids=["master", "command", "asking"],
)
def test_nothing_is_asked_and_no_unknown_host_is_trusted_whatever_the_users_configuration_says(argv: list[str]) -> None:
    assert {"BatchMode=yes", "StrictHostKeyChecking=yes"} <= set(argv)
    assert argv[argv.index("-F") + 1] == "/etc/kit.conf"


def test_an_unknown_key_is_shown_with_how_to_accept_it() -> None:
    complaint = "No ED25519 host key is known for web1\nHost key verification failed."
    assert ssh.is_unknown_key(complaint)
    error = ssh.failure(ssh.target("root@web1:2222"), complaint, asked=DEBUG)
    assert isinstance(error, PreflightError)
    assert "ssh-ed25519 SHA256:0000/zz+" in error.message
    assert "ssh -p 2222 root@web1 true" in error.hint
    assert "/etc/ssh/ssh_host_ed25519_key.pub" in error.hint


def test_a_changed_key_is_refused_and_not_offered_for_acceptance() -> None:
    assert not ssh.is_unknown_key(CHANGED)
    error = ssh.failure(ssh.target("web1"), CHANGED)
    assert isinstance(error, PreflightError)
    assert "known_hosts:3" in error.message
    assert "Refused" in error.message


def test_a_refused_login_names_keys_and_the_command_to_try() -> None:
    error = ssh.failure(ssh.target("web1"), "x\nroot@web1: Permission denied (publickey).")
    assert isinstance(error, PreflightError)
    assert "ssh web1 true" in error.hint


def test_silence_is_a_failure_that_changed_nothing() -> None:
    error = ssh.failure(ssh.target("web1"), "ssh: connect to host web1 port 22: Connection refused")
    assert isinstance(error, FailedError)
    assert "Connection refused" in error.message


PLAIN = "host web1\nciphers chacha20-poly1305@openssh.com,aes128-ctr,aes128-gcm@openssh.com\n"


def test_the_cipher_that_costs_least_is_offered_first_and_every_other_behind_it() -> None:
    ciphers = ssh.faster_ciphers(PLAIN, PLAIN)
    assert ciphers == "aes128-gcm@openssh.com,chacha20-poly1305@openssh.com,aes128-ctr"
    argv = ssh.master(replace(ssh.target("web1"), ciphers=ciphers), Path("/run/s"))
    assert f"Ciphers={ciphers}" in argv


@pytest.mark.parametrize(
    "own", ["ciphers aes256-ctr\n", "ciphers aes128-gcm@openssh.com,aes128-ctr\n", "", "unknown option -- G\n"]
)
def test_what_the_configuration_says_about_ciphers_stands(own: str) -> None:
    assert ssh.faster_ciphers(own, PLAIN) == ""
    assert not any("Ciphers" in word for word in ssh.master(ssh.target("web1"), Path("/run/s")))


def test_an_ssh_that_would_not_offer_that_cipher_is_not_made_to() -> None:
    assert ssh.faster_ciphers("ciphers aes256-ctr\n", "ciphers aes256-ctr\n") == ""
