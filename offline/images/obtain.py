"""The images of a release: built, bootstrapped, pulled or taken as they are; each is what release.yml says it is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from offline.engine import commands
from offline.errors import FailedError
from offline.images import apart
from offline.images import build as builder
from offline.images.bases import load_archive, pull
from offline.run import CommandError, run

if TYPE_CHECKING:
    from collections.abc import Mapping

    from offline.config.load import Config
    from offline.config.schema import Data
    from offline.console import Console
    from offline.engine.client import Engine, ImageFacts
    from offline.images.bases import ResolvedBase
    from offline.images.plan import BuildPlan, ImagePlan, Plan
    from offline.store.applayer import AppLayer


@dataclass(frozen=True, kw_only=True)
class ObtainedImage:
    """An image that the engine has, and where it came from."""

    role: str
    reference: str
    kind: str
    why: str
    digest: str
    """`name@sha256:…` of the registry, or nothing."""
    facts: ImageFacts
    app: AppLayer | None = None
    """What the application adds to the image below it, where that could be built apart."""


def obtain(
    plan: Plan,
    bases: Mapping[str, ResolvedBase],
    *,
    config: Config,
    engine: Engine,
    console: Console,
    retry: str,
    before: Mapping[str, AppLayer] | None = None,
) -> tuple[ObtainedImage, ...]:
    """Make sure the engine has every image of the plan; `before` is what applications added in the last build, by role.

    Raises FailedError for a build or pull that fails, an image of another platform, a database of another family.
    """
    tags = {reference: base.tag for reference, base in bases.items()}
    obtained = tuple(
        _obtain(image, tags, (before or {}).get(image.role), config=config, engine=engine, console=console, retry=retry)
        for image in plan.images
    )
    _check_platform(obtained, config.release.platform)
    _check_families(obtained, config, engine)
    return obtained


def _obtain(
    image: ImagePlan,
    tags: Mapping[str, str],
    before: AppLayer | None,
    *,
    config: Config,
    engine: Engine,
    console: Console,
    retry: str,
) -> ObtainedImage:
    why, digest, app = "", "", None
    if image.build:
        why = f"{image.build.dockerfile} ({image.build.why})"
        app = _built(image, image.build, tags, before, config=config, engine=engine, console=console, retry=retry)
    elif image.kind == "pull":
        why, digest = _pulled(image, config, engine, console)
    else:
        why = _prebuilt(image, config, engine)
    facts = engine.image(image.reference)
    if facts is None:
        raise FailedError(f"images.{image.role}: the engine has no image {image.reference}")
    return ObtainedImage(
        role=image.role, reference=image.reference, kind=image.kind, why=why, digest=digest, facts=facts, app=app
    )


def _built(
    image: ImagePlan,
    plan: BuildPlan,
    tags: Mapping[str, str],
    before: AppLayer | None,
    *,
    config: Config,
    engine: Engine,
    console: Console,
    retry: str,
) -> AppLayer | None:
    """Build an image; gives what an application added. A bootstrapped one has none: it changes with its packages."""
    with builder.staged(plan, tags, config) as ready:
        builder.build(
            *(plan, ready),
            name=image.role,
            tag=image.reference,
            client=engine.client,
            config=config,
            console=console,
            retry=retry,
        )
        facts = engine.image(image.reference)
        if facts is None or image.kind != "build":
            return None
        built = apart.Built(
            facts=facts, reference=image.reference, plan=plan, ready=ready, tags=tags, config=config, engine=engine
        )
        return apart.add(built, before, console)


def _pulled(image: ImagePlan, config: Config, engine: Engine, console: Console) -> tuple[str, str]:
    present = engine.image(image.take)
    digest = present.digests[0] if present and present.digests else ""
    if present is None:
        console.say(f"    {image.role}: pulling {image.take}")
        try:
            digest = pull(image.take, config=config, engine=engine)
        except CommandError as error:
            raise FailedError(
                f"images.{image.role}: cannot pull {image.take}: {error.tail.strip() or error.message}",
                hint=f"reach the registry, load the image from a file first, or change images.{image.role}",
            ) from None
    if re.search(r"(:latest|/[^:@]+|^[^:@/]+)$", image.take):
        console.warn(f"images.{image.role}: {image.take} is not pinned; this release holds {digest or 'a local image'}")
    return f"pulled as {image.take}", digest


def _prebuilt(image: ImagePlan, config: Config, engine: Engine) -> str:
    name = image.take
    if name.endswith((".tar", ".tar.gz")):
        name = load_archive(config.beside(name), engine)
    if engine.image(name) is None:
        raise FailedError(
            f"images.{image.role}.prebuilt: the engine has no image {name}",
            hint=f"build or load it first, or change images.{image.role} in {config.file}",
        )
    engine.tag(name, image.reference)
    return f"prebuilt {image.take}"


def _check_platform(obtained: tuple[ObtainedImage, ...], platform: str) -> None:
    for image in obtained:
        if image.facts.platform != platform:
            raise FailedError(
                f"images.{image.role}: {image.reference} is for {image.facts.platform}, the release for {platform}",
                hint="take the image for that platform, or set `platform`",
            )


def _check_families(obtained: tuple[ObtainedImage, ...], config: Config, engine: Engine) -> None:
    """Ask each data service's image what it is: a database family never changes unnoticed."""
    by_role = {image.role: image for image in obtained}
    for name, data in config.release.data.items():
        image = by_role.get(config.release.services[data.service].image)
        if image is None:
            continue
        said = run(commands.run_once(engine.client, image.reference, data.version), timeout=60).out
        if not is_family(said, data):
            raise FailedError(
                f"data.{name}: {data.family} {data.series} in release.yml, but {image.reference} says: {said.strip()}",
                hint=f"correct data.{name}, or take the image that it names; hosts refuse data of another family",
            )


def is_family(said: str, data: Data) -> bool:
    """Whether a program's version text names that family and series (`10.11` is in `10.11.6`, not in `110.11`)."""
    series = re.search(rf"(?<![\d.]){re.escape(data.series)}(?![\d])", said)
    return data.family.lower() in said.lower() and series is not None
