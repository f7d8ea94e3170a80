"""A plan carried out: one stream over ssh, read from the bundle's archive as it flows, nothing staged here.

The host takes orders, a line each, and after some of them bytes (scripts/remote/receive.sh).
"""

from __future__ import annotations

import io
import tarfile
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING

from isal import igzip

from offline.bundle import extents, layout
from offline.bundle.tarstream import DamagedError, entries
from offline.errors import FailedError, LockedError, VerifyError
from offline.host import layout as host_layout
from offline.host import plan as plans
from offline.run import CommandError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from offline.bundle.extents import Archive, Extent
    from offline.bundle.tarstream import Content, Entry
    from offline.host.bundle import Bundle
    from offline.host.connection import Connection
    from offline.host.limit import Limiter
    from offline.host.plan import Piece, Plan

_TOGETHER = 4 << 20  # bytes of small files that go in one tar


def send(
    bundle: Bundle,
    plan: Plan,
    connection: Connection,
    root: str,
    *,
    on_bytes: Callable[[int], None] = lambda _: None,
    limiter: Limiter | None = None,
) -> None:
    """Put the bundle's folder together on the host, as fast as the line and the `limiter` let it.

    Raises LostError when the connection breaks (what arrived stays, and a new plan goes on there), LockedError when
    somebody else is at work there, VerifyError when the archive is not what was verified any more.
    """
    try:
        with connection.sending(host_layout.RECEIVE_SCRIPT, root, bundle.top) as sink:
            pipe = sink.fileno() if extents.can_hand_on() and not limiter else None
            orders = _Orders(sink, on_bytes, limiter.paced if limiter else _at_once, pipe)
            try:
                _give(bundle, plan, orders)
            finally:
                connection.bytes_sent += orders.sent
    except CommandError as error:
        raise _explained(error, connection.target.given) from None
    except DamagedError as error:
        raise VerifyError(f"{bundle.archive}: it changed while it was sent: {error}") from None


def _give(bundle: Bundle, plan: Plan, orders: _Orders) -> None:
    for source, path in plan.copies:
        orders.order("copy", source, path)
    orders.file(layout.SUMS, plan.sums)
    if plan.omitted:
        orders.file(layout.OMITTED, plans.table(plan.omitted))
    _give_content(bundle, plan, orders)
    orders.flush()
    for name, path in plan.places:
        orders.order("place", name, path)
    orders.order("end")


def _give_content(bundle: Bundle, plan: Plan, orders: _Orders) -> None:
    """Read the archive as far as something of it is wanted."""
    pieces = {piece.hex: piece for piece in plan.pieces}
    wanted = {path: pieces[name] for name, path in plan.places if name in pieces}
    small = set(plan.small)
    if not wanted and not small:
        return
    prefix = f"{bundle.top}/"
    with bundle.archive.open("rb", buffering=0) as file:
        archive = extents.Archive(file)
        for entry, content in entries(archive):
            path = entry.name.decode().removeprefix(prefix)
            if path in small:
                orders.file(path, b"".join(content), executable=entry.executable)
                small.remove(path)
            elif path in wanted and wanted[path].hex in pieces:
                orders.piece(pieces.pop(wanted[path].hex), entry, content, archive)
            else:
                archive.pass_over(content)
            if not small and not pieces:
                return
    raise DamagedError("files that it had are gone")


@dataclass
class _Orders:
    """The stream to the host. Small files wait for company, at most `_TOGETHER` bytes of them."""

    sink: IO[bytes]
    on_bytes: Callable[[int], None]
    paced: Callable[[bytes], Iterable[bytes | memoryview]]
    pipe: int | None
    """Where the kernel itself may put bytes."""
    sent: int = 0
    waiting: list[tuple[tarfile.TarInfo, bytes]] = field(default_factory=list)
    waiting_bytes: int = 0

    def order(self, *words: str) -> None:
        """One line."""
        self._write("\t".join(words).encode() + b"\n")

    def file(self, path: str, data: bytes, *, executable: bool = False) -> None:
        """A small file."""
        member = tarfile.TarInfo(path)
        member.size, member.mode = len(data), 0o755 if executable else 0o644
        self.waiting.append((member, data))
        self.waiting_bytes += len(data)
        if self.waiting_bytes >= _TOGETHER:
            self.flush()

    def flush(self) -> None:
        """Send the small files that wait."""
        if not self.waiting:
            return
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w", format=tarfile.GNU_FORMAT) as tar:
            for member, data in self.waiting:
                tar.addfile(member, io.BytesIO(data))
        sent = igzip.compress(packed.getvalue())
        self.order("tar", str(len(sent)))
        self._write(sent)
        self.on_bytes(self.waiting_bytes)
        self.waiting, self.waiting_bytes = [], 0

    def piece(self, piece: Piece, entry: Entry, content: Content, archive: Archive) -> None:
        """What the host lacks of a piece."""
        if entry.size != piece.size:
            raise DamagedError("a file has another size than it had")
        self.order("piece", piece.hex, str(piece.offset), str(piece.bytes))
        for _ in archive.runs(content, piece.offset):
            pass
        for run in archive.runs(content, piece.bytes):
            rest = run if isinstance(run, bytes) else self._hand_on(run, archive)
            if rest:
                self._write(archive.bytes_of(rest), self.on_bytes)

    def _hand_on(self, extent: Extent, archive: Archive) -> Extent:
        """Give what the kernel could not move."""
        if self.pipe is None:
            return extent
        self.sink.flush()
        rest = archive.hand_on(extent, self.pipe)
        moved = extent.size - rest.size
        self.sent += moved
        self.on_bytes(moved)
        if rest:
            self.pipe = None
        return rest

    def _write(self, data: bytes, on_bytes: Callable[[int], None] = lambda _: None) -> None:
        for part in self.paced(data):
            self.sink.write(part)
            self.sent += len(part)
            on_bytes(len(part))


def _at_once(data: bytes) -> tuple[bytes]:
    return (data,)


def _explained(error: CommandError, host: str) -> Exception:
    last = "\n".join(error.tail.strip().splitlines()[-3:])
    if error.code == LockedError.exit_code:
        return LockedError(f"{host}: {last}", hint="wait until that has ended, then run this again")
    return FailedError(f"{host}: the bundle could not be put together there: {last}", hint="see to that, and run again")
