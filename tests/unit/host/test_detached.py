from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

from offline.errors import OfflineError
from offline.host import ssh
from offline.host.connection import LostError
from offline.host.detached import Followed, launch
from offline.host.outcome import Step

if TYPE_CHECKING:
    from offline.host.connection import Connection


def followed(*lines: str) -> tuple[Followed, list[str]]:
    shown: list[str] = []
    found = Followed("deploy", shown.append)
    for line in lines:
        found.take(line)
    return found, shown


def test_a_log_is_shown_line_by_line_and_its_frame_is_not() -> None:
    found, shown = followed("log\tdeploy-1.log", "Load", "", "step\tload\t12", "end\t7\t20261101-000000\tall")
    assert shown == ["Load", ""]
    assert (found.name, found.lines, found.release, found.mode) == ("deploy-1.log", 2, "20261101-000000", "all")
    assert found.steps == [Step(name="load", seconds=12.0)]


def test_who_follows_again_asks_for_the_next_line_of_the_same_log() -> None:
    found, shown = followed("log\tdeploy-1.log", "one", "two")
    found.take("log\tdeploy-1.log")
    found.take("three")
    assert (found.name, found.lines, shown) == ("deploy-1.log", 3, ["one", "two", "three"])


class Lost:
    """A connection that breaks while something is started."""

    target = ssh.target("web1")

    def run(self, *_: object) -> None:
        raise LostError("web1: the connection is lost: Broken pipe")


def test_a_connection_lost_while_something_starts_says_how_to_learn_whether_it_did() -> None:
    with pytest.raises(OfflineError, match="whether deploy has started there is not known") as caught:
        launch(cast("Connection", Lost()), "/opt/mini", "deploy", "/opt/mini/incoming/x", ["true"])
    assert caught.value.exit_code == 1
    assert "invoke deploy --attach --host web1 --root /opt/mini" in str(caught.value)
