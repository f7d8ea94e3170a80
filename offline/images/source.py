"""The source tree as facts: is it the stack's, which Dockerfiles has it, which revision is it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from offline import paths
from offline.errors import PreflightError, UsageError
from offline.images import plan
from offline.run import run

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from offline.config.load import Config


@dataclass(frozen=True, kw_only=True)
class SourceFacts:
    """What is known of the source before anything is built."""

    dockerfiles: Mapping[str, str]
    """Text of each Dockerfile that release.yml names and that exists, by `source:PATH` or `kit:PATH`."""
    revision: str
    """The git commit, with `+changes` where the tree differs from it; empty outside git."""


def read(config: Config) -> SourceFacts:
    """Read the facts; UsageError when the source is missing or not this stack's."""
    _check(config)
    texts = {name: _text(config, name) for name in plan.candidates(config.release)}
    return SourceFacts(
        dockerfiles={name: text for name, text in texts.items() if text is not None}, revision=revision(config.source)
    )


def _check(config: Config) -> None:
    hint = f"give the checkout with --source DIR (configuration: {config.file})"
    if not config.source.is_dir():
        raise UsageError(f"source {config.source}: there is no such folder", hint=hint)
    missing = [name for name in config.release.expects if not (config.source / name).exists()]
    if missing:
        listed = ", ".join(missing)
        raise UsageError(
            f"source {config.source}: not a checkout of {config.release.stack}; it has no {listed}", hint=hint
        )


def _text(config: Config, name: str) -> str | None:
    where, _, relative = name.partition(":")
    if where not in {"source", "kit"} or not relative:
        raise UsageError(f"{name}: write source:PATH (in the source) or kit:PATH (under {paths.DOCKER.name}/)")
    path: Path = (config.source if where == "source" else paths.DOCKER) / relative
    try:
        return path.read_text(encoding="utf-8-sig")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except UnicodeDecodeError:
        raise UsageError(f"{path}: not UTF-8", hint="save it as UTF-8") from None


def revision(source: Path) -> str:
    """The commit of a checkout; empty where there is none, or no git."""
    try:
        head = run(["git", "-C", str(source), "rev-parse", "HEAD"], check=False)
        if head.code:
            return ""
        changed = run(["git", "-C", str(source), "status", "--porcelain", "--", "."], check=False).out.strip()
    except PreflightError:
        return ""
    return head.out.strip() + ("+changes" if changed else "")
