"""Verify a bundle in one pass and with nothing extracted: each file, each name, and that the images are whole.

`scripts/verify.sh` does the same on the unpacked folder with the operator's tools; both print the same lines
(docs/bundle-format.md, "Verification").
"""

from __future__ import annotations

import hashlib
import io
from typing import IO, TYPE_CHECKING

from offline.bundle import complete, contents, layout, sums
from offline.bundle.names import is_safe, shown
from offline.bundle.report import Bad, Report, named
from offline.errors import UsageError, VerifyError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from _typeshed import WriteableBuffer

    from offline.bundle.contents import Contents
    from offline.bundle.sums import Sums
    from offline.console import Console, Progress


def verify(archive: Path, console: Console) -> Report:
    """Verify a bundle's `.tar.gz`, showing progress; prints the report's lines.

    Raises UsageError where there is no such file, VerifyError (all that is bad was printed) where it is not whole.
    """
    report = _read(archive, console)
    for line in report.lines():
        console.text(line)
    for why in sorted({f"{bad.path}: {bad.why}" for bad in report.bad if bad.why}):
        console.say(why)
    if report.bad:
        raise VerifyError(
            f"{archive.name} is not the bundle that was made: {len(report.lines())} problems, named above",
            hint="copy the bundle again from where it was made and verify it there first; if that one is bad too, "
            "make the release again",
        )
    if report.omitted:
        console.say(f"{report.omitted} blobs are left out on purpose: the host must have them already")
    return report


def inspect(stream: IO[bytes], name: str) -> Report:
    """Verify the bundle that `stream` gives; `name` stands for the archive itself in the report."""
    found = contents.read(stream)
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
    omitted, lacking = complete.check(listed.digests, _sound_tables(listed, inside))
    return Report(
        files=len(listed.digests),
        bytes=sum(file.size for path, file in inside.files.items() if path in listed.digests),
        sums=hashlib.sha256(text).hexdigest(),
        omitted=omitted,
        bad=(*bad, *_compare(listed, inside), *lacking),
    )


def _read(archive: Path, console: Console) -> Report:
    if archive.is_dir():
        raise UsageError(
            f"{archive}: a folder; this verifies the {layout.ARCHIVE_SUFFIX} file",
            hint=f"for an unpacked bundle: bash {archive / layout.VERIFY_SCRIPT}",
        )
    try:
        with archive.open("rb", buffering=0) as file, console.progress("verify", archive.stat().st_size) as progress:
            return inspect(
                io.BufferedReader(_Counting(file, progress)), shown(archive.name.encode(errors="surrogateescape"))
            )
    except FileNotFoundError:
        raise UsageError(f"{archive}: there is no such file", hint="name a bundle, or see dist/latest.json") from None
    except PermissionError:
        raise UsageError(f"{archive}: this file may not be read", hint="look at its owner and mode") from None


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


class _Counting(io.RawIOBase):
    """A file that reports the bytes read from it."""

    def __init__(self, file: io.FileIO, progress: Progress) -> None:
        self._file, self._progress = file, progress

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        count = self._file.readinto(buffer)
        self._progress.add(count)
        return count
