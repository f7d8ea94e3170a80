"""The engine as it is: which client can build, what the daemon says of itself and of images; tags."""

from __future__ import annotations

import os
import re
import shutil
import tarfile
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from offline.engine import save
from offline.errors import FailedError, PreflightError
from offline.run import run

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    import docker

_LAST_WITH_BUILDKIT_INSIDE = 22
_START_HINT = "start Docker, or let the kit do it: sh scripts/bootstrap.sh COMMAND"


@dataclass(frozen=True, kw_only=True)
class ImageFacts:
    """What the engine says of one image; `id` is the config digest on a classic store, else a manifest's."""

    id: str
    layers: tuple[str, ...]
    """diff_ids, lowest first."""
    size: int
    platform: str
    digests: tuple[str, ...]
    """`name@sha256:…` as the registry knows it; none for what was built or loaded."""


@dataclass(frozen=True, kw_only=True)
class Folder:
    """Mode and owner of a folder in an image."""

    mode: int
    uid: int
    gid: int


@dataclass(frozen=True, kw_only=True)
class EngineFacts:
    """What the daemon says of itself."""

    version: str
    platform: str
    containerd_store: bool


def find_client(wanted: str, *, search: str | None = None) -> str:
    """The docker client to use: the named one, or the first on PATH that can use BuildKit.

    A client up to 22 has BuildKit inside; a newer one needs the buildx plugin, and one without it refuses to build.
    Raises PreflightError that lists what was found.
    """
    if wanted != "auto":
        found = shutil.which(wanted)
        if found is None:
            raise PreflightError(f"docker: {wanted}: no such program", hint="mend OFFLINE_DOCKER, or leave it out")
        return found
    rejected: list[str] = []
    for folder in (search if search is not None else os.environ.get("PATH", "")).split(os.pathsep):
        client = shutil.which("docker", path=folder) if folder else None
        if client is None:
            continue
        reason = _cannot_build(client)
        if not reason:
            return client
        rejected.append(f"{client}: {reason}")
    listed = "\n".join(f"  {line}" for line in rejected) or "  none at all"
    raise PreflightError(f"no docker client on PATH that can use BuildKit; found:\n{listed}", hint=_START_HINT)


def _cannot_build(client: str) -> str:
    """Why a client cannot use BuildKit, or nothing."""
    if run([client, "buildx", "version"], check=False).code == 0:
        return ""
    version = run([client, "--version"], check=False).out
    match = re.search(r"version (\d+)\.", version)
    if match and int(match.group(1)) <= _LAST_WITH_BUILDKIT_INSIDE:
        return ""
    return f"{version.strip() or 'gives no version'}, without the buildx plugin"


class Engine:
    """A connection to the daemon that answers facts, sets tags and saves; building and loading go through the CLI."""

    def __init__(self, sdk: docker.DockerClient, client: str, address: str) -> None:
        self._sdk = sdk
        self._address = address
        self.client = client
        """Path of the docker client."""

    def facts(self) -> EngineFacts:
        """Version, platform and kind of image store."""
        with _explained("ask the engine what it is"):
            info: Mapping[str, Any] = self._sdk.info()
        status = dict(info.get("DriverStatus") or [])
        architecture = {"x86_64": "amd64", "aarch64": "arm64"}.get(info["Architecture"], info["Architecture"])
        return EngineFacts(
            version=info["ServerVersion"],
            platform=f"{info['OSType']}/{architecture}",
            containerd_store=status.get("driver-type", "").startswith("io.containerd.snapshotter"),
        )

    def image(self, reference: str) -> ImageFacts | None:
        """Facts of an image, or None where the engine has none of that name."""
        attributes = self._attributes(reference)
        if attributes is None:
            return None
        return ImageFacts(
            id=attributes["Id"],
            layers=tuple(attributes.get("RootFS", {}).get("Layers") or ()),
            size=attributes.get("Size", 0),
            platform=f"{attributes['Os']}/{attributes['Architecture']}",
            digests=tuple(attributes.get("RepoDigests") or ()),
        )

    def configuration(self, reference: str) -> dict[str, Any]:
        """How an image is run: its `Config`, empty where the engine has none of that name."""
        return (self._attributes(reference) or {}).get("Config") or {}

    def folders(self, reference: str, names: Sequence[str]) -> dict[str, Folder]:
        """Mode and owner of folders of an image, named without the first slash.

        What is no folder there, a link to one too, is not in the answer.
        """
        with _explained(f"look into image {reference}"):
            container = self._sdk.api.create_container(reference, command=["-"])["Id"]
            try:
                headers = {name: self._header(container, name) for name in names}
            finally:
                self._sdk.api.remove_container(container, force=True)
        return {
            name: Folder(mode=header.mode & 0o7777, uid=header.uid, gid=header.gid)
            for name, header in headers.items()
            if header and header.type == tarfile.DIRTYPE
        }

    def _header(self, container: str, name: str) -> tarfile.TarInfo | None:
        """The tar header of one path of a container, or None where there is none; the rest is not read."""
        import docker

        try:
            stream, _ = self._sdk.api.get_archive(container, f"/{name}", chunk_size=tarfile.BLOCKSIZE)
        except docker.errors.NotFound:
            return None
        block = b""
        with closing(stream):
            while len(block) < tarfile.BLOCKSIZE:
                block += next(stream)
        return tarfile.TarInfo.frombuf(block[: tarfile.BLOCKSIZE], "utf-8", "surrogateescape")

    def _attributes(self, reference: str) -> dict[str, Any] | None:
        import docker

        with _explained(f"look at image {reference}"):
            try:
                attributes: dict[str, Any] = self._sdk.images.get(reference).attrs
            except docker.errors.ImageNotFound:
                return None
        return attributes

    def tag(self, reference: str, name: str) -> None:
        """Give an image another name."""
        repository, _, tag = name.rpartition(":")
        with _explained(f"tag {reference} as {name}"):
            self._sdk.api.tag(reference, repository, tag)

    def saving(self, references: Sequence[str]) -> AbstractContextManager[save.Stream]:
        """Let it begin with a save of images, and give the stream; SaveError as `offline.engine.save` says."""
        return save.saving(self._address, self.client, self._sdk.api.api_version, references)


def connect(client: str, *, timeout: int) -> Engine:
    """Connect to the daemon that the client talks to (DOCKER_HOST, else its current context).

    Raises PreflightError when none answers within `timeout` seconds.
    """
    import docker

    address = _address(client)
    with _explained("reach the Docker engine", PreflightError):
        sdk = docker.DockerClient(base_url=address, timeout=timeout)
        sdk.ping()
    return Engine(sdk, client, address)


def _address(client: str) -> str:
    if os.environ.get("DOCKER_HOST"):
        return os.environ["DOCKER_HOST"]
    context = run([client, "context", "inspect", "--format", "{{.Endpoints.docker.Host}}"], check=False)
    return context.out.strip() or "unix:///var/run/docker.sock"


@contextmanager
def _explained(doing: str, kind: type[PreflightError | FailedError] = FailedError) -> Iterator[None]:
    """Turn what the SDK and its HTTP library raise into one sentence."""
    import docker
    import requests

    try:
        yield
    except (docker.errors.DockerException, requests.RequestException) as error:
        reason = getattr(error, "explanation", None) or str(error)
        raise kind(f"cannot {doing}: {reason}", hint=_START_HINT) from None
