"""What was measured, as Markdown in two languages, and whether it reaches what is promised. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.bench.measuring import Measured

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.bench.ours import Released

EN, ZH = 0, 1
WAYS = {
    "hand": (
        "by hand: `docker save` each, `md5sum`, `tar -czf`",
        "手工：逐个 `docker save`，`md5sum`，`tar -czf`",
    ),
    "gzip": ("`docker save` of all, through `gzip`", "一次 `docker save` 全部，经 `gzip`"),
    "zstd": (
        "`docker save` of all, through `zstd` (20.10 cannot load it)",
        "一次 `docker save` 全部，经 `zstd`（20.10 无法加载）",
    ),
    "skopeo": ("`skopeo copy` each, one shared folder of blobs", "逐个 `skopeo copy`，共用 blob 目录"),
    "push": ("`docker push` each, to a registry on the loopback", "逐个 `docker push` 到本机仓库"),
    "floor": ("the floor: `docker save` of all, thrown away", "下限：`docker save` 全部，丢弃输出"),
    "first": ("**`invoke export package`, first time**", "**`invoke export package`，首次**"),
    "again": ("**the same, nothing changed**", "**同上，没有改动**"),
    "save": (
        "one file changed: `docker save` of that image, thrown away",
        "改一个文件：`docker save` 该镜像，丢弃输出",
    ),
    "pushed": ("one file changed: `docker push` of that image", "改一个文件：`docker push` 该镜像"),
    "whole": ("**one file changed: `invoke release`, beyond the build**", "**改一个文件：`invoke release`，构建以外**"),
    "delta": (
        "**one file changed: `invoke release --since`, beyond the build**",
        "**改一个文件：`invoke release --since`，构建以外**",
    ),
}
_HEAD = (
    "| way | seconds | of the floor | carried | of by hand | peak memory |",
    "| 方式 | 秒 | 相对下限 | 要携带的大小 | 相对手工 | 内存峰值 |",
)
_RULE = "| --- | --: | --: | --: | --: | --: |"
_ABSENT = ("not measured here", "此处未测")
_SET = (
    "{images} images, {distinct:.2f} GB of distinct layers, {machine}.",
    "{images} 个镜像，去重后的层共 {distinct:.2f} GB；{machine}。",
)


@dataclass(frozen=True, kw_only=True)
class Figures:
    """One run of the benchmark: each way by its name in `WAYS`, None where it was not measured."""

    machine: str
    images: int
    distinct: int
    """Bytes of all distinct layers, uncompressed."""
    floors: tuple[Measured, ...]
    """Measured around ours."""
    ways: Mapping[str, Measured | None]
    delta: Released
    changed: int
    """Bytes of payload that changed with the one file."""
    listing: Measured

    @property
    def floor(self) -> float:
        """Seconds: the mean, because what else the machine does comes and goes."""
        return sum(floor.seconds for floor in self.floors) / len(self.floors)

    def way(self, name: str) -> Measured:
        """One that is always measured."""
        measured = self.ways[name]
        if measured is None:
            raise KeyError(name)
        return measured


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
    first, again, hand = (figures.way(name) for name in ("first", "again", "hand"))
    over = (figures.delta.whole.size - figures.delta.layer - figures.changed) / 1024
    return (
        Reach(what="first export + package, faster than by hand", measured=hand.seconds / first.seconds, at_least=8),
        Reach(what="its bytes, of by hand", measured=first.size / hand.size, at_most=0.55),
        Reach(what="its time, of the floor", measured=first.seconds / figures.floor, at_most=1.25),
        Reach(what="export + package with nothing changed", measured=again.seconds, at_most=3, unit="s"),
        Reach(
            what="one file changed: up to a delta bundle, beyond the builds",
            measured=figures.delta.beyond.seconds,
            at_most=2,
            unit="s",
        ),
        Reach(what="delta bundle, beyond the changed layer and payload", measured=over, at_most=64, unit="KB"),
        Reach(what="peak memory of the kit", measured=max(first.peak, again.peak) / 1e6, at_most=200, unit="MB"),
        Reach(what="`invoke --list`", measured=figures.listing.seconds, at_most=0.3, unit="s"),
    )


def ways(figures: Figures, language: int) -> str:
    """The comparison as a table."""
    floor = Measured(seconds=figures.floor, peak=figures.floors[0].peak)
    named = {**figures.ways, "floor": floor, "delta": figures.delta.beyond}
    rows = [_row(names[language], named[name], figures, language) for name, names in WAYS.items() if name in named]
    shown = _SET[language].format(images=figures.images, distinct=figures.distinct / 1e9, machine=figures.machine)
    return "\n".join([shown, "", _HEAD[language], _RULE, *rows, ""])


def promises(figures: Figures) -> str:
    """What is promised of it, as a table."""
    head = ["| measure | measured | reach | reached |", "| --- | --: | --: | --- |"]
    return "\n".join([*head, *(promise(reach) for reach in reaches(figures)), ""])


def promise(reach: Reach) -> str:
    """One line of that table."""
    reached = "yes" if reach.reached else "**no**"
    return f"| {reach.what} | {reach.measured:.2f} {reach.unit} | {reach.wanted} | {reached} |"


def failed(promised: Sequence[Reach]) -> list[Reach]:
    """The promises that were not kept."""
    return [reach for reach in promised if not reach.reached]


def placed(text: str, name: str, table: str) -> str:
    """A document with the table between the markers of that name. ValueError where it has none."""
    opening, closing = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    before, begin, rest = text.partition(opening)
    _, end, after = rest.partition(closing)
    if not begin or not end:
        raise ValueError(f"no {opening} … {closing}")
    return f"{before}{opening}\n{table}{closing}{after}"


def _row(name: str, way: Measured | None, figures: Figures, language: int) -> str:
    if way is None:
        return f"| {name} | {_ABSENT[language]} | - | - | - | - |"
    hand = figures.way("hand").size
    size = _bytes(way.size) if way.size else "-"
    share = f"{way.size / hand:.2f} ×" if way.size >= hand / 200 else "-"
    of_floor = f"{way.seconds / figures.floor:.2f} ×"
    peak = f"{way.peak / 1e6:.0f} MB" if way.peak else "-"
    return f"| {name} | {way.seconds:.1f} | {of_floor} | {size} | {share} | {peak} |"


def _bytes(size: int) -> str:
    return f"{size / 1e6:,.0f} MB" if size >= 10_000_000 else f"{size / 1e3:,.0f} KB"
