"""An engine in memory: what the kit asks of one, answered from images made of bytes. It records every command line."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from offline.engine.client import Engine, Folder, ImageFacts
from offline.engine.save import SaveError
from offline.images import apart, bases, bootstrap, build, dockerfile, obtain, source
from offline.run import CommandError, Result
from tests.unit.store import streams

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import pytest

CLIENT = "docker"
VERSIONS = {
    "mariadbd": "mariadbd  Ver 10.11.6-MariaDB-0+deb12u1 for debian-linux-gnu on x86_64 (Debian 12)\n",
    "redis-server": "Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=0\n",
    "mysqld": "/usr/sbin/mysqld  Ver 8.0.42 for Linux on x86_64 (MySQL Community Server - GPL)\n",
}


@dataclass(frozen=True)
class Loaded(streams.Image):
    """An image whose config came with it."""

    raw: bytes = b""

    @property
    def config(self) -> bytes:
        return self.raw


@dataclass
class ModelEngine(Engine):
    """Images by name; a registry by reference; what each program says of its version."""

    images: dict[str, streams.Image] = field(default_factory=dict)
    registry: dict[str, streams.Image] = field(default_factory=dict)
    refusals: dict[str, str] = field(default_factory=dict)
    """What a registry answers for a reference that it does not have."""
    versions: dict[str, str] = field(default_factory=lambda: dict(VERSIONS))
    broken: set[str] = field(default_factory=set)
    """Commands that fail: build, load, save, mmdebstrap."""
    asked: list[tuple[str, ...]] = field(default_factory=list)
    contexts: dict[str, dict[str, bytes]] = field(default_factory=dict)
    """What the last build of a tag could see, its Dockerfile as `Dockerfile` and secrets by id."""
    client: str = CLIENT
    digests: dict[str, str] = field(default_factory=dict)
    configurations: dict[str, dict[str, Any]] = field(default_factory=dict)
    """The `Config` of an image that has more than none."""
    links: set[str] = field(default_factory=set)
    """What is a link to a folder in every image."""

    def install(self, monkeypatch: pytest.MonkeyPatch) -> ModelEngine:
        """Stand where processes would be started."""
        for module, names in (
            (bases, ("run", "follow", "writing_to")),
            (obtain, ("run",)),
            (apart, ("run",)),
            (build, ("follow",)),
            (bootstrap, ("follow", "writing_to")),
            (source, ("run",)),
        ):
            for name in names:
                monkeypatch.setattr(module, name, getattr(self, name))
        monkeypatch.setattr(bases, "_FIRST_WAIT", 0.0)
        monkeypatch.setattr(bootstrap, "unavailable", lambda: "")
        return self

    def commands(self, word: str) -> list[tuple[str, ...]]:
        """The command lines with that subcommand, or of that program."""
        return [argv for argv in self.asked if word in argv[:3]]

    def image(self, reference: str) -> ImageFacts | None:
        found = self.images.get(reference)
        if found is None:
            return None
        digest = self.digests.get(reference)
        size = sum(len(layer) for layer in found.layers)
        return ImageFacts(
            id=found.id,
            layers=found.diff_ids,
            size=size,
            platform=found.platform,
            digests=(digest,) if digest else (),
        )

    def configuration(self, reference: str) -> dict[str, Any]:
        return self.configurations.get(reference, {})

    def folders(self, reference: str, names: Sequence[str]) -> dict[str, Folder]:
        self.asked.append(("folders", reference, *names))
        return {name: Folder(mode=0o750, uid=7, gid=8) for name in names if name not in self.links}

    def tag(self, reference: str, name: str) -> None:
        self.images[name] = self.images[reference]

    def run(self, argv: Sequence[str], *, check: bool = True, **_: Any) -> Result:
        self.asked.append(tuple(argv))
        code, out, err = self._answer(tuple(argv))
        if check and code:
            raise CommandError(argv, code, err)
        return Result(argv=tuple(argv), code=code, out=out, err=err)

    def follow(
        self, argv: Sequence[str], on_line: Callable[[str], None], *, stdin: Path | None = None, **_: Any
    ) -> None:
        self.asked.append(tuple(argv))
        word = argv[0] if argv[0] == "mmdebstrap" else argv[1]
        if word in self.broken:
            raise CommandError(argv, 1, f" > [2/3] RUN false:\n#9 0.1 {word} is broken\n")
        if word == "mmdebstrap":
            on_line("I: installing packages...")
            Path(next(part for part in argv if part.endswith("root.tar"))).write_bytes(streams.layer(b"debian"))
        elif word == "load":
            assert stdin is not None
            for name in self._load(stdin.read_bytes()):
                on_line(f"Loaded image: {name}")
        else:
            self._build(tuple(argv), on_line)

    @contextmanager
    def writing_to(self, argv: Sequence[str], **_: Any) -> Iterator[IO[bytes]]:
        self.asked.append(tuple(argv))
        sink = io.BytesIO()
        yield sink
        if "load" in self.broken:
            raise CommandError(argv, 1, "Error processing tar file")
        self._load(sink.getvalue())

    @contextmanager
    def saving(self, references: Sequence[str]) -> Iterator[IO[bytes]]:
        self.asked.append(("save", *references))
        if "save" in self.broken:
            raise SaveError("the daemon is gone")
        kept = [Loaded(name, self.images[name].layers, raw=self.images[name].config) for name in references]
        yield io.BytesIO(streams.stream(streams.classic(kept)))

    def _answer(self, argv: tuple[str, ...]) -> tuple[int, str, str]:
        if argv[0] == "git":
            return (0, "c0ffee\n", "") if "rev-parse" in argv else (0, "", "")
        if argv[1] == "pull":
            return self._pull(argv[-1])
        if argv[1] == "build":
            return self._build_apart(argv)
        program = argv[argv.index("--entrypoint") + 1]
        return 0, self.versions[program], ""

    def _pull(self, reference: str) -> tuple[int, str, str]:
        if reference not in self.registry:
            return 1, "", self.refusals.get(reference, "dial tcp: lookup registry-1.docker.io: no such host")
        self.images[reference] = self.registry[reference]
        self.digests[reference] = f"{reference.rpartition(':')[0]}@{self.registry[reference].id}"
        return 0, "", ""

    def _load(self, data: bytes) -> list[str]:
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            files = {member.name: archive.extractfile(member) for member in archive.getmembers()}
        contents = {name: file.read() for name, file in files.items() if file}
        names: list[str] = []
        for entry in json.loads(contents["manifest.json"]):
            layers = tuple(_raw(contents[name]) for name in entry["Layers"])
            for name in entry["RepoTags"]:
                self.images[name] = Loaded(name, layers, raw=contents[entry["Config"]])
                names.append(name)
        return names

    def _build(self, argv: tuple[str, ...], on_line: Callable[[str], None]) -> None:
        tag, file, context = argv[argv.index("--tag") + 1], Path(argv[argv.index("--file") + 1]), Path(argv[-1])
        secrets = [word.removeprefix("id=").split(",src=") for word in argv if word.startswith("id=")]
        seen = _seen(context)
        self.contexts[tag] = {
            **seen,
            "Dockerfile": file.read_bytes(),
            **{name: Path(source).read_bytes() for name, source in secrets},
        }
        base = self.images.get(dockerfile.read(file.read_text()).bases[-1])
        if base is None:
            raise CommandError(argv, 1, " > [internal] load metadata:\n#3 ERROR: no such image")
        on_line("#5 [2/2] COPY . .")
        on_line("#5 DONE 0.1s")
        self.images[tag] = streams.Image(tag, (*base.layers, *_layers(file.read_text(), seen)))

    def _build_apart(self, argv: tuple[str, ...]) -> tuple[int, str, str]:
        """A build that makes files instead of an image, or one whose every step is in the cache."""
        if "apart" in self.broken:
            return 1, "", "no such output"
        if "--output" not in argv:
            self._build(argv, lambda _: None)
            return 0, "", ""
        seen = _seen(Path(argv[-1]))
        target = argv[argv.index("--output") + 1].partition("dest=")[2].rstrip('"')
        with tarfile.open(target, "w") as archive:
            for name in ("opt", "opt/app"):
                folder = tarfile.TarInfo(name)
                folder.type, folder.mode = tarfile.DIRTYPE, 0o755
                archive.addfile(folder)
            content = _joined(seen)
            file = tarfile.TarInfo("opt/app/all")
            file.size = len(content)
            archive.addfile(file, io.BytesIO(content))
        return 0, "", ""


def _seen(context: Path) -> dict[str, bytes]:
    return {path.relative_to(context).as_posix(): path.read_bytes() for path in context.rglob("*") if path.is_file()}


def _joined(seen: dict[str, bytes]) -> bytes:
    return b"".join(f"{name}\n".encode() + seen[name] for name in sorted(seen))


def _layers(text: str, seen: dict[str, bytes]) -> list[bytes]:
    """A layer for each RUN and COPY of the last stage; what is copied shows in it."""
    layers: list[bytes] = []
    for instruction in dockerfile.instructions(text):
        word = instruction.split()[0].upper()
        if word == "FROM":
            layers = []
        elif word in {"RUN", "COPY", "ADD"}:
            layers.append(streams.layer(instruction.encode() + (b"" if word == "RUN" else _joined(seen))))
    return layers


def _raw(layer: bytes) -> bytes:
    return gzip.decompress(layer) if layer.startswith(b"\x1f\x8b") else layer
