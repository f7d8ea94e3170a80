"""The files that an application adds to the image below it, built apart and put into the layer store as one layer.

A changed line of code is exported in a blink, whatever is below: nobody reads the base out of the engine again
(docs/decisions.md). What the engine built itself stays as it is, and tells how the image is run and whose its folders
are.
"""

from __future__ import annotations

import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

from offline import paths
from offline.engine import commands
from offline.images import dockerfile, tail
from offline.images.tail import NotApartError
from offline.run import CommandError, run
from offline.store import applayer
from offline.store.blobs import Store

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from offline.config.load import Config
    from offline.console import Console
    from offline.engine.client import Engine, Folder, ImageFacts
    from offline.images.build import Staged
    from offline.images.plan import BuildPlan
    from offline.store.applayer import AppLayer

_FOLDER_TIME = 1_704_067_200
"""Of folders and links: the build makes them anew each time. A file keeps the time that it has in the source."""
_CONFIG = (
    *("User", "ExposedPorts", "Env", "Entrypoint", "Cmd", "Volumes", "WorkingDir", "Labels"),
    *("StopSignal", "Healthcheck", "Shell", "OnBuild", "ArgsEscaped"),
)
_PIECE = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Built:
    """An image that the engine has just built, what of, and the local names of the bases."""

    facts: ImageFacts
    reference: str
    plan: BuildPlan
    ready: Staged
    tags: Mapping[str, str]
    config: Config
    engine: Engine

    @property
    def store(self) -> Store:
        """The layer store of this checkout."""
        return Store(self.config.work / "store")

    def stands_on(self, below: ImageFacts) -> bool:
        """Whether its layers go on where those of the other end."""
        return self.facts.layers[: len(below.layers)] == below.layers


def add(built: Built, before: AppLayer | None, console: Console) -> AppLayer | None:
    """Put what a built image adds into the layer store; None, and the reason said, where it cannot be had apart.

    An image that copies nothing from the source has no application of its own: None, and nothing to say. `before` is
    what the last build added; while nothing changed, it is taken again.
    """
    if before and _holds(before, built):
        return before
    if not dockerfile.copied(built.plan.text):
        return None
    try:
        return _added(built)
    except NotApartError as reason:
        role = built.reference.rpartition("/")[2].partition(":")[0]
        console.say(f"    {role}: a change is exported by reading all of it out of the engine: {reason}")
        return None


def layer(files: Path, folders: Mapping[str, Folder]) -> Iterator[bytes]:
    """A tar of copied files as the layer of an image: the same files give the same bytes.

    `folders` are those that are there without the copying, with the mode and owner that they have in the image.
    Raises NotApartError for a name that means something else in a layer (OCI image-spec 1.0, "Whiteouts").
    """
    with tarfile.open(files) as archive:
        for member in archive:
            if member.name.rpartition("/")[2].startswith(".wh."):
                raise NotApartError(f"a layer cannot hold the name {member.name}")
            yield _header(member, folders.get(member.name))
            content = archive.extractfile(member) if member.isreg() else None
            while content and (piece := content.read(_PIECE)):
                yield piece
            if content:
                yield bytes(-member.size % tarfile.BLOCKSIZE)
    yield bytes(2 * tarfile.BLOCKSIZE)


def _header(member: tarfile.TarInfo, folder: Folder | None) -> bytes:
    header = tarfile.TarInfo(member.name)
    header.type, header.size, header.linkname = member.type, member.size, member.linkname
    header.mode, header.uid, header.gid = member.mode & 0o7777, member.uid, member.gid
    if folder:
        header.mode, header.uid, header.gid = folder.mode, folder.uid, folder.gid
    header.mtime = int(member.mtime) if member.isreg() else _FOLDER_TIME
    return header.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")


def _holds(before: AppLayer, built: Built) -> bool:
    """Whether the engine built the same again, and what it added then can still be had."""
    blob = before.known.layer
    if before.built != built.facts.id or not built.store.has(blob.digest, blob.size):
        return False
    below = built.engine.image(before.below)
    return below is not None and built.stands_on(below)


def _added(built: Built) -> AppLayer:
    found = tail.read(built.plan.text, built.plan.args)
    below = built.tags[found.base] if found.base else _build_below(built, found.below)
    files, folders = _build_files(built, found, below)
    configuration = built.engine.configuration(built.reference)
    return applayer.AppLayer(
        below=below,
        built=built.facts.id,
        known=applayer.add(built.store, layer(files, folders)),
        config={key: value for key, value in configuration.items() if key in _CONFIG and value},
        history=tuple(" ".join(part.replace("\\\n", " ").split()) for part in found.instructions),
    )


def _build_below(built: Built, text: str) -> str:
    """Build what is below the application as an image of its own: the engine has every step of it in its cache."""
    tag = f"{built.reference.rpartition(':')[0]}:below"
    file = built.ready.dockerfile.with_name("Dockerfile-below")
    paths.write_text(file, dockerfile.staged(text, built.tags, built.plan.args, secrets=True))
    _run(
        commands.build(
            built.engine.client,
            context=built.ready.context,
            dockerfile=file,
            tag=tag,
            secrets=built.ready.secrets,
            args=built.plan.args,
        ),
        built.config,
    )
    return tag


def _build_files(built: Built, found: tail.Tail, tag: str) -> tuple[Path, dict[str, Folder]]:
    """Build the files alone into a tar; gives it and the folders in it that are there without it."""
    below = built.engine.image(tag)
    if below is None or not built.stands_on(below):
        raise NotApartError(f"it does not stand on {tag}")
    base = built.engine.configuration(tag)
    if base.get("OnBuild"):
        raise NotApartError(f"{tag} has ONBUILD instructions")
    workdir = str(base.get("WorkingDir") or "")
    file, files = (built.ready.dockerfile.with_name(name) for name in ("Dockerfile-app", "app.tar"))
    paths.write_text(file, tail.alone(found, workdir))
    _run(
        commands.build_files(built.engine.client, context=built.ready.context, dockerfile=file, into=files),
        built.config,
    )
    with tarfile.open(files) as archive:
        names = {member.name for member in archive if member.isdir()}
    wanted = sorted(names & tail.places(found.instructions, workdir))
    folders = built.engine.folders(built.reference, wanted)
    if odd := [name for name in wanted if name not in folders]:
        raise NotApartError(f"/{odd[0]} is a link in the image")
    return files, folders


def _run(argv: tuple[str, ...], config: Config) -> None:
    try:
        run(argv, env=commands.BUILD_ENVIRONMENT, timeout=config.release.timeouts.build)
    except CommandError as error:
        raise NotApartError(f"building its files apart failed: {error.tail.strip() or error.message}") from None
