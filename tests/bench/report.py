"""What was measured, as Markdown, and whether it reaches what is promised. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.bench.ways import Measured

BEGIN, END = "<!-- bench:begin -->", "<!-- bench:end -->"


@dataclass(frozen=True, kw_only=True)
class Figures:
    """One run of the benchmark; the floor is measured before and after the rest."""

    machine: str
    images: int
    distinct: int
    """Bytes of all distinct layers, uncompressed."""
    floors: tuple[Measured, ...]
    seed: Measured
    first: Measured
    again: Measured

    @property
    def floor(self) -> float:
        """Seconds: the mean, because what else the machine does comes and goes."""
        return sum(floor.seconds for floor in self.floors) / len(self.floors)


@dataclass(frozen=True, kw_only=True)
class Reach:
    """One promise: what was measured, and what it must be."""

    what: str
    measured: float
    at_least: float | None = None
    at_most: float | None = None
    unit: str = "×"

    @property
    def reached(self) -> bool:
        return (self.at_least is None or self.measured >= self.at_least) and (
            self.at_most is None or self.measured <= self.at_most
        )

    @property
    def wanted(self) -> str:
        return f"≥ {self.at_least:g} {self.unit}" if self.at_least is not None else f"≤ {self.at_most:g} {self.unit}"


def reaches(figures: Figures) -> tuple[Reach, ...]:
    """Everything that is promised of these figures."""
    first, seed = figures.first, figures.seed
    peak = max(first.peak, figures.again.peak) / 1e6
    faster = seed.seconds / first.seconds
    return (
        Reach(what="first export + package, faster than the seed's way", measured=faster, at_least=8),
        Reach(what="its bytes, of the seed's way", measured=first.size / seed.size, at_most=0.55),
        Reach(what="its time, of the floor", measured=first.seconds / figures.floor, at_most=1.25),
        Reach(what="export + package with nothing changed", measured=figures.again.seconds, at_most=3, unit="s"),
        Reach(what="peak memory of the kit", measured=peak, at_most=200, unit="MB"),
    )


def render(figures: Figures) -> str:
    """The two tables."""
    ways = [
        *((f"the floor: one `docker save` of all, to /dev/null ({n})", way) for n, way in enumerate(figures.floors, 1)),
        ("the seed's way: `docker save` each, `md5sum`, `tar -czf`", figures.seed),
        ("`invoke export` + `package`, first time", figures.first),
        ("`invoke export` + `package`, nothing changed", figures.again),
    ]
    rows = [_row(name, way, figures) for name, way in ways]
    promised = [_promise(reach) for reach in reaches(figures)]
    return "\n".join(
        [
            f"{figures.images} images, {figures.distinct / 1e9:.2f} GB of distinct layers; {figures.machine}.",
            "",
            "| way | seconds | of the floor | bytes | of the seed's way | peak memory |",
            "| --- | --: | --: | --: | --: | --: |",
            *rows,
            "",
            "| measure | measured | reach | reached |",
            "| --- | --: | --: | --- |",
            *promised,
            "",
        ]
    )


def placed(text: str, table: str) -> str:
    """A document with the table between its markers. ValueError where it has none."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"no {BEGIN} … {END}")
    return f"{before}{BEGIN}\n{table}{END}{after}"


def failed(figures: Figures) -> Sequence[Reach]:
    """The promises that were not kept."""
    return [reach for reach in reaches(figures) if not reach.reached]


def _row(name: str, way: Measured, figures: Figures) -> str:
    size = f"{way.size / 1e6:,.0f} MB" if way.size else "-"
    share = f"{way.size / figures.seed.size:.2f} ×" if way.size else "-"
    of_floor = f"{way.seconds / figures.floor:.2f} ×"
    return f"| {name} | {way.seconds:.1f} | {of_floor} | {size} | {share} | {way.peak / 1e6:.0f} MB |"


def _promise(reach: Reach) -> str:
    reached = "yes" if reach.reached else "**no**"
    return f"| {reach.what} | {reach.measured:.2f} {reach.unit} | {reach.wanted} | {reached} |"
