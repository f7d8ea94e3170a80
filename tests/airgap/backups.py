"""What an application's data is to a test: rows, uploads and keys by name, and a backup of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.airgap.by_hand import REDIS, ROOT

if TYPE_CHECKING:
    from offline.run import Result
    from tests.airgap.by_hand import Operator


def back_up(operator: Operator) -> str:
    """A backup of what is there; its name."""
    done = operator.host.run(f"bash {ROOT}/current/scripts/backup.sh 2>&1", check=False)
    assert done.code == 0, done.out
    return operator.host.run(f"ls {ROOT}/backups | tail -n 1").out.strip()


def restore(operator: Operator, *words: str) -> Result:
    """Restore without being asked; whatever it ends with."""
    return operator.script("restore", *words, "--yes")


def forget(operator: Operator) -> None:
    """Remove everything that restores have set aside."""
    times = {path.rpartition("-restore-")[2] for path in operator.status()["set_aside"]}
    for time in times:
        done = operator.script("restore", "--forget", time, "--yes")
        assert done.code == 0, done.out
    assert operator.status()["set_aside"] == []


def write(operator: Operator, name: str) -> None:
    """A row, an upload and a key of that name."""
    operator.add_user(name)
    upload(operator, name)
    operator.host.run(f"docker exec {REDIS} redis-cli set {name} 1 && docker exec {REDIS} redis-cli save")


def holds(operator: Operator, *names: str) -> None:
    """Rows, uploads and keys of these names, and no others."""
    assert operator.users() == list(names)
    assert uploads(operator) == list(names)
    assert redis_keys(operator) == list(names)


def upload(operator: Operator, name: str) -> None:
    """Put a file through the API."""
    assert operator.http("POST", f"8002/xiaozhi/upload/{name}", {"file": name})["status"] == 201


def uploads(operator: Operator) -> list[str]:
    """The files that the API gives back with what was put in them, sorted."""
    names = sorted(operator.host.run(f"ls {ROOT}/shared/uploadfile").out.split())
    for name in names:
        assert json.loads(operator.http("GET", f"8002/xiaozhi/upload/{name}")["body"]) == {"file": name}
    return names


def redis_keys(operator: Operator) -> list[str]:
    """The keys in Redis that tests wrote, sorted."""
    keys = operator.host.run(f"docker exec {REDIS} redis-cli keys '[A-Z]*'").out.split()
    return sorted(keys)
