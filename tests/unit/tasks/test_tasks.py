from __future__ import annotations

import errno
import inspect
import io
import json
import signal
import sys
from typing import TYPE_CHECKING, Any

import pytest
from invoke.context import Context
from invoke.exceptions import Exit

import tasks as face
from offline import errors
from offline.console import Console
from offline.run import run
from offline.tasks import namespace
from offline.tasks.show import show_config
from offline.tasks.task import OfflineTask, task
from tests import builders

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from offline.errors import OfflineError

TASKS: dict[str, OfflineTask] = dict(namespace.tasks)


@pytest.fixture(autouse=True)
def _signals_as_before() -> Iterator[None]:
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def failing(error: BaseException) -> OfflineTask:
    @task()
    def fails(_: Context) -> None:
        """Fails."""
        raise error

    return fails


def code_of(error: BaseException) -> int:
    with pytest.raises(Exit) as caught:
        failing(error)(Context())
    code: int = caught.value.code
    return code


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (errors.UsageError, 2),
        (errors.VerifyError, 3),
        (errors.LockedError, 4),
        (errors.PreflightError, 5),
        (errors.FailedError, 6),
        (errors.RolledBackError, 7),
        (errors.NeedsHandError, 8),
        (errors.AuditError, 9),
    ],
)
def test_an_expected_failure_is_one_message_on_stderr_and_its_exit_code(
    kind: type[OfflineError], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert code_of(kind("what failed", hint="do this")) == code
    assert capsys.readouterr() == ("", "error: what failed\n  next: do this\n")


def test_an_interruption_ends_with_130(capsys: pytest.CaptureFixture[str]) -> None:
    assert code_of(KeyboardInterrupt()) == 130
    assert capsys.readouterr().err == "error: interrupted; nothing half-written was left\n"


def test_what_the_system_refuses_is_one_sentence_with_the_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert code_of(PermissionError(errno.EACCES, "Permission denied", "/dist/x")) == 6
    assert capsys.readouterr().err.startswith("error: /dist/x: Permission denied\n  next: see to that")
    assert code_of(OSError(errno.ENOSPC, "No space left on device")) == 6
    assert capsys.readouterr().err.startswith("error: a file: No space left on device\n")


def test_an_unexpected_failure_keeps_its_traceback() -> None:
    with pytest.raises(ZeroDivisionError):
        failing(ZeroDivisionError())(Context())


def test_sigterm_stops_a_task_as_ctrl_c_does() -> None:
    @task()
    def terminated(_: Context) -> None:
        """Gets a signal."""
        signal.raise_signal(signal.SIGTERM)

    with pytest.raises(Exit) as caught:
        terminated(Context())
    assert caught.value.code == 130


def test_the_face_has_no_logic() -> None:
    assert face.namespace is namespace
    assert len(inspect.getsource(face).splitlines()) <= 20


@pytest.mark.parametrize("name", TASKS)
def test_every_task_says_what_it_does_in_one_sentence(name: str) -> None:
    help_line = (TASKS[name].__doc__ or "").strip()
    assert help_line.endswith(".")
    assert "\n" not in help_line
    assert len(help_line) <= 120


@pytest.mark.parametrize("name", TASKS)
def test_every_flag_is_explained(name: str) -> None:
    for argument in TASKS[name].get_arguments():
        assert argument.help, f"{name}: {argument.name}"


@pytest.mark.parametrize("name", TASKS)
def test_a_task_has_a_body_of_a_few_lines(name: str) -> None:
    source = inspect.getsource(TASKS[name].body)
    body = source.partition('"""')[2].partition('"""')[2]
    assert len([line for line in body.splitlines() if line.strip()]) <= 20


def test_listing_the_tasks_loads_nothing_that_is_slow() -> None:
    code = "import sys; import tasks; print(*sorted(name for name in sys.modules if '.' not in name))"
    loaded = set(run([sys.executable, "-c", code]).out.split())
    assert loaded & {"docker", "requests", "pydantic", "jinja2", "rich", "isal", "tree_sitter", "dockerfile"} == set()


def test_config_as_json_is_json_only(tmp_path: Path) -> None:
    out, err = io.StringIO(), io.StringIO()
    show_config(Console(out, err), builders.config(tmp_path), as_json=True)
    said: dict[str, Any] = json.loads(out.getvalue())
    assert said["stack"] == {"value": "shop", "origin": "default"}
    assert err.getvalue() == ""
