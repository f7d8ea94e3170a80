"""A Compose file by the Compose specification: services with their effective keys, and what each refers to.

Sources: the Compose specification (short and long forms, `extends`, `include`, interpolation, merge), compose-go's
format of volumes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from offline.audit.expand import by_name, expand
from offline.audit.nodes import Node, documents
from offline.audit.source import is_template_mark

_TOP = frozenset({"version", "name", "services", "networks", "volumes", "configs", "secrets", "include", "models"})
_WINDOWS = re.compile(r"^[A-Za-z]:[\\/]")


@dataclass(kw_only=True, eq=False)
class Service:
    """A service as one file writes it. `keys` are its own and those that YAML merges in."""

    name: str
    line: int
    node: Node
    keys: dict[str, tuple[Node, Node]]

    def value(self, key: str) -> Node | None:
        """The value of a key, None where it is absent or reset."""
        entry = self.keys.get(key)
        return None if entry is None or entry[1].null else entry[1]

    def line_of(self, key: str) -> int:
        """The line of a key."""
        return self.keys[key][0].line if key in self.keys else self.line


@dataclass(kw_only=True, eq=False)
class ComposeFile:
    """A read Compose file. `variables` are what its `.env` says; `path` is relative to the root.

    `problems` are (line, reason) of what Compose refuses although the rest can be read.
    """

    path: str
    roots: list[Node]
    services: dict[str, Service]
    variables: Mapping[str, str] = field(default_factory=dict)
    project: str = ""
    problems: tuple[tuple[int, str], ...] = ()

    @property
    def folder(self) -> str:
        """The folder that relative paths start from: its own, or the `project` that an include gives it."""
        return self.project or self.path.rpartition("/")[0] or "."

    def text(self, raw: str) -> str:
        """`raw` with variables put in; one without a value stays as `${NAME}`."""
        return expand(raw, self.variables, unknown=by_name, double_dollar=True).text

    def top(self, name: str) -> Node | None:
        """A key at the top of the file."""
        return next((value for root in self.roots if (value := root.get(name)) is not None), None)

    def scalars(self) -> Iterator[Node]:
        """Every value and key of the file, once, however often an alias repeats it."""
        seen: set[int] = set()
        waiting = list(self.roots)
        while waiting:
            node = waiting.pop()
            if id(node) in seen:
                continue
            seen.add(id(node))
            waiting += [*node.items, *(part for pair in node.pairs for part in pair)]
            if node.kind == "scalar":
                yield node

    def named(self, name: str) -> dict[str, tuple[Node, Node]]:
        """The entries of a mapping at the top (`volumes`, `networks`, `configs`, `secrets`)."""
        node = self.top(name)
        return node.entries() if node is not None else {}


def read_compose(text: str, path: str, variables: Mapping[str, str]) -> ComposeFile | None:
    """Read a Compose file; None where the YAML is of something else, or of nothing. Raises YamlError."""
    found = [root for root in documents(text) if not root.null]
    roots = [root for root in found if root.kind == "mapping"]
    services = {service.name: service for root in roots for service in _services(root)}
    known = any(_TOP.intersection(root.entries()) for root in roots)
    if not services and not known:
        return None
    problems = tuple(problem for root in roots for problem in _problems(root))
    return ComposeFile(path=path, roots=roots, services=services, variables=variables, problems=problems)


def _problems(root: Node) -> Iterator[tuple[int, str]]:
    """Keys that stand twice, and services that are no mappings."""
    under = root.get("services")
    named = under.entries() if under is not None else {}
    if under is not None and not under.null and under.kind != "mapping":
        yield under.line, "services is no mapping"
    for mapping in (root, *([under] if under else []), *(value for _, value in named.values())):
        yield from ((line, f"the key {key} stands twice") for key, line in mapping.twice())
    for name, (key, value) in named.items():
        if value.kind != "mapping" and not value.null:
            yield key.line, f"the service {name} is no mapping"


def is_template(file: ComposeFile) -> bool:
    """Whether an image has the marks of a template, which no image can have."""
    images = (service.keys["image"][1] for service in file.services.values() if "image" in service.keys)
    # `{{ x }}` without quotes is, to YAML, a mapping with a mapping for its key.
    return any(is_template_mark(node.text) or any(key.kind == "mapping" for key, _ in node.pairs) for node in images)


def _services(root: Node) -> Iterator[Service]:
    """Under `services:`; in the first format, before it had a version, at the top itself."""
    under = root.get("services")
    first_format = under is None and not _TOP.intersection(root.entries())
    node = root if first_format else under
    if node is None or node.kind != "mapping":
        return
    for name, (key, value) in node.entries().items():
        if value.kind == "mapping" and not (first_format and not {"image", "build"}.intersection(value.entries())):
            yield Service(name=name, line=key.line, node=value, keys=value.entries())
        elif value.null and not first_format:
            yield Service(name=name, line=key.line, node=value, keys={})


def read_variables(text: str) -> dict[str, str]:
    """An env file: NAME=value lines, `export`, quotes and comments."""
    variables: dict[str, str] = {}
    for line in text.splitlines():
        name, equals, value = line.strip().removeprefix("export ").partition("=")
        if not equals or name.startswith("#") or not name.strip().isidentifier():
            continue
        value = value.strip()
        if value[:1] in {'"', "'"} and value.find(value[0], 1) > 0:
            value = value[1 : value.find(value[0], 1)]
        else:
            value = value.partition(" #")[0].strip()
        variables[name.strip()] = expand(value, variables).text
    return variables


@dataclass(frozen=True, kw_only=True)
class Mount:
    """A volume of a service: `bind`, `volume` (named), `anonymous`, or another type as the long form says."""

    kind: str
    source: str
    target: str
    line: int
    read_only: bool = False


def mounts(service: Service, file: ComposeFile) -> list[Mount]:
    """The volumes of a service, short and long form."""
    node = service.value("volumes")
    return [_mount(item, file) for item in (node.items if node is not None else []) if not item.null]


def _mount(item: Node, file: ComposeFile) -> Mount:
    if item.kind == "mapping":
        source, target = file.text(item.string("source") or item.string("src")), file.text(item.string("target"))
        kind = item.string("type") or ("volume" if source else "anonymous")
        if kind == "volume" and not source:
            kind = "anonymous"
        read_only = item.get("read_only")
        return Mount(
            kind=kind, source=source, target=target, line=item.line, read_only=bool(read_only and read_only.true)
        )
    source, target, mode = _short(file.text(item.text))
    if not source:
        return Mount(kind="anonymous", source="", target=target, line=item.line)
    unknown = source.startswith("$")
    path = source.startswith((".", "/", "~", "\\")) or _WINDOWS.match(source) is not None
    named = not path and (not unknown or source in file.named("volumes"))
    return Mount(
        kind="volume" if named else "bind",
        source=source,
        target=target,
        line=item.line,
        read_only="ro" in mode.split(","),
    )


def _short(text: str) -> tuple[str, str, str]:
    """SOURCE:TARGET:MODE; a drive letter's colon is not one of them."""
    drive = text[:2] if _WINDOWS.match(text) else ""
    parts = text[len(drive) :].split(":")
    if len(parts) == 1:
        return "", drive + parts[0], ""
    return drive + parts[0], parts[1], parts[2] if len(parts) > 2 else ""  # noqa: PLR2004 - source, target, mode


@dataclass(frozen=True, kw_only=True)
class EnvFile:
    """An `env_file` entry."""

    path: str
    line: int
    required: bool


def env_files(service: Service, file: ComposeFile) -> list[EnvFile]:
    """A name, a list of names, or a list with `path` and `required`."""
    node = service.value("env_file")
    if node is None:
        return []
    entries = node.items if node.kind == "sequence" else [node]
    found = []
    for entry in entries:
        required = entry.get("required")
        path = entry.string("path") if entry.kind == "mapping" else entry.text
        line = entry.line if node.kind == "sequence" else service.line_of("env_file")
        needed = required is None or required.text.lower() != "false"
        found.append(EnvFile(path=file.text(path), line=line, required=needed))
    return found


@dataclass(frozen=True, kw_only=True)
class BuildSection:
    """A `build`: context and Dockerfile as written, named contexts, arguments, and an inline Dockerfile's node."""

    line: int
    context: str
    dockerfile: str
    inline: Node | None
    contexts: tuple[tuple[str, str, int], ...]
    arguments: tuple[tuple[str, str, int], ...]

    @property
    def remote(self) -> bool:
        """The context is fetched, not in the source."""
        return "://" in self.context or self.context.startswith(("git@", "github.com/"))


def build_of(service: Service, file: ComposeFile) -> BuildSection | None:
    """The build section of a service, None where it has none."""
    node = service.value("build")
    if node is None:
        return None
    if node.kind == "scalar":
        context, dockerfile, inline = file.text(node.text), "", None
    else:
        context, dockerfile = file.text(node.string("context") or "."), file.text(node.string("dockerfile"))
        inline = node.get("dockerfile_inline")
    return BuildSection(
        line=service.line_of("build"),
        context=context,
        dockerfile=dockerfile,
        inline=inline,
        contexts=tuple(pairs(node.get("additional_contexts"), file)),
        arguments=tuple(pairs(node.get("args"), file)),
    )


def pairs(node: Node | None, file: ComposeFile) -> Iterator[tuple[str, str, int]]:
    """(name, value, line) of a mapping or of a list of NAME=value; a name alone has the value ""."""
    if node is None:
        return
    if node.kind == "mapping":
        for name, (key, value) in node.entries().items():
            yield name, file.text(value.text) if value.kind == "scalar" and not value.null else "", key.line
    for item in node.items:
        name, _, written = item.text.partition("=")
        yield name, file.text(written), item.line


def names(node: Node | None) -> Iterator[tuple[str, int]]:
    """(name, line) of a list of names, or of a mapping by name."""
    if node is None:
        return
    if node.kind == "mapping":
        yield from ((name, key.line) for name, (key, _) in node.entries().items())
    yield from ((item.text, item.line) for item in node.items if item.kind == "scalar")


def words(node: Node | None, file: ComposeFile) -> str:
    """A command as one text, from its string or list form."""
    if node is None or node.null:
        return ""
    return file.text(node.text) if node.kind == "scalar" else " ".join(file.text(item.text) for item in node.items)


@dataclass(frozen=True, kw_only=True)
class Link:
    """A file that this one takes in: by `include`, or by `extends` of a service.

    An include may say which folder the paths of the file start from, and which env files give its variables.
    """

    how: Literal["include", "extends"]
    path: str
    service: str
    line: int
    project: str = ""
    env_files: tuple[str, ...] = ()


def includes(file: ComposeFile) -> list[Link]:
    """The files of `include`, short and long form."""
    node = file.top("include")
    found = []
    for item in node.items if node is not None else []:
        path = item.get("path") if item.kind == "mapping" else item
        texts = tuple(file.text(one.text) for one in _several(item.get("env_file")))
        found += [
            Link(
                how="include",
                path=file.text(part.text),
                service="",
                line=part.line,
                project=file.text(item.string("project_directory")),
                env_files=texts,
            )
            for part in _several(path)
        ]
    return found


def _several(node: Node | None) -> list[Node]:
    """The items of a list, or the one that is no list."""
    if node is None:
        return []
    return node.items if node.kind == "sequence" else [node]


def extended(service: Service, file: ComposeFile) -> Link | None:
    """What a service extends; the path is "" for a service of the same file."""
    node = service.value("extends")
    if node is None:
        return None
    if node.kind == "scalar":
        return Link(how="extends", path="", service=file.text(node.text), line=service.line_of("extends"))
    return Link(
        how="extends",
        path=file.text(node.string("file")),
        service=file.text(node.string("service")),
        line=service.line_of("extends"),
    )
