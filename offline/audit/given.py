"""What Compose files give to a Dockerfile that they build: arguments that name other bases, and named contexts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from offline.audit.build import audit_build
from offline.audit.stages import declared

if TYPE_CHECKING:
    from offline.audit.build import BuildAudit
    from offline.audit.compose import BuildSection
    from offline.audit.model import Item

_ORIGINS = ("from_", "copy_from_", "mount_from_")


def arguments_of(section: BuildSection) -> dict[str, str]:
    """The build arguments whose value is known; a name alone takes its value from the environment of the build."""
    return {name: value for name, value, _ in section.arguments if value and "$" not in value}


def contexts_of(sections: Sequence[BuildSection]) -> dict[str, str]:
    """The named contexts that any of the sections gives, and what each is."""
    return {name: value for section in sections for name, value, _ in section.contexts}


def with_arguments(build: BuildAudit, sections: Sequence[BuildSection]) -> list[Item]:
    """The items of a build, and the images that build arguments put into it.

    What an ARG names by default stays, since a build by hand takes it; what has no default is replaced.
    """
    names = {name for instruction in build.build.before for name, _ in declared(instruction, {})}
    given = [arguments for section in sections if names.intersection(arguments := arguments_of(section))]
    more = [
        item
        for arguments in given
        for item in audit_build(build.build.file, arguments=arguments, contexts=contexts_of(sections)).items
        if item.type.startswith(_ORIGINS)
    ]
    settled = {item.line for item in more if item.type in {"from_image", "from_stage"}}
    items = [*build.items, *more]
    return list(dict.fromkeys(one for one in items if one.type != "from_unresolved" or one.line not in settled))
