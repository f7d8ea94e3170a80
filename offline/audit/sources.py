"""All that was read under one given path: what the rules look at."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from offline.audit.compose import extended
from offline.audit.layers import CANONICAL, layers, overridden, overrides
from offline.audit.services import source_path

if TYPE_CHECKING:
    from offline.audit.build import BuildAudit
    from offline.audit.compose import BuildSection, ComposeFile, Service
    from offline.audit.model import Item
    from offline.audit.source import Source


@dataclass(frozen=True, kw_only=True)
class ComposedBuild:
    """A build section, with the service and the file that it stands in, and its Dockerfile's path from the root."""

    file: ComposeFile
    service: Service
    section: BuildSection
    context: str
    dockerfile: str


@dataclass(kw_only=True)
class Sources:
    """Dockerfiles as builds and Compose files, by path; `contexts` are build contexts by Dockerfile."""

    source: Source
    builds: dict[str, BuildAudit] = field(default_factory=dict)
    composes: dict[str, ComposeFile] = field(default_factory=dict)
    contexts: dict[str, str] = field(default_factory=dict)
    composed: list[ComposedBuild] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)

    @functools.cached_property
    def built_images(self) -> dict[str, str]:
        """The Dockerfile of each image that a compose file both builds and names."""
        images = [(one.service.value("image"), one) for one in self.composed]
        return {one.file.text(image.text): one.dockerfile for image, one in images if image is not None}

    @functools.cached_property
    def _over(self) -> frozenset[str]:
        return frozenset(path for path, file in self.composes.items() if overrides(file))

    def layers(self, file: ComposeFile, service: Service) -> list[Service]:
        """The service of the same name in the files that are given together with `file`."""
        return list(layers(file, service, self._beside[file.path.rpartition("/")[0]], self._over))

    @functools.cached_property
    def _beside(self) -> dict[str, list[ComposeFile]]:
        """Compose files by their folder."""
        folders: dict[str, list[ComposeFile]] = {}
        for path, file in self.composes.items():
            folders.setdefault(path.rpartition("/")[0], []).append(file)
        return folders

    def overridden(self, file: ComposeFile) -> ComposeFile | None:
        """The file that Compose reads before this one by itself."""
        return overridden(file, self.composes)

    @functools.cached_property
    def only_extended(self) -> frozenset[str]:
        """Files that others take services from and nobody starts: Compose does not look for their names."""
        links = ((file, link) for file, service in self.services() if (link := extended(service, file)) and link.path)
        taken = {source_path(file, link.path) or "" for file, link in links}
        return frozenset(path for path in taken if path.rpartition("/")[2] not in CANONICAL)

    def services(self) -> Iterator[tuple[ComposeFile, Service]]:
        """Every service of every file."""
        for file in self.composes.values():
            for service in file.services.values():
                yield file, service

    def copied(self, build: BuildAudit) -> Iterator[tuple[int, str]]:
        """(line, path from the root) of everything that a Dockerfile copies from its context by name."""
        context = self.contexts.get(build.build.file.path)
        if context is None:
            return
        for line, word in build.copies:
            yield line, word if context == "." else f"{context}/{word}"
