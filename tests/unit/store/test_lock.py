from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from offline.errors import LockedError
from offline.store.lock import holding

if TYPE_CHECKING:
    from pathlib import Path


def test_a_second_run_is_refused_and_told_who_works(tmp_path: Path) -> None:
    with (
        holding(tmp_path / "lock", "invoke release"),
        pytest.raises(LockedError, match="invoke release") as caught,
        holding(tmp_path / "lock", "invoke export"),
    ):
        pass
    assert f"process {os.getpid()}" in str(caught.value)
    assert caught.value.exit_code == 4


def test_the_lock_is_free_again_after_the_block_and_after_a_failure(tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), holding(tmp_path / "lock", "x"):
            raise ZeroDivisionError
    with holding(tmp_path / "lock", "y"):
        pass


def test_a_killed_holder_leaves_the_lock_free(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from offline.store.lock import holding\n"
        "with holding(Path(sys.argv[1]), 'killed'): print('held', flush=True); sys.stdin.read()"
    )
    argv = [sys.executable, "-c", code, str(tmp_path / "lock")]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"held\n"
        with pytest.raises(LockedError, match="killed"), holding(tmp_path / "lock", "x"):
            pass
        child.kill()
        child.wait()
    with holding(tmp_path / "lock", "y"):
        pass
