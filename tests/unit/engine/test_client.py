from __future__ import annotations

import os
import tarfile
from typing import TYPE_CHECKING, Any

import docker
import pytest
import requests

from offline.engine import client, save
from offline.engine.client import Engine, Folder, connect, find_client
from offline.errors import FailedError, PreflightError
from offline.run import Result

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path


def installed(folder: Path, name: str = "docker") -> str:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.touch()
    path.chmod(0o755)
    return str(path)


class Clients:
    """What each docker client answers, by its path: its version, and whether it has buildx."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.known: dict[str, tuple[str, bool]] = {}
        self.context = ""
        monkeypatch.setattr(client, "run", self.run)

    def run(self, argv: Sequence[str], **_: Any) -> Result:
        version, buildx = self.known.get(argv[0], ("", False))
        out, code = self.context, 0
        if argv[1] == "buildx":
            out, code = "", 0 if buildx else 1
        elif argv[1] == "--version":
            out = version
        return Result(argv=tuple(argv), code=code, out=out, err="")


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> Clients:
    return Clients(monkeypatch)


OLD = ("Docker version 20.10.24+dfsg1, build 297e128\n", False)
NEW = ("Docker version 28.2.2, build e6534b4\n", False)
NEW_WITH_BUILDX = (NEW[0], True)


def test_the_first_client_that_can_use_buildkit_is_taken(tmp_path: Path, clients: Clients) -> None:
    first, second = installed(tmp_path / "a"), installed(tmp_path / "b")
    search = os.pathsep.join([str(tmp_path / "a"), "", str(tmp_path / "none"), str(tmp_path / "b")])
    clients.known = {first: NEW, second: OLD}
    assert find_client("auto", search=search) == second
    clients.known = {first: NEW_WITH_BUILDX, second: OLD}
    assert find_client("auto", search=search) == first


def test_without_one_every_client_that_was_found_is_named_with_what_it_lacks(tmp_path: Path, clients: Clients) -> None:
    first, second = installed(tmp_path / "a"), installed(tmp_path / "b")
    clients.known = {first: NEW}
    with pytest.raises(PreflightError) as caught:
        find_client("auto", search=os.pathsep.join([str(tmp_path / "a"), str(tmp_path / "b")]))
    assert caught.value.message == (
        "no docker client on PATH that can use BuildKit; found:\n"
        f"  {first}: Docker version 28.2.2, build e6534b4, without the buildx plugin\n"
        f"  {second}: gives no version, without the buildx plugin"
    )
    assert "sh scripts/bootstrap.sh" in caught.value.hint


def test_a_machine_without_any_client_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(PreflightError, match="found:\n  none at all"):
        find_client("auto", search=str(tmp_path))


def test_a_named_client_is_taken_as_it_is_and_a_missing_one_refused(tmp_path: Path) -> None:
    named = installed(tmp_path / "a", "podman")
    assert find_client(named) == named
    with pytest.raises(PreflightError, match="nope: no such program\n  next: mend OFFLINE_DOCKER"):
        find_client("nope")


class Sdk:
    """Docker's SDK as far as the kit uses it."""

    api_version = "1.41"

    def __init__(self, **answers: Any) -> None:
        self.answers = answers
        self.images = self.api = self
        self.tagged: list[tuple[str, str, str]] = []
        self.containers: list[str] = []

    def info(self) -> Any:
        return self._answer("info")

    def ping(self) -> Any:
        return self._answer("ping")

    def get(self, _: str) -> Any:
        self.attrs = self._answer("image")
        return self

    def tag(self, reference: str, repository: str, tag: str) -> None:
        self._answer("tag")
        self.tagged.append((reference, repository, tag))

    def create_container(self, image: str, command: list[str]) -> dict[str, str]:
        assert command, "an image without a command makes no container"
        self.containers.append(image)
        return {"Id": image}

    def remove_container(self, container: str, *, force: bool) -> None:
        assert force
        self.containers.remove(container)

    def get_archive(self, _: str, path: str, chunk_size: int) -> tuple[Iterator[bytes], dict[str, str]]:
        found = self._answer(path)
        if found is None:
            raise docker.errors.NotFound(path)
        data = found.tobuf() + bytes(10_000)
        return (data[at : at + 100] for at in range(0, len(data), min(100, chunk_size))), {}

    def _answer(self, name: str) -> Any:
        answer = self.answers.get(name)
        if isinstance(answer, Exception):
            raise answer
        return answer


def engine(**answers: Any) -> tuple[Engine, Sdk]:
    sdk = Sdk(**answers)
    return Engine(sdk, "docker", "unix:///engine.sock"), sdk  # type: ignore[arg-type]


INFO = {"ServerVersion": "28.5.2", "OSType": "linux", "Architecture": "x86_64"}


@pytest.mark.parametrize(
    ("status", "containerd"),
    [
        ([["driver-type", "io.containerd.snapshotter.v1"]], True),
        ([["Backing Filesystem", "extfs"], ["Supports d_type", "true"]], False),
        (None, False),
    ],
)
def test_the_engine_says_what_it_is(status: object, containerd: bool) -> None:  # noqa: FBT001 - a column of the table
    facts = engine(info={**INFO, "DriverStatus": status})[0].facts()
    assert (facts.version, facts.platform, facts.containerd_store) == ("28.5.2", "linux/amd64", containerd)


def test_an_arm_engine_is_named_as_images_name_it() -> None:
    assert engine(info={**INFO, "Architecture": "aarch64"})[0].facts().platform == "linux/arm64"


def test_facts_of_an_image() -> None:
    attributes = {
        "Id": "sha256:1",
        "RootFS": {"Layers": ["sha256:2"]},
        "Os": "linux",
        "Architecture": "amd64",
        "Size": 7,
    }
    facts = engine(image={**attributes, "RepoDigests": ["a@sha256:3"]})[0].image("a:1")
    assert facts is not None
    assert (facts.id, facts.layers, facts.size, facts.digests) == ("sha256:1", ("sha256:2",), 7, ("a@sha256:3",))
    bare = engine(image={**attributes, "RepoDigests": None, "RootFS": {"Layers": None}})[0].image("a:1")
    assert bare is not None
    assert (bare.layers, bare.digests) == ((), ())


def entry(kind: bytes, mode: int = 0o755, uid: int = 0, gid: int = 0) -> tarfile.TarInfo:
    made = tarfile.TarInfo("name")
    made.type, made.mode, made.uid, made.gid = kind, mode, uid, gid
    return made


def test_folders_of_an_image_are_read_from_a_container_that_never_runs() -> None:
    made, sdk = engine(**{"/opt": entry(tarfile.DIRTYPE, 0o41777, 7, 8), "/bin": entry(tarfile.SYMTYPE)})
    assert made.folders("a:1", ["opt", "bin", "none"]) == {"opt": Folder(mode=0o1777, uid=7, gid=8)}
    assert sdk.containers == []


def test_the_container_is_gone_when_the_engine_dies_meanwhile() -> None:
    made, sdk = engine(**{"/opt": requests.ConnectionError("boom")})
    with pytest.raises(FailedError, match="cannot look into image a:1: boom"):
        made.folders("a:1", ["opt"])
    assert sdk.containers == []


def test_how_an_image_is_run_is_its_configuration() -> None:
    assert engine(image={"Config": {"Cmd": ["a"]}})[0].configuration("a:1") == {"Cmd": ["a"]}
    assert engine(image={"Config": None})[0].configuration("a:1") == {}
    assert engine(image=docker.errors.ImageNotFound("no"))[0].configuration("a:1") == {}


def test_an_image_that_is_not_there_is_none() -> None:
    assert engine(image=docker.errors.ImageNotFound("no"))[0].image("a:1") is None


def test_a_name_with_a_registry_port_is_split_at_its_tag() -> None:
    made, sdk = engine()
    made.tag("sha256:1", "127.0.0.1:5000/a/b:1")
    assert sdk.tagged == [("sha256:1", "127.0.0.1:5000/a/b", "1")]


@pytest.mark.parametrize(
    "error", [docker.errors.APIError("boom", explanation="boom"), requests.ConnectionError("boom")]
)
def test_an_engine_that_dies_is_one_sentence_with_a_cure(error: Exception) -> None:
    with pytest.raises(FailedError, match=r"cannot look at image a:1: boom\n  next: start Docker"):
        engine(image=error)[0].image("a:1")


def test_an_engine_that_does_not_answer_is_a_lack_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Sdk(ping=requests.ConnectionError("refused"))
    monkeypatch.setattr(docker, "DockerClient", lambda **_: made)
    with pytest.raises(
        PreflightError, match=r"cannot reach the Docker engine: refused\n  next: start Docker"
    ) as caught:
        connect("docker", timeout=1)
    assert caught.value.exit_code == 5


@pytest.mark.parametrize(
    ("host", "context", "address"),
    [
        ("tcp://h:1", "unix:///ctx", "tcp://h:1"),
        ("", "unix:///ctx\n", "unix:///ctx"),
        ("", "", "unix:///var/run/docker.sock"),
    ],
)
def test_the_engine_is_the_one_the_client_talks_to(
    monkeypatch: pytest.MonkeyPatch, clients: Clients, host: str, context: str, address: str
) -> None:
    asked: list[str] = []
    saves: list[tuple[object, ...]] = []

    def made(*, base_url: str, **_: object) -> Sdk:
        asked.append(base_url)
        return Sdk()

    monkeypatch.setattr(docker, "DockerClient", made)
    monkeypatch.setattr(save, "saving", lambda *given: saves.append(given))
    monkeypatch.setenv("DOCKER_HOST", host)
    clients.context = context
    engine = connect("docker", timeout=1)
    assert engine.client == "docker"
    assert asked == [address]
    engine.saving(["a:1", "b:1"])
    assert saves == [(address, "docker", "1.41", ["a:1", "b:1"])]
