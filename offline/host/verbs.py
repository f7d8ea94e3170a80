"""What can be asked of a release in service: a table of the scripts that lie beside it on the host."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from offline.errors import FailedError
from offline.host import detached, layout
from offline.host.connection import connected

if TYPE_CHECKING:
    from collections.abc import Sequence

    from offline.host.connection import Connection
    from offline.host.deploy import Deploy
    from offline.host.outcome import Outcome


@dataclass(frozen=True, kw_only=True)
class Verb:
    """A script below `current/scripts/` of a host. One that changes the host outlives the session."""

    script: str
    changes: bool = False
    asks: bool = False
    """A person at the host is asked first; from here the answer is yes."""
    speaks_json: bool = False


VERBS = {
    "status": Verb(script="status.sh", speaks_json=True),
    "logs": Verb(script="logs.sh"),
    "restart": Verb(script="restart.sh", changes=True),
    "rollback": Verb(script="rollback.sh", changes=True, asks=True),
    "uninstall": Verb(script="uninstall.sh", changes=True, asks=True),
    "backup": Verb(script="backup.sh", changes=True),
    "restore": Verb(script="restore.sh", changes=True, asks=True),
    "drill": Verb(script="drill.sh", changes=True),
}


def do(
    name: str, words: Sequence[str], root: str, run: Deploy, *, as_json: bool = False, ask_only: bool = False
) -> Outcome:
    """Run a verb's script on a host with these options; its words are shown as they come.

    With `as_json` the script is asked for JSON, which becomes the outcome's `answer`. With `ask_only` a script that
    asks first says what it would do, finds nobody to ask, and ends with 2. Raises UsageError where no release is in
    service, and what `connected` and `detached.watch` raise.
    """
    verb = VERBS[name]
    with connected(run.target) as connection:
        if verb.changes and not ask_only:
            command = ("bash", f"{layout.SCRIPTS}/{verb.script}", *words, *(("--yes",) if verb.asks else ()))
            log = detached.launch(connection, root, name, f"{root}/{layout.CURRENT}", command)
            ended = detached.watch(connection, root, log, run.say)
            run.steps += ended.steps
            return run.outcome(connection, code=ended.code, release=ended.release, backup=ended.backup)
        if as_json and verb.speaks_json:
            code, answer = _asked(connection, root, verb, words)
            return run.outcome(connection, code=code, release=_release(answer), answer=answer)
        code = connection.follow(layout.VERB_SCRIPT, root, verb.script, *words, on_line=run.say)
        return run.outcome(connection, code=code)


def _asked(connection: Connection, root: str, verb: Verb, words: Sequence[str]) -> tuple[int, Any]:
    result = connection.run(layout.VERB_SCRIPT, root, verb.script, "--json", *words, codes=range(9))
    try:
        return result.code, json.loads(result.out[result.out.index("{") :])
    except ValueError:
        raise FailedError(
            f"{connection.target.given}: {verb.script} gave no JSON: {result.err.strip()[-300:]}"
        ) from None


def _release(answer: Any) -> str:
    return str(answer.get("release") or "") if isinstance(answer, dict) else ""
