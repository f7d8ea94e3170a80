"""Write a bundle as parts while its bytes flow: no whole file first, and no part under its name until all are whole."""

from __future__ import annotations

import errno
import hashlib
import os
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING

from offline import paths
from offline.bundle import layout, parts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from offline.bundle.parts import Part, Parts


class Splitter:
    """What a sink writes to: the next part begins where one is full. `publish` gives all of them their names."""

    def __init__(self, archive: Path, part_size: int, stack: ExitStack) -> None:
        self._archive = archive
        self._size = part_size
        self._stack = stack
        self._written: list[tuple[Path, Part]] = []
        self._begin()

    def write(self, data: bytes) -> int:
        """Take all of the bytes, over as many parts as they need."""
        view = memoryview(data)
        while view:
            if self._bytes == self._size:
                self._finish()
                self._begin()
            piece = view[: self._size - self._bytes]
            self._part.file.write(piece)
            self._digest.update(piece)
            self._bytes += len(piece)
            view = view[len(piece) :]
        return len(data)

    def fileno(self) -> int:
        """The descriptor of the part that is written now."""
        return self._part.file.fileno()

    def publish(self, sha256: str) -> tuple[Path, tuple[Part, ...]]:
        """Name the parts, then join.sh and the list, the parts file last; gives that and the parts.

        `sha256` is the whole's. What an earlier run left of the same archive goes first, so that no old list ever
        names new parts. When anything fails here, nothing keeps its name.
        """
        self._finish()
        made = tuple(part for _, part in self._written)
        whole = parts.Parts(
            archive=self._archive.name, bytes=sum(part.bytes for part in made), sha256=sha256, parts=made
        )
        named: list[Path] = []
        try:
            self._remove_earlier()
            for partial, part in self._written:
                named.append(self._archive.with_name(part.name))
                partial.chmod(0o644)
                partial.replace(named[-1])
            paths.sync_folder(self._archive.parent)
            file = _describe(self._archive, whole, named)
        except BaseException:
            for path in named:
                with suppress(OSError):
                    path.unlink(missing_ok=True)
            raise
        return file, made

    def _begin(self) -> None:
        if len(self._written) == parts.MOST:
            raise OSError(errno.EFBIG, f"it has more than {parts.MOST} parts of {self._size} bytes; make them bigger")
        self._part = self._stack.enter_context(paths.partial(self._archive.parent))
        self._digest = hashlib.sha256()
        self._bytes = 0

    def _finish(self) -> None:
        self._part.file.flush()
        os.fsync(self._part.file.fileno())
        self._part.file.close()
        name = layout.part(self._archive.name, len(self._written) + 1)
        part = parts.Part(name=name, bytes=self._bytes, sha256=self._digest.hexdigest())
        self._written.append((self._part.path, part))

    def _remove_earlier(self) -> None:
        """The parts file first: without it nothing is a set. Then the list, and parts beyond those of now."""
        earlier = [_beside(self._archive, layout.PARTS_SUFFIX), _beside(self._archive, layout.PARTS_LIST_SUFFIX)]
        earlier += [
            self._archive.with_name(layout.part(self._archive.name, number))
            for number in range(len(self._written) + 1, parts.MOST + 1)
        ]
        for path in earlier:
            path.unlink(missing_ok=True)


@contextmanager
def splitting(archive: Path, part_size: int) -> Iterator[Splitter]:
    """Give a target that writes `archive` as parts of `part_size` bytes; what was not published is gone at the end."""
    with ExitStack() as stack:
        yield Splitter(archive, part_size, stack)


def _describe(archive: Path, whole: Parts, named: list[Path]) -> Path:
    """Write what stands beside the parts; adds to `named` what is this set's own."""
    join = archive.with_name(layout.JOIN_SCRIPT)
    if not join.exists():
        named.append(join)
    with paths.writing(join, mode=0o755) as file:
        file.write((paths.HOST_SCRIPTS / layout.JOIN_SCRIPT).read_bytes())
    named.append(_beside(archive, layout.PARTS_LIST_SUFFIX))
    with paths.writing(named[-1]) as file:
        file.write(parts.as_list(whole.parts))
    named.append(_beside(archive, layout.PARTS_SUFFIX))
    with paths.writing(named[-1]) as file:
        file.write(parts.as_json(whole))
    return named[-1]


def _beside(archive: Path, suffix: str) -> Path:
    return archive.with_name(archive.name.removesuffix(layout.ARCHIVE_SUFFIX) + suffix)
