"""The bundle, written straight from the layer store: no staging copy, under its name only when whole."""

from __future__ import annotations

import errno
import hashlib
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from offline import paths
from offline.bundle import delta, layout, manifest, payload, render, split, targz
from offline.bundle import facts as facts_file
from offline.errors import FailedError
from offline.sink import sinking
from offline.store import archive

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from offline.bundle.manifest import ReleaseFacts
    from offline.bundle.parts import Part
    from offline.bundle.payload import File, Item
    from offline.sink import Sink
    from offline.store.blobs import Store

ID_FORMAT = "%Y%m%d-%H%M%S"


@dataclass(frozen=True, kw_only=True)
class _Blob:
    """A blob of the store; a layer is compressed already, a config or a manifest is not."""

    digest: str
    size: int
    packed: bool


_Entry = payload.File | _Blob | None


@dataclass(frozen=True, kw_only=True)
class Written:
    """A bundle on disk; where it is in parts, `path` is its parts file, and size and digest are the whole's."""

    path: Path
    size: int
    sha256: str
    sums_sha256: str
    """Of SHA256SUMS, which verify.sh prints for comparison by eye."""
    parts: tuple[Part, ...] = ()


def small_files(facts: ReleaseFacts, items: Sequence[Item]) -> list[File]:
    """Everything of a bundle but the image blobs, without SHA256SUMS. Reads the host scripts."""
    images = {image.tag: image.stored for image in facts.images}
    described = archive.descriptions(images).items()
    texts = {
        layout.RELEASE: manifest.as_json(facts),
        layout.FACTS: facts_file.render(facts),
        layout.COMPOSE: render.compose(facts),
        **render.texts(facts),
        **{f"{layout.IMAGES}/{name}": data for name, data in described},
        **({layout.OMITTED: delta.table(facts.delta)} if facts.since and facts.delta else {}),
    }
    files = [*(payload.of_bytes(name, data) for name, data in texts.items()), *may_stay_out(facts, items)]
    return [file for file in files if file.name not in _left_out(facts)]


def _left_out(facts: ReleaseFacts) -> frozenset[str]:
    return facts.delta.files if facts.delta else frozenset()


def may_stay_out(facts: ReleaseFacts, items: Sequence[Item]) -> list[File]:
    """Those of them that an earlier release may have brought to a host: scripts, engine, payload."""
    return [*host_scripts(), *facts.engine, *(file for item in items for file in item.files)]


def host_scripts() -> list[File]:
    """The scripts of scripts/host/, byte for byte; those that an operator starts with lie at the top of the bundle.

    All but join.sh, which is needed before there is a bundle and lies beside its parts.
    """
    found = sorted(set(paths.HOST_SCRIPTS.rglob("*.sh")) - {paths.HOST_SCRIPTS / layout.JOIN_SCRIPT})
    return [payload.of_bytes(_script_name(path), path.read_bytes(), executable=True) for path in found]


def _script_name(path: Path) -> str:
    name = path.relative_to(paths.HOST_SCRIPTS).as_posix()
    return name if name in {layout.DEPLOY_SCRIPT, layout.ENGINE_SCRIPT} else f"{layout.SCRIPTS}/{name}"


def sums(facts: ReleaseFacts, files: Sequence[File]) -> bytes:
    """SHA256SUMS: every file but itself, sorted by bytes. Pure."""
    hashes = {file.name: file.sha256 for file in files}
    for digest in _blobs(facts):
        hashes[layout.blob(digest)] = digest.removeprefix("sha256:")
    return "".join(f"{hashes[name]}  {name}\n" for name in sorted(hashes, key=str.encode)).encode()


def write(
    facts: ReleaseFacts,
    items: Sequence[Item],
    *,
    store: Store,
    folder: Path,
    on_bytes: Callable[[int], None],
    part_size: int | None = None,
) -> Written:
    """Write `<folder>/<bundle>-<id>.tar.gz`, or the same bytes as parts of `part_size` bytes.

    Raises FailedError when the disk is full or a file changed meanwhile, VerifyError when a blob of the store is
    damaged; nothing is left under a final name then.
    """
    path = folder / f"{facts.top}{layout.ARCHIVE_SUFFIX}"
    files = small_files(facts, items)
    listed = sums(facts, files)
    entries = _entries(facts, [*files, payload.of_bytes(layout.SUMS, listed)])
    made: tuple[Part, ...] = ()
    try:
        if part_size is None:
            with paths.writing(path) as file, sinking(file) as sink:
                sha256 = _flow(sink, facts, entries, store, on_bytes)
        else:
            with split.splitting(path, part_size) as target, sinking(target) as sink:
                sha256 = _flow(sink, facts, entries, store, on_bytes)
                path, made = target.publish(sha256)
    except OSError as error:
        raise _explained(error, path) from None
    sums_sha256 = hashlib.sha256(listed).hexdigest()
    return Written(path=path, size=sink.size, sha256=sha256, sums_sha256=sums_sha256, parts=made)


def _flow(
    sink: Sink,
    facts: ReleaseFacts,
    entries: Sequence[tuple[str, _Entry]],
    store: Store,
    on_bytes: Callable[[int], None],
) -> str:
    """All entries into the sink, to its end; gives the digest of everything as hex."""
    created = datetime.strptime(facts.id, ID_FORMAT).replace(tzinfo=timezone.utc)
    tar = targz.TarGz(sink, mtime=int(created.timestamp()))
    for name, entry in entries:
        _add(tar, f"{facts.top}/{name}".rstrip("/"), entry, store, on_bytes)
    tar.finish()
    return sink.close()


def total_bytes(facts: ReleaseFacts, items: Sequence[Item]) -> int:
    """Bytes that will flow, for the progress line: blobs and payload."""
    files = [*facts.engine, *(file for item in items for file in item.files)]
    travels = (file.size for file in files if file.name not in _left_out(facts))
    return sum(_blobs(facts).values()) + sum(travels)


def _entries(facts: ReleaseFacts, files: Sequence[File]) -> list[tuple[str, _Entry]]:
    """All entries sorted by the bytes of their name: a file, a blob, or None for a folder."""
    entries: dict[str, _Entry] = {file.name: file for file in files}
    layers = {layer.digest for image in facts.images for layer in image.stored.layers}
    for digest, size in _blobs(facts).items():
        entries[layout.blob(digest)] = _Blob(digest=digest, size=size, packed=digest in layers)
    empty = [mount.bundle for mount in facts.mounts if mount.owner == "host" and not mount.single]
    for name in [*entries, *(f"{folder}/-" for folder in empty)]:
        parts = name.split("/")[:-1]
        entries |= {"/".join(parts[: count + 1]): None for count in range(len(parts))}
    entries[""] = None
    return sorted(entries.items(), key=lambda entry: entry[0].encode())


def _add(
    tar: targz.TarGz,
    name: str,
    entry: _Entry,
    store: Store,
    on_bytes: Callable[[int], None],
) -> None:
    if entry is None:
        tar.folder(name)
    elif isinstance(entry, _Blob):
        tar.stream(name, entry.size, _shown(store.reading(entry.digest), on_bytes), packed=entry.packed)
    elif entry.data is not None:
        tar.data(name, entry.data, executable=entry.executable)
        on_bytes(entry.size)
    else:
        tar.stream(name, entry.size, _shown(_unchanged(entry), on_bytes), packed=False)


def _unchanged(file: File) -> Iterator[bytes]:
    """The bytes of a payload file; FailedError when they are not those that were collected."""
    if file.path is None:  # pragma: no cover - a file without data has a path
        raise AssertionError
    digest, done = hashlib.sha256(), 0
    try:
        with file.path.open("rb") as opened:
            while piece := opened.read(1 << 20):
                digest.update(piece)
                done += len(piece)
                if done > file.size:
                    break
                yield piece
    except FileNotFoundError:
        done = -1
    if done != file.size or digest.hexdigest() != file.sha256:
        raise FailedError(
            f"{file.path}: this file changed while the bundle was written",
            hint="let whatever writes it finish, then run the same command again; no bundle was written",
        )


def _shown(pieces: Iterator[bytes], on_bytes: Callable[[int], None]) -> Iterator[bytes]:
    for piece in pieces:
        on_bytes(len(piece))
        yield piece


def _blobs(facts: ReleaseFacts) -> dict[str, int]:
    """The blobs that travel, with their sizes."""
    found = archive.blobs({image.tag: image.stored for image in facts.images})
    absent = facts.delta.blobs if facts.delta else frozenset()
    return {digest: size for digest, size in found.items() if digest not in absent}


def _explained(error: OSError, path: Path) -> FailedError:
    full = error.errno in {errno.ENOSPC, errno.EDQUOT}
    hint = f"{'free space there, or ' if full else ''}name another folder with OFFLINE_OUTPUT, then: invoke package"
    return FailedError(f"cannot write {path}: {error.strerror or error}; nothing was left under that name", hint=hint)
