"""Every name on a host, below the stack's root, and every script of the kit that is run there.

What lies under the root, and why: docs/architecture.md, "Deploying over ssh". Paths are relative to the root.
"""

from __future__ import annotations

from offline.paths import HOST_SCRIPTS, REMOTE_SCRIPTS

CURRENT = "current"
SCRIPTS = "scripts"
INCOMING = "incoming"
HOT_SENT = ".hot-sent."
"""What the name of a folder with files for a hot update begins with."""

# Run over ssh and kept nowhere; what the host's own scripts know too stands in front.
_STORED = HOST_SCRIPTS / "lib" / "stored.sh"
_ARRIVED = REMOTE_SCRIPTS / "arrived.sh"
FACTS_SCRIPT = (_STORED, _ARRIVED, REMOTE_SCRIPTS / "facts.sh")
RECEIVE_SCRIPT = (_ARRIVED, REMOTE_SCRIPTS / "receive.sh")
LAUNCH_SCRIPT = (REMOTE_SCRIPTS / "launch.sh",)
FOLLOW_SCRIPT = (REMOTE_SCRIPTS / "follow.sh",)
HOT_SCRIPT = (REMOTE_SCRIPTS / "hot.sh",)
VERB_SCRIPT = (REMOTE_SCRIPTS / "verb.sh",)
GIVE_SCRIPT = (REMOTE_SCRIPTS / "give.sh",)

# Codes of those scripts, apart from a deploy's own (errors.py) and from 255, with which ssh says that it failed.
NO_SUDO = 77
NO_BACKUP = 73
NO_FOLDER = 72
NO_LOG = 71
NO_END = 70


def incoming(top: str) -> str:
    """The folder that a bundle is put together in."""
    return f"{INCOMING}/{top}"
