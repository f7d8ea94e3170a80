from __future__ import annotations

import io
import json

import pytest

from offline.console import Console
from offline.host.outcome import Outcome, Step, line, show, worst
from tests.unit.host.things import bundle


@pytest.mark.parametrize(
    ("codes", "expected"),
    [([], 0), ([0, 0], 0), ([0, 4], 4), ([4, 5], 5), ([5, 3], 3), ([3, 6], 6), ([6, 7], 7), ([7, 1], 1), ([1, 8], 8)],
)
def test_the_worst_of_several_hosts_is_in_the_order_of_the_design(codes: list[int], expected: int) -> None:
    assert worst(codes) == expected


def test_json_has_the_shape_that_scripts_rely_on() -> None:
    out = io.StringIO()
    outcome = Outcome(
        host="root@web1",
        exit=0,
        release="20261123-220000",
        bytes_sent=1234,
        seconds=1.5,
        steps=(Step(name="facts", seconds=0.5),),
        addresses=("http://web1:8002/",),
    )
    show(Console(out, io.StringIO()), [outcome], as_json=True)
    assert json.loads(out.getvalue()) == {
        "hosts": [
            {
                "host": "root@web1",
                "exit": 0,
                "release": "20261123-220000",
                "bytes_sent": 1234,
                "seconds": 1.5,
                "steps": [{"name": "facts", "seconds": 0.5}],
                "addresses": ["http://web1:8002/"],
            }
        ]
    }


def test_one_line_says_how_a_host_ended() -> None:
    outcome = Outcome(host="web1", exit=7, release="1", bytes_sent=2_000_000, seconds=65)
    assert line(outcome) == "web1: failed with 7, release 1, 2 MB sent, 1 min 5 s"


def test_addresses_are_the_published_ports_of_the_mode_that_a_probe_knows() -> None:
    assert bundle().addresses("10.0.0.7", "all") == ("http://10.0.0.7:8002/", "ws://10.0.0.7:8000/ws/")
    alone = ("ws://10.0.0.7:8000/ws/", "http://10.0.0.7:8000/alone")
    assert bundle().addresses("10.0.0.7", "single") == alone
