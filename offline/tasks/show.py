"""What a task shows at its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from offline.console import human_bytes, human_seconds

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from offline.bundle.diff import Difference
    from offline.bundle.enginekit import Part, Wanted
    from offline.config.load import Config
    from offline.console import Console
    from offline.release.outcome import Outcome


def show_outcome(console: Console, outcome: Outcome, *, as_json: bool) -> None:
    """One table for people, or one JSON object."""
    if as_json:
        console.result(outcome.as_json())
        return
    new = {image.role: image.new_bytes for image in outcome.exported}
    rows = [
        (image.role, image.tag, human_bytes(image.bytes), human_bytes(new.get(image.role, 0)))
        for image in outcome.facts.images
    ]
    console.table("Images", ("role", "tag", "compressed", "new in the store"), rows)
    stages = ", ".join(f"{stage.name} {human_seconds(stage.seconds)}" for stage in outcome.stages)
    written = outcome.written
    console.text(f"\nRelease  {outcome.id}   ({stages})")
    console.text(f"Bundle   {written.path}")
    for part in written.parts:
        console.text(f"Part     {part.name} ({part.bytes} bytes)")
    console.text(f"Size     {human_bytes(written.size)} ({written.size} bytes)")
    console.text(f"sha256   {written.sha256}")
    for identity in outcome.facts.since:
        console.text(f"Needs    a host that has release {identity}" + ("" if len(outcome.facts.since) == 1 else ", or"))
    for name in outcome.facts.left_out:
        console.text(f"Left out {name} (optional, not in the source)")
    console.text(f"Next     invoke verify {written.path}")


def show_difference(console: Console, difference: Difference, *, as_json: bool) -> None:
    """Line by line for people, or one JSON object."""
    from offline.bundle.diff import lines

    if as_json:
        console.result(difference.as_json())
        return
    for line in lines(difference):
        console.text(line)


def show_config(console: Console, config: Config, *, as_json: bool) -> None:
    """Every value with its origin."""
    from offline.config.show import rows

    if as_json:
        console.result({path: {"value": value, "origin": origin} for path, value, origin in rows(config)})
        return
    console.text(f"# {config.file} ({config.why})")
    for path, value, origin in rows(config):
        console.text(f"{path} = {value}    [{origin}]")


def show_engine(console: Console, file: Path, files: Sequence[Wanted], found: Mapping[Part, str]) -> None:
    """What was brought; for what release.yml does not pin yet, the section to put there."""
    from offline.bundle.enginekit import section

    if all(wanted.sha256 for wanted in files):
        console.text(f"The engine that {file} names is here; `invoke package` puts it into the bundle.")
        return
    docker, compose = (
        (wanted.version, wanted.path.relative_to(file.parent).as_posix(), found[wanted.part]) for wanted in files
    )
    console.text(f"Put this into {file}; from then on only these bytes are taken:\n")
    console.text(section(docker, compose))


def verify_bundle(console: Console, path: Path) -> None:
    """Verify a bundle and say so."""
    from offline.bundle.verify import verify

    verify(path, console)
