"""A rate that transfers share, such as what an office's line can spare: nothing goes before its time."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BURST = 0.1
"""Seconds of the rate that may go at once after a pause."""
_SLICES = 20  # a second: what is written at once is so little that the line stays smooth
_LEAST = 1 << 10


@dataclass(frozen=True)
class Bucket:
    """A token bucket as one moment in time: `free` is when everything that was taken has gone. Bytes and seconds."""

    rate: float
    free: float = float("-inf")

    def take(self, count: int, now: float) -> tuple[Bucket, float]:
        """The bucket without `count` bytes, and the seconds until they may go. Pure."""
        begins = max(self.free, now - BURST)
        return replace(self, free=begins + count / self.rate), max(begins - now, 0.0)


class Limiter:
    """Holds threads back, so that what all of them write together keeps to `rate` bytes a second."""

    def __init__(
        self,
        rate: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._bucket = Bucket(rate)
        self._slice = max(int(rate / _SLICES), _LEAST)
        self._lock = threading.Lock()
        self._clock, self._sleep = clock, sleep

    def paced(self, data: bytes) -> Iterator[memoryview]:
        """Give the bytes in slices, each when it may go."""
        view = memoryview(data)
        for start in range(0, len(view), self._slice):
            part = view[start : start + self._slice]
            with self._lock:
                self._bucket, wait = self._bucket.take(len(part), self._clock())
            if wait > 0:
                self._sleep(wait)
            yield part
