"""`docker build` of one plan: a staged context, a staged Dockerfile, secrets that leave no trace, a log that stays."""

from __future__ import annotations

import hashlib
import posixpath
import re
import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from offline import paths
from offline.engine import commands
from offline.errors import FailedError
from offline.images import context, dockerfile, secrets
from offline.images.globs import matches
from offline.run import CommandError, follow

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from offline.config.load import Config
    from offline.console import Console
    from offline.images.plan import BuildPlan

KIT_FOLDER = ".offline"
"""Where the kit's own helper scripts lie in the build context, for RUN lines to bind-mount."""

_STEP = re.compile(r"^#(?P<number>\d+) \[(?P<where>[^\]]*\d+/\d+)\] (?P<what>.*)")
_OF_STEP = re.compile(r"^#(?P<number>\d+) (?P<said>.*)")
_NO_WORK = {"CACHED", "DONE 0.0s"}
_FAILED_STEP = re.compile(r"^ > (?P<step>\[.*?):?$")
_OURS = re.compile(r"--mount=type=secret,id=offline_\S+\s+|\. /run/secrets/offline_env\s*(?:&&|;)\s*")


@dataclass(frozen=True, kw_only=True)
class Staged:
    """A build ready to run; the folders are gone when the block that gave it ends."""

    context: Path
    dockerfile: Path
    secrets: Mapping[str, Path]
    digest: str
    """Over the Dockerfile and every file of the context: what the image is made from."""


@contextmanager
def staged(plan: BuildPlan, bases: Mapping[str, str], config: Config, *, only_copied: bool = False) -> Iterator[Staged]:
    """Lay out context, Dockerfile and secrets in a temporary folder of the work folder.

    `only_copied` keeps to the files that the Dockerfile names: a base then changes only when they do.
    """
    config.work.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="build-", dir=config.work) as name:
        folder = Path(name)
        tree = folder / "context"
        _stage_tree(plan, tree, config, only_copied=only_copied)
        file = folder / "Dockerfile"
        paths.write_text(file, dockerfile.staged(plan.text, bases, plan.args, secrets=True))
        given = secrets.write(folder, config)
        yield Staged(context=tree, dockerfile=file, secrets=given, digest=_digest(tree, file))


def build(
    plan: BuildPlan, ready: Staged, *, name: str, tag: str, client: str, config: Config, console: Console, retry: str
) -> None:
    """Build and tag one image. FailedError shows the failing step, its last lines, the log and the retry command."""
    log = config.work / "logs" / f"build-{name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    console.say(f"    {name}: {plan.dockerfile} ({plan.why})")
    for line in plan.keeps:
        console.warn(f"{plan.dockerfile} leaves this in the image: {line}")
    argv = commands.build(
        client, context=ready.context, dockerfile=ready.dockerfile, tag=tag, secrets=ready.secrets, args=plan.args
    )
    steps = Steps(name, console)
    try:
        follow(
            argv,
            steps.see,
            env=commands.BUILD_ENVIRONMENT,
            log=log,
            timeout=config.release.timeouts.build,
        )
    except CommandError as error:
        raise FailedError(_failure(name, error), hint=f"mend it, then: {retry}", evidence=log) from None


class Steps:
    """Shows each step of a build when it starts to work; one that BuildKit has in its cache is not worth a line."""

    def __init__(self, name: str, console: Console) -> None:
        self._name = name
        self._console = console
        self._waiting: dict[str, str] = {}

    def see(self, line: str) -> None:
        """Take one line of BuildKit's plain progress."""
        step, of_step = _STEP.match(line), _OF_STEP.match(line)
        if step:
            self._waiting[step["number"]] = f"    {self._name} [{step['where']}] {_readable(step['what'])}"
        elif of_step and of_step["number"] in self._waiting:
            if of_step["said"].startswith("sha256:"):
                return
            text = self._waiting.pop(of_step["number"])
            if of_step["said"] not in _NO_WORK:
                self._console.say(text)


def _readable(what: str) -> str:
    """An instruction on one short line, without what the kit put into it."""
    return " ".join(_OURS.sub("", what).split())[:100]


def _failure(name: str, error: CommandError) -> str:
    """The failing step and what it said last, without BuildKit's frame around it."""
    lines = error.tail.splitlines()
    step = next((_readable(found["step"]) for line in lines if (found := _FAILED_STEP.match(line))), "")
    said = "\n".join(f"    {line}" for line in lines if line.strip() and not line.startswith("---"))
    return f"building {name} failed" + (f" at {step}" if step else "") + f":\n{said}"


def _stage_tree(plan: BuildPlan, tree: Path, config: Config, *, only_copied: bool) -> None:
    if plan.context == "kit":
        context.stage(paths.DOCKER / Path(plan.dockerfile.removeprefix("kit:")).parent, tree, leave_out=())
        return
    leave_out = (*plan.leave_out, *_own_folders(config))
    if only_copied:
        _stage_copied(plan, tree, config.source, leave_out)
    else:
        context.stage(config.source, tree, leave_out=leave_out)
    kit = tree / KIT_FOLDER
    if kit.exists():
        shutil.rmtree(kit)
    context.stage(paths.DOCKER / "common", kit, leave_out=())
    ignore = tree / ".dockerignore"
    if ignore.exists():
        text = ignore.read_text(encoding="utf-8").replace("\r\n", "\n").rstrip("\n")
        ignore.write_text(f"{text}\n!{KIT_FOLDER}\n", encoding="utf-8", newline="\n")


def _own_folders(config: Config) -> list[str]:
    """Work and output folder, as globs of the source, where they lie in it: the context would hold itself."""
    own = [folder for folder in (config.work, config.output) if folder.is_relative_to(config.source)]
    return [folder.relative_to(config.source).as_posix() for folder in own]


def _stage_copied(plan: BuildPlan, tree: Path, source: Path, leave_out: Sequence[str]) -> None:
    """Stage only what the COPY lines of the Dockerfile name."""
    tree.mkdir(parents=True)
    wanted = [posixpath.normpath(word.lstrip("/") or ".") for word in dockerfile.copied(plan.text)]
    everything = any(word == "." or "$" in word for word in wanted)
    for relative in context.walk(source, (*context.ALWAYS_LEFT_OUT, *leave_out)):
        if everything or any(matches(relative, word) for word in wanted):
            context.copy(source / relative, tree / relative)


def _digest(tree: Path, file: Path) -> str:
    digest = hashlib.sha256(file.read_bytes())
    for relative in context.walk(tree, ()):
        path = tree / relative
        content = str(path.readlink()).encode() if path.is_symlink() else path.read_bytes()
        digest.update(f"{relative}\0{hashlib.sha256(content).hexdigest()}\n".encode())
    return digest.hexdigest()
