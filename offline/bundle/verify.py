"""Verify a bundle in one pass and with nothing extracted: each file, each name, and that the images are whole.

`scripts/verify.sh` does the same on the unpacked folder with the operator's tools; both print the same lines
(docs/bundle-format.md, "Verification").
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import IO, TYPE_CHECKING

from offline.bundle import complete, contents, delta, layout, opened, sums
from offline.bundle.contents import Contents
from offline.bundle.names import is_safe
from offline.bundle.report import Bad, Report, named
from offline.errors import VerifyError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from offline.bundle.sums import Sums
    from offline.console import Console


def verify(archive: Path, console: Console) -> Report:
    """Verify a bundle's `.tar.gz`, or its parts by the parts file or one of them, showing progress; prints the lines.

    Raises UsageError where there is no such file, VerifyError (all that is bad was printed) where it is not whole.
    """
    report, _ = examine(archive, console)
    for line in report.lines():
        console.text(line)
    require_whole(archive, report, console)
    if report.omitted:
        console.say(f"{report.omitted} blobs are left out on purpose: the host must have them already")
    if report.since:
        console.say(f"this is a delta: deploy it only on a host that has release {' or '.join(report.since)}")
    return report


def require_whole(archive: Path, report: Report, console: Console) -> None:
    """Say what the report's words cannot, and raise VerifyError, unless nothing is bad."""
    for why in sorted({f"{bad.path}: {bad.why}" for bad in report.bad if bad.why}):
        console.say(why)
    if report.bad:
        raise VerifyError(
            f"{archive.name} is not the bundle that was made: {len(report.lines())} problems, named above",
            hint="copy the bundle again from where it was made and verify it there first; if that one is bad too, "
            "make the release again",
        )


def examine(archive: Path, console: Console) -> tuple[Report, Contents]:
    """Verify, showing progress; gives what was found too, by whole names, for who goes on with the bundle.

    Of parts, those that are not as they were made are named too, and the archive is judged if none lacks. Raises
    UsageError where there is no such file, or none that may be read.
    """
    source = opened.find(archive)
    with console.progress("verify", source.bytes) as progress, source.reading(progress.add) as stream:
        found = contents.read(stream) if source.is_complete else None
        bad = source.bad_parts(progress.add)
    if found is None:
        return Report(bad=bad), Contents()
    report = _judge(found, source.name)
    return replace(report, bad=(*report.bad, *bad)), found


def inspect(stream: IO[bytes], name: str) -> Report:
    """Verify the bundle that `stream` gives; `name` stands for the archive itself in the report."""
    return _judge(contents.read(stream), name)


def _judge(found: Contents, name: str) -> Report:
    bad = [Bad(reason="malformed", path=name, why=found.damage)] if found.damage else []
    tops = [path.partition(b"/")[0] for path in found.files if path.partition(b"/")[2] == layout.SUMS.encode()]
    if not tops:
        return Report(bad=tuple(bad) or (Bad(reason="missing", path=layout.SUMS),))
    inside, outside = found.under(tops[0])
    bad += named("unsafe", outside)
    text = inside.kept[layout.SUMS.encode()]
    try:
        listed = sums.parse(text)
    except sums.MalformedError as error:
        return Report(bad=(*bad, Bad(reason="malformed", path=layout.SUMS, why=str(error))))
    tables = _sound_tables(listed, inside)
    omitted, lacking = complete.check(listed.digests, tables)
    return Report(
        files=len(listed.digests),
        bytes=sum(file.size for path, file in inside.files.items() if path in listed.digests),
        sums=hashlib.sha256(text).hexdigest(),
        omitted=omitted,
        since=delta.since_of(tables.get(layout.OMITTED, b"").decode(errors="replace").splitlines()),
        bad=(*bad, *_compare(listed, inside), *lacking),
    )


def _compare(listed: Sums, inside: Contents) -> list[Bad]:
    """Each file against its line, each blob against its name, and what is there without being listed."""
    digests, files = listed.digests, inside.files
    absent = digests.keys() - files.keys() - inside.others if inside.all_seen else set()
    extra = files.keys() - digests.keys() - {layout.SUMS.encode()}
    names = files.keys() | inside.folders | inside.others
    return [
        *named("unsafe", listed.unsafe | {name for name in names if not is_safe(name)}),
        *named("duplicate", listed.duplicates | inside.duplicates),
        *named("notfile", filter(is_safe, inside.others)),
        *named("extra", filter(is_safe, extra)),
        *named("missing", absent),
        *named("changed", (name for name in digests.keys() & files.keys() if digests[name] != files[name].sha256)),
        *named("blob", _misnamed_blobs(digests)),
    ]


def _misnamed_blobs(digests: Mapping[bytes, str]) -> Iterator[bytes]:
    """A blob's name is its digest: comparing it with the listed one is enough, as the file is held against that."""
    prefix = f"{layout.BLOBS}/".encode()
    for name, digest in digests.items():
        if name.startswith(prefix) and name.removeprefix(prefix) != digest.encode():
            yield name


def _sound_tables(listed: Sums, inside: Contents) -> dict[str, bytes]:
    """The tables that are as listed: no other is looked into."""
    return {
        table: inside.kept[name]
        for table in complete.TABLES
        if (name := table.encode()) in inside.kept and listed.digests.get(name) == inside.files[name].sha256
    }
