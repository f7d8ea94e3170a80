from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from offline.paths import KIT
from tests.bench import memory, report
from tests.bench.measuring import Measured
from tests.bench.ours import Released

if TYPE_CHECKING:
    from typing import Any

GOOD = report.Figures(
    machine="2 cores",
    images=5,
    distinct=2_200_000_000,
    floors=(Measured(seconds=19, peak=1), Measured(seconds=21, peak=1)),
    ways={
        "hand": Measured(seconds=200, size=1_000_000_000, peak=1),
        "skopeo": None,
        "first": Measured(seconds=25, size=550_000_000, peak=150_000_000),
        "again": Measured(seconds=3, size=550_000_000, peak=150_000_000),
    },
    delta=Released(whole=Measured(seconds=4, size=90_000, peak=1), builds=2, id="1", layer=20_000),
    changed=5_000,
    listing=Measured(seconds=0.3),
)


def test_every_reach_is_reached_at_its_limit() -> None:
    assert report.failed(report.reaches(GOOD)) == []


@pytest.mark.parametrize(
    ("harm", "what"),
    [
        ({"first": Measured(seconds=25.1, size=1, peak=1)}, ["faster than by hand", "its time, of the floor"]),
        ({"first": Measured(seconds=1, size=550_000_001, peak=1)}, ["its bytes"]),
        ({"again": Measured(seconds=3.1)}, ["nothing changed"]),
        ({"again": Measured(seconds=1, peak=200_000_001)}, ["peak memory"]),
    ],
)
def test_a_way_beyond_its_limit_is_missed(harm: dict[str, Any], what: list[str]) -> None:
    missed = [reach.what for reach in report.failed(report.reaches(replace(GOOD, ways={**GOOD.ways, **harm})))]
    assert len(missed) == len(what)
    assert all(part in reach for part, reach in zip(what, missed, strict=True))


@pytest.mark.parametrize(
    "figures",
    [
        replace(GOOD, delta=replace(GOOD.delta, builds=1.9)),
        replace(GOOD, delta=replace(GOOD.delta, layer=100)),
        replace(GOOD, listing=Measured(seconds=0.31)),
    ],
)
def test_so_are_a_slow_or_fat_delta_and_a_slow_listing(figures: report.Figures) -> None:
    assert len(report.failed(report.reaches(figures))) == 1


def test_the_table_has_a_line_for_each_way_in_both_languages() -> None:
    english, chinese = (report.ways(GOOD, language).splitlines() for language in (report.EN, report.ZH))
    assert len(english) == len(chinese) == 4 + len({*GOOD.ways, "floor", "delta"})
    assert english[0] == "5 images, 2.20 GB of distinct layers, 2 cores."
    assert english[4].endswith("| 200.0 | 10.00 × | 1,000 MB | 1.00 × | 0 MB |")
    assert english[5].endswith("| not measured here | - | - | - | - |")
    assert english[6].endswith("| 20.0 | 1.00 × | - | - | 0 MB |")
    assert english[-1].endswith("| 2.0 | 0.10 × | 90 KB | - | 0 MB |")
    assert all(chinese[number].split("|")[2:] == english[number].split("|")[2:] for number in (4, 6, 7))


def test_a_promise_that_was_not_kept_stands_out() -> None:
    assert "| **no** |" not in report.promises(GOOD)
    assert report.promises(replace(GOOD, listing=Measured(seconds=1))).count("| **no** |") == 1


def test_a_table_takes_the_place_of_the_one_before() -> None:
    text = "a\n<!-- bench:begin -->\nold\n<!-- bench:end -->\nb\n<!-- memory:begin -->\n<!-- memory:end -->\n"
    placed = report.placed(text, "bench", "new\n")
    assert placed == text.replace("old", "new")
    with pytest.raises(ValueError, match="transfer"):
        report.placed(text, "transfer", "new\n")


@pytest.mark.parametrize(
    ("page", "names"),
    [("docs/benchmark.md", ["bench", "memory"]), ("README.md", ["bench"]), ("README.zh-CN.md", ["bench"])],
)
def test_the_documents_have_room_for_the_tables(page: str, names: list[str]) -> None:
    text = (KIT / page).read_text(encoding="utf-8")
    assert all(report.placed(text, name, "x\n") != text for name in names)


@pytest.mark.parametrize(("peaks", "missed"), [({1: 100, 8: 110}, 0), ({1: 100, 8: 111}, 1), ({1: 2e8, 8: 2.1e8}, 1)])
def test_memory_is_little_and_the_same(peaks: dict[int, int], missed: int) -> None:
    assert len(report.failed(memory.reaches(peaks))) == missed
    assert f"| 8 GB | {peaks[8] / 1e6:.0f} MB |" in memory.render(peaks)


def test_what_is_made_to_measure_memory_is_a_file_of_the_size_that_its_header_says() -> None:
    data = b"".join(memory.blocks(3 << 20, 1))
    assert len(data) == (3 << 20) + 3 * 512
    assert data != b"".join(memory.blocks(3 << 20, 2))
