"""OpenSSH's command lines, and what its complaints mean. Pure: `offline.host.connection` runs them.

The user's own configuration, keys, agent and jump hosts count; only what a run without a terminal needs is set here.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from offline.errors import FailedError, OfflineError, PreflightError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

FAILED = 255
"""The code with which ssh says that ssh itself failed (ssh(1), EXIT STATUS)."""

_HOST = re.compile(r"(?:(?P<user>[^@\s]+)@)?(?:\[(?P<bracketed>[^\]\s]+)\]|(?P<name>[^:\s@]+))(?::(?P<port>\d{1,5}))?")
_CHANGED = "REMOTE HOST IDENTIFICATION HAS CHANGED"
_UNVERIFIED = "Host key verification failed"
_KEY = re.compile(r"Server host key: (\S+) (SHA256:\S+)")
_CIPHERS = re.compile(r"^ciphers (\S+)$", re.MULTILINE)
_FAST = "aes128-gcm@openssh.com"
_OPTIONS = (
    "BatchMode=yes",
    "StrictHostKeyChecking=yes",
    "ConnectTimeout=20",
    "ServerAliveInterval=10",
    "ServerAliveCountMax=3",
)
# Line one of everything that runs on a host. bash reads a pipe byte by byte, so whoever takes over reads on behind it.
ESCALATION = (
    '[ "$(id -u)" = 0 ] || { sudo -n true </dev/null >&2 || exit 77;'
    ' exec sudo -n env SSH_CONNECTION="$SSH_CONNECTION" bash -s -- "$@"; }\n'
)


@dataclass(frozen=True, kw_only=True)
class Target:
    """A host as the command line names it: what ssh takes for a destination, its port, the ssh_config to read."""

    given: str
    destination: str
    port: int | None = None
    config: Path | None = None
    ciphers: str = ""
    """What ssh offers, where that is not what it would offer by itself."""

    @property
    def words(self) -> tuple[str, ...]:
        """The words with which a person reaches it: `ssh` and these."""
        config = ("-F", str(self.config)) if self.config else ()
        port = ("-p", str(self.port)) if self.port else ()
        return (*config, *port, self.destination)


def target(text: str, config: Path | None = None) -> Target:
    """Read `[USER@]HOST[:PORT]`, HOST a name, an alias of the configuration, or `[an IPv6 address]`. UsageError."""
    match = _HOST.fullmatch(text)
    port = int(match["port"]) if match and match["port"] else None
    host = (match["bracketed"] or match["name"]) if match else ""
    if match is None or text.startswith("-") or host.startswith("-") or port not in {None, *range(1, 65536)}:
        raise UsageError(f"{text!r}: not a host", hint="write --host USER@HOST, --host USER@HOST:PORT, or an ssh alias")
    user = f"{match['user']}@" if match["user"] else ""
    return Target(given=text, destination=f"{user}{host}", port=port, config=config)


def master(to: Target, socket: Path) -> tuple[str, ...]:
    """The command that holds the one connection which all others to this host share, until its stdin ends."""
    return ("ssh", "-T", "-M", "-S", str(socket), *_words(to), "cat")


def command(to: Target, *words: str, socket: Path | None = None) -> tuple[str, ...]:
    """The command that runs bash on the host: it reads its script, and after it the data, from stdin.

    `words` are the script's arguments. With a `socket` the shared connection is used while there is one.
    """
    shared = ("-S", str(socket), "-o", "ControlMaster=no") if socket else ("-o", "ControlPath=none")
    return ("ssh", "-T", *shared, *_words(to), shlex.join(("bash", "-s", "--", *words)))


def asking_for_key(to: Target) -> tuple[str, ...]:
    """The command whose complaints name the key that the host shows, through jump hosts too."""
    return ("ssh", "-v", "-T", "-o", "ControlPath=none", *_words(to), "true")


def asking_for_settings(to: Target, *, plain: bool = False) -> tuple[str, ...]:
    """The command that prints what holds for this host; `plain`: what would hold with no configuration at all."""
    config = ("-F", "none") if plain else ("-F", str(to.config)) if to.config else ()
    return ("ssh", "-G", *config, "--", to.destination)


def faster_ciphers(settings: str, plain: str) -> str:
    """The ciphers to offer, that first which costs a processor with AES the least; empty: leave it to ssh.

    `settings` and `plain` are what `asking_for_settings` printed: where the configuration says something of its own
    about ciphers, it stands. ssh's own first choice, ChaCha20, takes 1.3 to 2 times as long (docs/benchmark.md).
    """
    own, default = _CIPHERS.search(settings), _CIPHERS.search(plain)
    names = own[1].split(",") if own else []
    if own is None or default is None or own[1] != default[1] or _FAST not in names:
        return ""
    return ",".join((_FAST, *(name for name in names if name != _FAST)))


def failure(to: Target, complaint: str, *, asked: str = "") -> OfflineError:
    """What ssh's last words mean. `asked`: what `asking_for_key` said where the key is unknown."""
    if _CHANGED in complaint:
        return _key_changed(to, complaint)
    if _UNVERIFIED in complaint:
        return _key_unknown(to, asked)
    login = shlex.join(("ssh", *to.words, "true"))
    last = complaint.strip().splitlines()[-1] if complaint.strip() else "ssh said nothing"
    if "Permission denied" in complaint:
        return PreflightError(
            f"{to.given}: the host does not let this user in: {last}",
            hint=f"give ssh a key that the host knows (ssh-add, ssh-copy-id, IdentityFile), until this works without "
            f"a question: {login}",
        )
    return FailedError(f"{to.given}: no connection: {last}", hint=f"try: {login}")


def is_unknown_key(complaint: str) -> bool:
    """Whether ssh refused a host whose key it does not know, so that `asking_for_key` helps."""
    return _UNVERIFIED in complaint and _CHANGED not in complaint


def _key_unknown(to: Target, asked: str) -> PreflightError:
    shown = _KEY.findall(asked)
    key = " ".join(shown[-1]) if shown else "(the host showed none)"
    kind = shown[-1][0].removeprefix("ssh-").partition("-")[0] if shown else "ed25519"
    accept = shlex.join(("ssh", *to.words, "true"))
    return PreflightError(
        f"{to.given}: this machine does not know the host's key yet: {key}",
        hint=f"compare it with what the host itself says (ssh-keygen -lf /etc/ssh/ssh_host_{kind}_key.pub, on its "
        f"console); if they are the same, accept it: {accept}",
    )


def _key_changed(to: Target, complaint: str) -> PreflightError:
    told = [line.strip() for line in complaint.splitlines() if "SHA256:" in line or line.startswith("Offending")]
    return PreflightError(
        f"{to.given}: the host's key is not the one that this machine knows: another machine may be answering in its "
        "place. Refused.\n" + "\n".join(f"  {line}" for line in told),
        hint="ask whoever looks after the host; if it was installed anew, remove the old key with ssh-keygen -R and "
        "accept the new one after comparing it",
    )


def _words(to: Target) -> tuple[str, ...]:
    options = tuple(word for option in _OPTIONS for word in ("-o", option))
    config = ("-F", str(to.config)) if to.config else ()
    port = ("-p", str(to.port)) if to.port else ()
    ciphers = ("-o", f"Ciphers={to.ciphers}") if to.ciphers else ()
    return (*config, *options, *ciphers, *port, "--", to.destination)
