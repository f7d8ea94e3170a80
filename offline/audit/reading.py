"""Reading all files under one given path: Compose files first, since they say which folder a Dockerfile builds in."""

from __future__ import annotations

from pathlib import PurePosixPath

from offline.audit.build import audit_build
from offline.audit.compose import (
    BuildSection,
    ComposeFile,
    Service,
    build_of,
    extended,
    includes,
    is_template,
    read_compose,
    read_variables,
)
from offline.audit.context import context_of, finder
from offline.audit.dockerfile import Dockerfile, DockerfileError, Instruction, ParserMissingError, read_dockerfile
from offline.audit.expand import expand
from offline.audit.given import contexts_of, with_arguments
from offline.audit.model import AuditedFile, Finding, Item
from offline.audit.nodes import Node, YamlError
from offline.audit.rules.catalogue import found
from offline.audit.rules.services import missing_health
from offline.audit.services import inventory, source_path
from offline.audit.source import RefusedError, Source, is_template_mark, looks_like_template, relative
from offline.audit.sources import ComposedBuild, Sources


class Reading:
    """The files of one given path: what they are, what they bring, and why some could not be read."""

    def __init__(self, source: Source) -> None:
        self.sources = Sources(source=source)
        self.files: dict[str, AuditedFile] = {}
        self.findings: list[Finding] = []

    def read(self) -> None:
        """Read everything."""
        dockerfiles = []
        for candidate in self.sources.source.candidates():
            if candidate.kind == "dockerfile":
                dockerfiles.append(candidate.path)
            elif candidate.kind == "template":
                self._template(candidate.path)
            else:
                self._compose(candidate.path, certain=candidate.kind == "compose")
        for file in self.sources.composes.values():
            self._include(file)
        for file in list(self.sources.composes.values()):
            self._builds(file)
        dockerfiles += [one.dockerfile for one in self.sources.composed if self.sources.source.is_file(one.dockerfile)]
        for path in dict.fromkeys(dockerfiles):
            if path not in self.files:
                self._dockerfile(path)
        for file in self.sources.composes.values():
            self._inventory(file)

    # -- Compose -----------------------------------------------------------------------------------------------------

    def _compose(self, path: str, *, certain: bool) -> None:
        if path in self.files:
            return
        try:
            text = self.sources.source.text(path)
        except RefusedError as refused:
            self._refuse(path, "compose", str(refused), 1)
            return
        try:
            file = read_compose(text, path, self._variables(str(PurePosixPath(path).parent)))
        except YamlError as error:
            if looks_like_template(text):
                self._template(path)
            elif certain:
                self._refuse(path, "compose", str(error), error.line)
            return
        if file is None or not (certain or file.services):
            if certain:
                self._refuse(path, "compose", "has no services", 1)
            return
        if is_template(file):
            self._template(path)
            return
        self.files[path] = AuditedFile(path=path, kind="compose")
        self.sources.composes[path] = file
        self.findings += [
            _unreadable(path, line, f"Compose refuses {path}: {reason}", reason) for line, reason in file.problems
        ]
        self._linked(file)

    def _variables(self, folder: str, name: str = ".env") -> dict[str, str]:
        place = relative(folder, name)
        try:
            return read_variables(self.sources.source.text(place)) if self.sources.source.is_file(place) else {}
        except RefusedError:
            return {}

    def _include(self, file: ComposeFile) -> None:
        """Give the included files the folder and the variables that the include says (specification, "Include")."""
        for link in includes(file):
            other = self.sources.composes.get(source_path(file, link.path) or "")
            if other is None or other is file:
                continue
            other.project = (source_path(file, link.project) or "") if link.project else ""
            own = [self._variables(file.folder, name) for name in link.env_files] or [self._variables(other.folder)]
            other.variables = {name: value for one in [*own, file.variables] for name, value in one.items()}

    def _linked(self, file: ComposeFile) -> None:
        """Files that this one includes or extends are Compose files, whatever their name."""
        links = [*includes(file), *(one for service in file.services.values() if (one := extended(service, file)))]
        for link in links:
            place = source_path(file, link.path) if link.path else None
            if place is not None and self.sources.source.is_file(place):
                self._compose(place, certain=True)

    def _builds(self, file: ComposeFile) -> None:
        for service in file.services.values():
            section = build_of(service, file)
            if section is None:
                continue
            context = source_path(file, section.context)
            if section.inline is not None:
                self._inline(file, service, section, section.inline, context)
            elif context is not None and not section.remote:
                dockerfile = self.sources.source.plain(relative(context, section.dockerfile or "Dockerfile"))
                self._composed(file, service, section, context, dockerfile)
            if section.remote:
                self._composed(file, service, section, "", "")

    def _composed(
        self, file: ComposeFile, service: Service, section: BuildSection, context: str, dockerfile: str
    ) -> None:
        self.sources.composed.append(
            ComposedBuild(file=file, service=service, section=section, context=context, dockerfile=dockerfile)
        )
        for what, place, written in (("in", context, section.context), ("by", dockerfile, section.dockerfile)):
            if place.startswith("..") and written:
                self.findings.append(
                    found(
                        "outside-source",
                        file.path,
                        section.line,
                        f"{service.name} is built {what} {written}, which is outside the source",
                        "move it into the source; nothing outside is read",
                        value=written,
                    )
                )

    def _inline(
        self, file: ComposeFile, service: Service, section: BuildSection, node: Node, context: str | None
    ) -> None:
        """A Dockerfile that stands in the Compose file: its lines are lines of that file."""
        text = expand(node.text, file.variables, unknown=lambda spelling: spelling, double_dollar=True).text
        key = f"{file.path}#{service.name}"
        self._composed(file, service, section, context or ".", key)
        try:
            dockerfile = read_dockerfile(text, file.path, first_line=node.line + (0 if node.plain else 1))
        except DockerfileError as error:
            self._refuse(file.path, "compose", f"dockerfile_inline of {service.name}: {error}", error.line)
            return
        self._audit(key, dockerfile, context or ".", [section])

    def _inventory(self, file: ComposeFile) -> None:
        items = inventory(file, self.sources.source.exists)
        items += [
            Item(
                path=file.path, line=service.line, type="healthcheck_missing", value=service.name, service=service.name
            )
            for service in file.services.values()
            if missing_health(file, service, self.sources)
        ]
        self.sources.items += items

    # -- Dockerfiles -------------------------------------------------------------------------------------------------

    def _dockerfile(self, path: str) -> None:
        try:
            text = self.sources.source.text(path)
        except RefusedError as refused:
            self._refuse(path, "dockerfile", str(refused), 1)
            return
        try:
            file = read_dockerfile(text, path)
        except ParserMissingError as missing:
            self._not_parsed(path, str(missing))
            return
        except DockerfileError as error:
            if looks_like_template(text):
                self._template(path)
            else:
                self._refuse(path, "dockerfile", str(error), error.line)
            return
        if any(is_template_mark(word) for one in file.instructions for word in (one.keyword, *_base_words(one))):
            self._template(path)
            return
        self.files[path] = AuditedFile(path=path, kind="dockerfile")
        composed = [one for one in self.sources.composed if one.dockerfile == path]
        context = context_of(file, self.sources.source, composed[0].context if composed else None)
        self._audit(path, file, context, [one.section for one in composed])

    def _audit(self, key: str, file: Dockerfile, context: str, sections: list[BuildSection]) -> None:
        build = audit_build(file, find=finder(self.sources.source, context), contexts=contexts_of(sections))
        build.items[:] = with_arguments(build, sections)
        self.sources.builds[key] = build
        self.sources.contexts[key] = context
        self.sources.items += build.items

    # -- What is not read --------------------------------------------------------------------------------------------

    def _template(self, path: str) -> None:
        self.files[path] = AuditedFile(path=path, kind="template")
        self.findings.append(
            found(
                "template",
                path,
                1,
                f"{path} is a template: what it becomes is not known before it is rendered",
                "render it, and audit the result",
            )
        )

    def _not_parsed(self, path: str, reason: str) -> None:
        self.files[path] = AuditedFile(path=path, kind="dockerfile", error=reason)
        self.findings.append(
            found(
                "not-analysed",
                path,
                1,
                f"{path} is not analysed: {reason}",
                "run the audit on Linux or macOS with the kit's locked requirements",
                value=reason,
                severity="warning",
            )
        )

    def _refuse(self, path: str, kind: str, reason: str, line: int) -> None:
        self.files[path] = AuditedFile(path=path, kind=kind, error=reason)
        self.findings.append(_unreadable(path, line, f"{path} could not be read: {reason}", reason))


def _unreadable(path: str, line: int, message: str, reason: str) -> Finding:
    return found(
        "unreadable",
        path,
        line,
        message,
        "mend the file, or leave it out of the audited paths",
        value=reason,
    )


def _base_words(instruction: Instruction) -> tuple[str, ...]:
    return instruction.words[:1] if instruction.keyword == "FROM" else ()
