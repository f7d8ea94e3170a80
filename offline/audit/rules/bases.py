"""Rules about what an image is built on."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from offline.audit.references import OFFICIAL, Reference, is_plain_word, parse_reference, reach
from offline.audit.rules.catalogue import found
from offline.audit.rules.packages import heavy_packages

if TYPE_CHECKING:
    from offline.audit.build import BuildAudit
    from offline.audit.model import Finding, Item
    from offline.audit.sources import Sources

_BASE_WORD = re.compile(r"(?:^|[-_./:])(?:base|builder|build|deps|runtime)(?:$|[-_./:])", re.IGNORECASE)
_DOCKERFILE_WORDS = re.compile(r"^(?:docker|container)file[.\-_]?|[.\-_]?(?:docker|container)file$", re.IGNORECASE)


def check(sources: Sources) -> Iterator[Finding]:
    """Everything about bases and stages, Dockerfile by Dockerfile."""
    siblings = {path: _names_of(path) for path in sources.builds}
    for path, build in sources.builds.items():
        for item in build.items:
            if item.path == path:
                yield from _image(item, build, siblings, sources)
        yield from _stages(build, sources)


def _image(item: Item, build: BuildAudit, siblings: dict[str, set[str]], sources: Sources) -> Iterator[Finding]:
    if item.type == "from_unresolved":
        yield found(
            "unresolved-base",
            item.path,
            item.line,
            f"FROM {item.value}: the ARG has no default, so nothing in the source says what is built on",
            "give the ARG a default, or name the image in release.yml",
            value=item.value,
        )
    elif item.type == "from_image":
        yield from _base(item, build, siblings, sources)
    elif item.type == "copy_from_undefined" or (
        item.type == "mount_from_image" and is_plain_word(item.value) and item.value not in OFFICIAL
    ):
        yield _undefined(item, build)
    elif item.type == "syntax_frontend":
        yield found(
            "syntax-frontend",
            item.path,
            item.line,
            f"# syntax={item.value} makes the engine pull its Dockerfile frontend before it reads the file",
            "remove the line: the engine's own frontend knows RUN --mount; the kit drops it from its staged copy",
            value=item.value,
        )
    if item.type in {"from_image", "copy_from_image", "mount_from_image"}:
        yield from unpinned(item, parse_reference(item.value))


def unpinned(item: Item, reference: Reference) -> Iterator[Finding]:
    """An image with no tag, or `latest`: the same text names another image tomorrow."""
    if reference.digest or (reference.tag and reference.tag != "latest") or "$" in item.value:
        return
    if item.type == "mount_from_image" and is_plain_word(item.value) and item.value not in OFFICIAL:
        return
    yield found(
        "unpinned-image",
        item.path,
        item.line,
        f"{item.value} has no version: what it names changes, and a rebuild is not the same image",
        f"name a version, as in {reference.repository}:<version>",
        value=item.value,
    )


def _base(item: Item, build: BuildAudit, siblings: dict[str, set[str]], sources: Sources) -> Iterator[Finding]:
    reference = parse_reference(item.value)
    sibling = _sibling(item, reference, siblings, sources)
    if sibling is not None:
        yield found(
            "sibling-base",
            item.path,
            item.line,
            f"{item.value} is no public image: {sibling} of this source builds it, and offline nothing else has it",
            f"build {sibling} first under the name in this FROM (strategy two-stage), or build from a public base",
            value=item.value,
        )
        yield from _twice(item, build, sources.builds[sibling])
        return
    private = _private(reference)
    if private is not None:
        yield found(
            "private-base",
            item.path,
            item.line,
            f"FROM {item.value}: {private}",
            "save it where it can be fetched and give the archive to the kit, or build from a public base",
            value=item.value,
            severity="warning" if reach(reference) == "unknown" else "error",
        )
        yield from _mixed(item, build)


def _private(reference: Reference) -> str | None:
    kind = reach(reference)
    if kind == "inside":
        return f"the registry {reference.host} is inside somebody's network"
    if kind == "unknown":
        return f"the registry {reference.host} is none that gives images to anybody; it may want a login"
    if kind == "account" and _own_base(reference):
        return "a project's own base on an account's registry; without that account or that registry the build fails"
    return None


def _own_base(reference: Reference) -> bool:
    """Named as a base of one's own: an owner, and the word in its last part or in its tag."""
    owned = "/" in reference.repository and not reference.official
    return owned and _BASE_WORD.search(f"{reference.basename}:{reference.tag}") is not None


def _names_of(path: str) -> set[str]:
    """What the image of a Dockerfile may be called: Dockerfile-server-base → server-base; base/Dockerfile → base."""
    place = PurePosixPath(path)
    name = _DOCKERFILE_WORDS.sub("", place.name)
    return {name.lower()} if name else {place.parent.name.lower()} - {""}


def _sibling(item: Item, reference: Reference, siblings: dict[str, set[str]], sources: Sources) -> str | None:
    """The Dockerfile of the source that builds the image of a FROM, by a compose file or by its name."""
    composed = sources.built_images.get(item.value)
    if composed is not None and composed in sources.builds and composed != item.path:
        return composed
    if reference.official or not (reference.host or "/" in reference.repository):
        return None
    wanted = {reference.basename.lower(), reference.tag.lower()} - {"", "latest"}
    for path, names in siblings.items():
        named = names & wanted
        if path == item.path or not named or _builds_on(sources.builds[path], reference):
            continue
        # One plain word (`cuda`) may be chance; a base of one's own, or a name of several words, is none.
        if reach(reference) != "public" or any("-" in name or _BASE_WORD.search(name) for name in named):
            return path
    return None


def _builds_on(build: BuildAudit, reference: Reference) -> bool:
    bases = [parse_reference(stage.base) for stage in build.build.stages]
    return any(base.repository == reference.repository and base.tag == reference.tag for base in bases)


def _undefined(item: Item, build: BuildAudit) -> Finding:
    names = [stage.name for stage in build.build.stages if stage.name]
    lowered = item.value.lower()
    near = difflib.get_close_matches(lowered, [name.lower() for name in names if name.lower() != lowered], n=1)
    later = lowered in {name.lower() for name in names}
    if later:
        hint = f"the stage {item.value} stands further down; move it above"
    elif near:
        hint = f"did you mean {near[0]}?"
    else:
        hint = f"add a stage `FROM … AS {item.value}` above, or copy from a stage that exists"
    message = (
        f"--from={item.value}: there is no stage of that name before this line, so an image of that name is pulled"
    )
    return found("undefined-stage", item.path, item.line, message, hint, value=item.value)


def _stages(build: BuildAudit, sources: Sources) -> Iterator[Finding]:
    stages = build.build.stages
    if len(stages) < 2:  # noqa: PLR2004 - the last stage is the image itself
        return
    path = build.build.file.path
    used = {item.value.lower() for item in build.items if item.type in {"copy_from_stage", "mount_from_stage"}}
    built_on = {stage.parent.number for stage in stages if stage.parent is not None}
    targets = {target for target in sources_targets(sources, path) if target}
    for stage in stages[:-1]:
        names = {stage.name.lower(), str(stage.number)} - {""}
        if not names & used and stage.number not in built_on and not names & targets:
            yield found(
                "unused-stage",
                path,
                stage.line,
                f"nothing uses the stage {stage.label}",
                "remove it, or copy from it; BuildKit skips it, the classic builder builds it all the same",
                value=stage.label,
            )


def sources_targets(sources: Sources, path: str) -> Iterator[str]:
    """The `target` of every build section that names the Dockerfile at `path`."""
    for composed in sources.composed:
        node = composed.service.value("build")
        if composed.dockerfile == path and node is not None and node.kind == "mapping":
            yield composed.file.text(node.string("target")).lower()


def _twice(item: Item, build: BuildAudit, base: BuildAudit) -> Iterator[Finding]:
    below = {name for name, _ in heavy_packages(base)}
    again = [(name, line) for name, line in heavy_packages(build) if name in below]
    if again:
        names = ", ".join(dict.fromkeys(name for name, _ in again))
        yield found(
            "heavy-twice",
            item.path,
            again[0][1],
            f"{names}: installed in {base.build.file.path} and again here, so the image carries them twice",
            "install them in the base alone, and only the application here",
            value=names,
        )


def _mixed(item: Item, build: BuildAudit) -> Iterator[Finding]:
    heavy = heavy_packages(build, system=False)
    if heavy:
        names = ", ".join(dict.fromkeys(name for name, _ in heavy))
        yield found(
            "mixed-base",
            item.path,
            heavy[0][1],
            f"{item.value} is a ready base, yet {names} are installed again on it: the image carries them twice",
            "either build on that base and add the application alone, or build it all from a public base",
            value=names,
        )
