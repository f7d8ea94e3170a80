"""A bundle to be read from front to back, in one file or in parts: one stream, never a joined copy."""

from __future__ import annotations

import hashlib
import io
import os
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from offline.bundle import layout, parts
from offline.bundle.names import shown
from offline.bundle.report import Bad
from offline.errors import UsageError, VerifyError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from _typeshed import WriteableBuffer

    from offline.bundle.parts import Parts

_PIECE = 1 << 20
_MOST = 1 << 20  # bytes of a parts file; 999 parts take 180 kB


@dataclass(kw_only=True)
class Opened:
    """A bundle found on disk."""

    path: Path
    """The archive, or the parts file."""
    files: tuple[Path, ...]
    """What there is of it, in order."""
    parts: Parts | None = None
    _digests: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The file as a report shows it."""
        return shown(self.path.name.encode(errors="surrogateescape"))

    @property
    def bytes(self) -> int:
        """How much there is to read."""
        return sum(file.stat().st_size for file in self.files)

    @property
    def is_complete(self) -> bool:
        """Whether no part lacks under its name; what there is may still be damaged."""
        return self.parts is None or len(self.files) == len(self.parts.parts)

    @contextmanager
    def reading(self, on_bytes: Callable[[int], None]) -> Iterator[io.BufferedReader]:
        """Give the stream; it counts what is read."""
        with _Joined(self.files, on_bytes, self._digests if self.parts else None) as joined:
            yield io.BufferedReader(joined)

    def bad_parts(self, on_bytes: Callable[[int], None]) -> tuple[Bad, ...]:
        """What is wrong with the parts and their list; reads those that the stream did not come to the end of."""
        if self.parts is None:
            return ()
        folder, archive = self.path.parent, self.parts.archive
        for path in folder.iterdir():
            if parts.is_candidate(path.name, archive) and path.is_file() and path.name not in self._digests:
                self._digests[path.name] = _digest(path, on_bytes)
        return (*self._bad_list(), *parts.judge(self.parts.parts, self._digests))

    def _bad_list(self) -> Iterator[Bad]:
        """join.sh goes by the list."""
        name = self.path.name.removesuffix(layout.PARTS_SUFFIX) + layout.PARTS_LIST_SUFFIX
        path = self.path.with_name(name)
        if not path.is_file():
            yield Bad(reason="missing", path=name)
        elif self.parts and path.read_bytes() != parts.as_list(self.parts.parts):
            yield Bad(reason="changed", path=name)


def find(path: Path) -> Opened:
    """Find a bundle by its archive, its parts file or one of its parts.

    Raises UsageError where there is no such file, or one that may not be read, VerifyError for a damaged parts file.
    """
    if path.is_dir():
        raise UsageError(
            f"{path}: a folder; this reads the {layout.ARCHIVE_SUFFIX} file",
            hint=f"for an unpacked bundle: bash {path / layout.VERIFY_SCRIPT}",
        )
    name = parts.parts_file(path.name)
    file = path.with_name(name) if name else path
    if not file.exists():
        raise UsageError(f"{file}: there is no such file", hint="name a bundle, or see dist/latest.json")
    described = _described(file) if name else None
    beside = [file.with_name(part.name) for part in described.parts] if described else []
    files = tuple(path for path in beside if path.is_file()) if described else (file,)
    for unreadable in (path for path in files if not os.access(path, os.R_OK)):
        raise UsageError(f"{unreadable}: this file may not be read", hint="look at its owner and mode")
    return Opened(path=file, files=files, parts=described)


def _described(file: Path) -> Parts:
    try:
        with file.open("rb") as opened:
            return parts.read(opened.read(_MOST), file.name)
    except parts.MalformedError as error:
        raise VerifyError(f"{file}: {error}", hint="copy it again from where the parts were made") from None


def _digest(path: Path, on_bytes: Callable[[int], None]) -> str:
    """The digest of a file as hex, nothing where it cannot be read."""
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while piece := file.read(_PIECE):
                digest.update(piece)
                on_bytes(len(piece))
    except OSError:
        return ""
    return digest.hexdigest()


class _Joined(io.RawIOBase):
    """Files read as one; `digests`, where given, gets each one's when it was read to its end, "" where it could not."""

    def __init__(self, files: Sequence[Path], on_bytes: Callable[[int], None], digests: dict[str, str] | None) -> None:
        self._files = list(files)
        self._on_bytes = on_bytes
        self._digests = digests
        self._name = ""
        self._file: io.FileIO | None = None
        self._digest = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer).cast("B")
        while self._file or self._next():
            count = self._read(view)
            if count:
                return count
        return 0

    def close(self) -> None:
        if self._file:
            self._file.close()
        super().close()

    def _next(self) -> bool:
        if not self._files:
            return False
        path = self._files.pop(0)
        self._name, self._file = path.name, path.open("rb", buffering=0)
        self._digest = hashlib.sha256()
        return True

    def _read(self, view: memoryview) -> int:
        """Bytes of the file that is open; none at its end, where it is closed."""
        if self._file is None:  # pragma: no cover - readinto opens one first
            return 0
        try:
            count = self._file.readinto(view) or 0
        except OSError:
            self._end("")
            raise
        if self._digests is not None:
            self._digest.update(view[:count])
        self._on_bytes(count)
        if not count:
            self._end(self._digest.hexdigest())
        return count

    def _end(self, digest: str) -> None:
        if self._file:
            if self._digests is not None:
                self._digests[self._name] = digest
            self._file.close()
            self._file = None
