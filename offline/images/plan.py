"""What will be built, pulled or taken, decided before anything runs. Pure: facts in, frozen values out."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from offline.errors import UsageError
from offline.images import dockerfile

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from offline.config.schema import Base, Image, Release

Kind = Literal["build", "bootstrap", "pull", "prebuilt"]


@dataclass(frozen=True, kw_only=True)
class BuildPlan:
    """One `docker build`: the Dockerfile chosen, why, and what it stands on."""

    dockerfile: str
    """`source:PATH` or `kit:PATH`."""
    text: str
    why: str
    bases: tuple[str, ...]
    args: Mapping[str, str]
    context: Literal["source", "kit"] = "source"
    """The source tree, or the Dockerfile's own folder in the kit."""
    leave_out: tuple[str, ...] = ()
    keeps: tuple[str, ...] = ()
    """Lines of a source's own Dockerfile that leave a mirror or a certificate in the image."""


@dataclass(frozen=True, kw_only=True)
class ImagePlan:
    """Where one image of the stack comes from."""

    role: str
    kind: Kind
    reference: str
    """The name that the engine knows it by, from the build or pull until the export."""
    take: str = ""
    """What to pull, or the prebuilt image or archive."""
    build: BuildPlan | None = None


@dataclass(frozen=True, kw_only=True)
class BasePlan:
    """Where one base may come from; `reference` is what FROM lines call it, `tag` what they are rewritten to."""

    reference: str
    tag: str
    spec: Base
    build: BuildPlan | None = None


@dataclass(frozen=True, kw_only=True)
class Plan:
    """All images of a release and all bases they need, each base after those it stands on."""

    bases: tuple[BasePlan, ...]
    images: tuple[ImagePlan, ...]


def services_of(release: Release) -> list[str]:
    """The services that the bundle carries: those of its widest mode."""
    return [name for name, service in release.services.items() if release.mode in service.modes]


def roles_of(release: Release) -> list[str]:
    """The images that those services use, in the order of release.yml."""
    used = {release.services[name].image for name in services_of(release)}
    return [role for role in release.images if role in used]


def candidates(release: Release) -> list[str]:
    """Every Dockerfile that release.yml names: what the facts must have been read for."""
    named: list[str] = []
    for image in release.images.values():
        if image.build:
            own = (f"source:{image.build.source}",) if image.build.source else ()
            named += [*image.build.offline, *image.build.two_stage, *own]
        if image.bootstrap:
            named.append(f"kit:{image.bootstrap}/Dockerfile")
    for base in release.bases.values():
        named += base.build
    return list(dict.fromkeys(named))


def make(release: Release, dockerfiles: Mapping[str, str]) -> Plan:
    """Plan the images of a release.

    `dockerfiles` holds the text of each candidate that exists. Raises UsageError when an image has none that fits.
    """
    images = tuple(_image(release, role, release.images[role], dockerfiles) for role in roles_of(release))
    wanted = [reference for image in images if image.build for reference in image.build.bases]
    bases: dict[str, BasePlan] = {}
    for reference in wanted:
        _add_base(release, reference, dockerfiles, bases, ())
    return Plan(bases=tuple(bases.values()), images=images)


def _image(release: Release, role: str, image: Image, dockerfiles: Mapping[str, str]) -> ImagePlan:
    reference = f"{release.stack}/{role}:build"
    if image.pull:
        return ImagePlan(role=role, kind="pull", reference=image.pull, take=image.pull)
    if image.prebuilt:
        return ImagePlan(role=role, kind="prebuilt", reference=reference, take=image.prebuilt)
    if image.bootstrap:
        chosen, why = (
            f"kit:{image.bootstrap}/Dockerfile",
            "packages of the distribution, on a base made from its mirror",
        )
        if chosen not in dockerfiles:
            raise UsageError(f"images.{role}.bootstrap: there is no docker/{image.bootstrap}/Dockerfile")
    else:
        chosen, why = _chosen(release, role, image, dockerfiles)
    build = _build(chosen, why, dockerfiles[chosen], release, image)
    return ImagePlan(role=role, kind=image.kind, reference=reference, build=build)


def _build(chosen: str, why: str, text: str, release: Release, image: Image | None) -> BuildPlan:
    declared = dockerfile.arguments(text)
    given = {
        "TIMEZONE": release.timezone,
        "LOCALE": release.locale,
        **(image.build.args if image and image.build else {}),
    }
    args = {name: value for name, value in given.items() if name in declared}
    return BuildPlan(
        dockerfile=chosen,
        text=text,
        why=why,
        bases=dockerfile.read(text, args).bases,
        context="kit" if image and image.bootstrap else "source",
        args=args,
        leave_out=image.build.leave_out if image and image.build else (),
        keeps=dockerfile.keeps(text) if chosen.startswith("source:") else (),
    )


def _chosen(release: Release, role: str, image: Image, dockerfiles: Mapping[str, str]) -> tuple[str, str]:
    """The Dockerfile of a built image, and why that one."""
    build = image.build
    if build is None:  # pragma: no cover - the schema has made sure of it
        raise AssertionError
    strategy = image.strategy or release.strategy
    if image.dockerfile == "source":
        own = f"source:{build.source}"
        if not build.source or own not in dockerfiles:
            raise UsageError(f"images.{role}.dockerfile: the source has no {build.source or 'Dockerfile of its own'}")
        return own, "dockerfile: source"
    named = build.offline if strategy == "offline" else build.two_stage
    passed: list[str] = []
    for name in named:
        reason = _unfit(name, image.dockerfile, dockerfiles)
        if not reason:
            return name, "; ".join([f"strategy {strategy}", *passed])
        passed.append(f"{name} {reason}")
    listed = "\n".join(f"  {line}" for line in passed) or f"  none is named under build.{strategy}"
    raise UsageError(
        f"images.{role}: no Dockerfile fits strategy {strategy}:\n{listed}",
        hint=f"choose another strategy, or name a Dockerfile under images.{role}.build",
    )


def _unfit(name: str, wanted: str, dockerfiles: Mapping[str, str]) -> str:
    """Why a candidate cannot be taken, or nothing."""
    if wanted == "kit" and not name.startswith("kit:"):
        return "is not the kit's own"
    if name not in dockerfiles:
        return "is not there"
    undefined = dockerfile.read(dockerfiles[name]).undefined
    return f"copies from a stage that it does not have ({', '.join(undefined)})" if undefined else ""


def _add_base(
    release: Release, reference: str, dockerfiles: Mapping[str, str], bases: dict[str, BasePlan], above: tuple[str, ...]
) -> None:
    """Add a base, after those that it is built on itself."""
    if reference in bases:
        return
    if reference in above:
        raise UsageError(f'bases."{reference}": it is built on itself ({" > ".join((*above, reference))})')
    spec = release.bases.get(reference) or _from_registry()
    build = None
    chosen = next((name for name in spec.build if name in dockerfiles), None)
    if "build" in spec.origins and chosen:
        build = _build(
            chosen, "the first that exists", dockerfiles[chosen], release, _user_of(release, reference, dockerfiles)
        )
        for below in build.bases:
            _add_base(release, below, dockerfiles, bases, (*above, reference))
    bases[reference] = BasePlan(
        reference=reference, tag=base_tag(reference, spec, release, build), spec=spec, build=build
    )


def _from_registry() -> Base:
    """A base that release.yml does not mention comes from its registry, as for any docker build."""
    from offline.config.schema import Base

    return Base.model_validate({"from": ["registry"]})


def _user_of(release: Release, reference: str, dockerfiles: Mapping[str, str]) -> Image | None:
    """The image that stands on a base: its build arguments hold for the base too."""
    for image in release.images.values():
        named: Iterable[str] = image.build.two_stage if image.build else ()
        if any(reference in dockerfile.read(dockerfiles[name]).bases for name in named if name in dockerfiles):
            return image
    return None


def base_tag(reference: str, spec: Base, release: Release, build: BuildPlan | None) -> str:
    """The local name of a base: no registry can hold it, and it changes with everything the base is made from."""
    inputs = {
        "base": spec.model_dump(mode="json"),
        "platform": release.platform,
        "build": [build.text, dict(build.args)] if build else None,
    }
    digest = hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()
    name = re.sub(r"[^a-z0-9]+", "-", reference.lower()).strip("-")
    return f"offline-base.invalid/{name}:{digest[:12]}"
