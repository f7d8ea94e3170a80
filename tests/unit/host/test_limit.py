from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offline.host.limit import BURST, Bucket, Limiter

RATE = 1_000_000


@dataclass
class Time:
    """A clock that stands until somebody sleeps."""

    now: float = 100.0
    slept: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def test_what_was_taken_is_waited_for_by_whoever_comes_next() -> None:
    bucket, wait = Bucket(RATE).take(2 * RATE, 100.0)
    assert wait == 0.0
    _, wait = bucket.take(1, 100.5)
    assert wait == pytest.approx(2.0 - BURST - 0.5)


def test_after_a_pause_no_more_than_the_burst_goes_at_once() -> None:
    bucket, _ = Bucket(RATE).take(1, 0.0)
    bucket, wait = bucket.take(int(RATE * BURST), 1000.0)
    assert wait == 0.0
    _, wait = bucket.take(1, 1000.0)
    assert wait == 0.0
    bucket, _ = bucket.take(RATE, 1000.0)
    assert bucket.take(1, 1000.0)[1] == pytest.approx(1.0)


@given(
    st.lists(st.tuples(st.floats(0, 5), st.integers(1, 3 * RATE)), min_size=1, max_size=40),
    st.integers(1_000, 10**9),
)
def test_in_no_span_of_time_more_goes_than_the_rate_a_burst_and_one_write(
    takes: list[tuple[float, int]], rate: int
) -> None:
    bucket, now, gone = Bucket(rate), 0.0, []
    for pause, count in takes:
        now += pause
        bucket, wait = bucket.take(count, now)
        gone.append((now + wait, count))
    most = max(count for _, count in takes)
    for first, (begin, _) in enumerate(gone):
        total = 0
        for end, count in gone[first:]:
            total += count
            assert total <= rate * (end - begin + BURST) * (1 + 1e-9) + most + 1


def test_a_limiter_hands_on_all_bytes_in_order_at_its_rate() -> None:
    time, data = Time(), bytes(range(256)) * 20_000
    limiter = Limiter(RATE, clock=lambda: time.now, sleep=time.sleep)
    assert b"".join(limiter.paced(data)) == data
    assert abs(time.now - 100.0 - len(data) / RATE) < 2 * BURST


def test_slices_are_small_so_that_the_line_stays_smooth() -> None:
    time = Time()
    slices = [len(part) for part in Limiter(RATE, clock=lambda: time.now, sleep=time.sleep).paced(bytes(RATE))]
    assert max(slices) <= RATE * BURST
    assert max(time.slept) <= BURST


def test_what_two_hosts_get_together_keeps_to_the_rate() -> None:
    time = Time()
    limiter = Limiter(RATE, clock=lambda: time.now, sleep=time.sleep)
    hosts = [limiter.paced(bytes(RATE)), limiter.paced(bytes(RATE))]
    while any([next(host, None) is not None for host in hosts]):  # noqa: C419 - each of them goes on
        pass
    assert abs(time.now - 100.0 - 2.0) < 2 * BURST
