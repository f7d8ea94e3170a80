from __future__ import annotations

import io

import pytest

from offline.console import Console
from offline.images.build import Steps
from offline.images.dockerfile import MOUNTS, READ_ENVIRONMENT


def shown(*lines: str) -> list[str]:
    said = io.StringIO()
    steps = Steps("server", Console(io.StringIO(), said))
    for line in lines:
        steps.see(line)
    return said.getvalue().splitlines()


def test_a_step_is_shown_when_it_starts_to_work_without_what_the_kit_put_into_it() -> None:
    step = f"#7 [builder 2/3] RUN {MOUNTS} {READ_ENVIRONMENT}; pip install torch"
    assert shown(step) == []
    assert shown(step, "#7 0.5 Collecting torch") == ["    server [builder 2/3] RUN pip install torch"]
    assert len(shown(step, "#7 0.5 Collecting torch", "#7 0.9 Downloading", "#7 DONE 9.0s")) == 1


def test_a_mount_that_is_not_the_kits_is_shown() -> None:
    step = f"#7 [2/3] RUN {MOUNTS} --mount=type=cache,target=/c {READ_ENVIRONMENT} && pip install torch"
    assert shown(step, "#7 0.5 x") == ["    server [2/3] RUN --mount=type=cache,target=/c pip install torch"]


@pytest.mark.parametrize("said", ["#7 CACHED", "#7 DONE 0.0s"])
def test_a_step_that_did_not_work_is_not_worth_a_line(said: str) -> None:
    assert shown("#7 [2/3] COPY a b", said) == []


def test_what_is_no_step_is_not_shown() -> None:
    lines = ("#1 [internal] load build definition", "#1 transferring 2kB", "noise", "#8 [auth] x", "#8 DONE 1.0s")
    assert shown(*lines) == []


def test_two_steps_at_once_are_told_apart() -> None:
    lines = ("#7 [a 1/2] RUN one", "#8 [b 1/2] RUN two", "#8 0.1 x", "#7 0.1 x")
    assert shown(*lines) == ["    server [b 1/2] RUN two", "    server [a 1/2] RUN one"]
