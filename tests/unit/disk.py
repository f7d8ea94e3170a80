"""A disk that fails as a disk does."""

from __future__ import annotations

import errno
import os
import threading
from typing import TYPE_CHECKING

from offline import sink

if TYPE_CHECKING:
    import pytest


def lost_in_the_background(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each flush fail that is made while more is written, and every last one succeed."""

    def fsync(_descriptor: int) -> None:
        if threading.current_thread() is not threading.main_thread():
            raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(sink, "_FLUSH_EVERY", 1)
    monkeypatch.setattr(os, "fsync", fsync)
