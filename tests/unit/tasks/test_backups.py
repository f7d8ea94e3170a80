from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from invoke.context import Context

from offline.errors import UsageError
from offline.tasks import backups

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def words(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the host's backup.sh is called with."""
    found: list[str] = []

    def do_verb(name: str, given: list[str], *_: object, **__: object) -> None:
        assert name == "backup"
        found.extend(given)

    monkeypatch.setattr(backups, "do_verb", do_verb)
    return found


def backup(**options: Any) -> None:
    run: Callable[..., None] = backups.backup.body
    run(Context(), host=["h"], **options)


@pytest.mark.parametrize(
    ("options", "given"),
    [
        ({}, ""),
        ({"drill": True, "with_secrets": True}, "--drill --with-secrets"),
        ({"keep_last": "3", "keep_daily": "0", "keep_weekly": "9"}, "--keep-last 3 --keep-daily 0 --keep-weekly 9"),
        ({"schedule": "02:00"}, "--schedule 02:00"),
        ({"schedule": "off"}, "--schedule off"),
    ],
)
def test_what_is_asked_for_is_handed_on_as_it_is(words: list[str], options: dict[str, Any], given: str) -> None:
    backup(**options)
    assert " ".join(words) == given


@pytest.mark.parametrize(
    ("hosts", "options", "said"),
    [
        (["h"], {"name": "20260102-030405"}, "--fetch is not there"),
        (["h", "i"], {"fetch": "home"}, "of one host"),
    ],
)
def test_bringing_home_needs_a_folder_and_one_host(hosts: list[str], options: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        backups.backup.body(Context(), host=hosts, **options)
