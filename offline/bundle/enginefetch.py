"""Bring the engine's files beside release.yml: downloaded, or taken from files given by hand."""

from __future__ import annotations

import hashlib
import urllib.error
import urllib.request
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

from offline import paths
from offline.bundle import enginekit
from offline.errors import FailedError, UsageError, VerifyError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from offline.bundle.enginekit import Part, Wanted
    from offline.console import Console

_READ = 1 << 20
_PATIENCE = 60


def fetch(files: Sequence[Wanted], given: Sequence[Path], *, platform: str, console: Console) -> dict[Part, str]:
    """Put each file in its place, checked; gives the sha256 of each.

    `given` are files to take instead of downloading, told apart by content. A file that is there as pinned stays.
    Raises UsageError for a given file that is none of them, FailedError when a download fails, VerifyError when the
    bytes are not those that release.yml pins; nothing is left under the file's name then.
    """
    by_hand = _by_part(given, platform)
    return {file.part: _bring(file, by_hand.get(file.part), platform, console) for file in files}


def _by_part(given: Sequence[Path], platform: str) -> dict[Part, Path]:
    parts: dict[Part, Path] = {}
    for path in given:
        if not path.is_file():
            raise UsageError(f"{path}: there is no such file")
        part = enginekit.recognise(path, platform)
        if part in parts:
            raise UsageError(f"--from names two files for {part}: {parts[part]} and {path}")
        parts[part] = path
    return parts


def _bring(file: Wanted, by_hand: Path | None, platform: str, console: Console) -> str:
    if file.sha256 and file.path.is_file() and _sha256(file.path) == file.sha256:
        console.say(f"{file.path}: already here, as pinned")
        return file.sha256
    origin = str(by_hand or file.url)
    with paths.partial(file.path.parent) as new, _opened(file, by_hand) as (source, size):
        digest = hashlib.sha256()
        with console.progress(f"{file.part} from {origin}", size) as progress:
            while piece := source.read(_READ):
                digest.update(piece)
                new.file.write(piece)
                progress.add(len(piece))
        new.file.flush()
        if file.sha256 and digest.hexdigest() != file.sha256:
            raise VerifyError(
                f"{origin}: sha256 {digest.hexdigest()}, but release.yml pins {file.sha256}; nothing was kept",
                hint="find out which of the two is right before you change the pin",
            )
        if enginekit.recognise(new.path, platform) != file.part:
            raise UsageError(f"{origin}: not what is wanted for {file.part}")
        new.keep(file.path)
    console.say(f"{file.path}: sha256 {digest.hexdigest()}")
    return digest.hexdigest()


@contextmanager
def _opened(file: Wanted, by_hand: Path | None) -> Iterator[tuple[IO[bytes], int | None]]:
    """The bytes and, where it is known, how many they are."""
    if by_hand:
        with by_hand.open("rb") as opened:
            yield opened, by_hand.stat().st_size
        return
    try:
        with urllib.request.urlopen(file.url, timeout=_PATIENCE) as answer:  # noqa: S310 - both addresses are https
            yield answer, int(answer.headers["Content-Length"]) if answer.headers["Content-Length"] else None
    except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
        raise FailedError(
            f"{file.url}: {getattr(error, 'reason', error)}",
            hint="where that site is not reached, fetch the file elsewhere and hand it over: "
            "invoke fetch-engine --from FILE",
        ) from None


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_READ):
            digest.update(piece)
    return digest.hexdigest()
