"""The files that an audit may look at: found below the given paths, read with limits, and nothing outside them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

LARGEST = 4 << 20  # bytes: no Dockerfile or Compose file that a person wrote is near it
LONGEST_LINE = 1 << 18

_SKIPPED_FOLDERS = frozenset(
    {".git", ".hg", ".svn", "node_modules", ".venv", ".tox", ".nox", "__pycache__", ".offline"}
)
_TEMPLATE = re.compile(
    r"\.(?:j2|jinja2?|tmpl|tpl|template|erb|mustache|gotmpl|m4|in|ejs|hbs|handlebars|tt|liquid)$", re.IGNORECASE
)
_DOCKERFILE = re.compile(r"^(?:(?:docker|container)file(?:[.\-_].+)?|.+[.\-_](?:docker|container)file)$", re.IGNORECASE)
_NOT_DOCKERFILE = re.compile(
    r"\.(?:dockerignore|md|rst|txt|py|sh|go|js|ts|tsx|java|rb|rs|c|h|json|ya?ml|toml|lock|html|png|svg|patch|diff|bak|orig|"
    r"swp|snap|php|css|xml|cfg|ini|bats|kt|scala|ps1|mk|adoc|groovy|gradle|vue|jsx|out|log)$",
    re.IGNORECASE,
)
_COMPOSE = re.compile(r"^(?:.*[.\-_])?compose(?:[.\-_].+)?\.ya?ml$", re.IGNORECASE)
# The kit's own description of a stack has services too; Compose never sees it.
_RELEASE = re.compile(rb"(?m)^stack[ \t]*:")
_SERVICES = re.compile(rb"(?m)^services[ \t]*:")
_TEMPLATE_MARK = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|<%.*?%>")


class RefusedError(Exception):
    """A file that is not read, and why."""


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A file to audit: what it seems to be, and its path relative to the given one, with `/`."""

    path: str
    kind: str


class Source:
    """One given path: a folder is read whole; of a file only itself, its neighbours are at most looked for."""

    def __init__(self, given: Path) -> None:
        self.given = given
        self.root = Path(os.path.realpath(given if given.is_dir() else given.parent))
        self.only = None if given.is_dir() else given.name
        self._insides: dict[str, Path | None] = {}
        self._kinds: dict[str, str] = {}

    def candidates(self) -> Iterator[Candidate]:
        """Dockerfiles, Compose files and templates of them, in a fixed order."""
        if self.only is not None:
            yield Candidate(path=self.only, kind=_kind_of_given(self.only))
            return
        for folder, folders, names in os.walk(self.root):
            folders[:] = sorted(name for name in folders if name not in _SKIPPED_FOLDERS)
            place = Path(folder).relative_to(self.root)
            for name in sorted(names):
                path = (place / name).as_posix()
                kind = kind_by_name(name) or self._kind_by_content(path)
                if kind is not None:
                    yield Candidate(path=path, kind=kind)

    def _kind_by_content(self, path: str) -> str | None:
        """A YAML file of another name is a Compose file if it has `services:` at its top."""
        if not path.endswith((".yml", ".yaml")) or "/." in f"/{path}" or self._size(path) > LARGEST:
            return None
        try:
            data = self.inside(path).read_bytes()
        except (OSError, RefusedError):
            return None
        if _RELEASE.search(data):
            return None
        return "compose?" if _SERVICES.search(data) and b"image:" in data else None

    def _size(self, path: str) -> int:
        try:
            return (self.root / path).stat().st_size
        except OSError:
            return 0

    def inside(self, path: str) -> Path:
        """The real place of `path`, a POSIX path below the root. Raises RefusedError for one that leads outside."""
        if path not in self._insides:
            real = os.path.realpath(os.path.join(self.root, path))  # noqa: PTH118 - called for every copied path
            within = real == str(self.root) or real.startswith(str(self.root).rstrip(os.sep) + os.sep)
            self._insides[path] = Path(real) if within else None
        place = self._insides[path]
        if place is None:
            raise RefusedError("leads outside the given path, so it is not read")
        return place

    def plain(self, path: str) -> str:
        """`path` without the way out of the root and in again (`../source/x`)."""
        return os.path.relpath(os.path.join(self.root, path), self.root).replace(os.sep, "/")  # noqa: PTH118 - lexical

    def text(self, path: str) -> str:
        """The text of a file. Raises RefusedError with the reason where it cannot be text of a sane size."""
        if self.only is not None and path != self.only:
            raise RefusedError("is not the given file, so it is not read")
        place = self.inside(path)
        try:
            if not place.is_file():
                raise RefusedError("is no regular file")
            size = place.stat().st_size
            if size > LARGEST:
                raise RefusedError(f"has {size:,} bytes; at most {LARGEST:,} are read")
            data = place.read_bytes()
        except OSError as error:
            raise RefusedError(f"cannot be read: {error.strerror}") from error
        return _decoded(data)

    def exists(self, path: str) -> bool | None:
        """Whether `path` is there; None where that cannot be said without looking outside."""
        kind = self._kind(path)
        return None if kind == "outside" else kind != "none"

    def is_file(self, path: str) -> bool:
        """Whether `path` is a regular file inside."""
        return self._kind(path) == "file"

    def _kind(self, path: str) -> str:
        """`file`, `other`, `none` or `outside`; looked up once."""
        if path not in self._kinds:
            try:
                place = self.inside(path)
                kind = "file" if place.is_file() else "other" if place.exists() else "none"
            except (OSError, RefusedError, ValueError):
                kind = "outside"
            self._kinds[path] = kind
        return self._kinds[path]


def _decoded(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise RefusedError("is UTF-16; save it as UTF-8")
    if b"\0" in data[:8192]:
        raise RefusedError("is binary")
    if any(len(line) > LONGEST_LINE for line in data.split(b"\n")):
        raise RefusedError(f"has a line of more than {LONGEST_LINE:,} bytes")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def kind_by_name(name: str) -> str | None:
    """`dockerfile`, `compose`, `template`, or None for a name that is none of these."""
    if name.startswith(".") and not _COMPOSE.match(name):
        return None
    stem = _TEMPLATE.sub("", name)
    if _DOCKERFILE.match(stem) and not _NOT_DOCKERFILE.search(stem):
        return "template" if stem != name else "dockerfile"
    if _COMPOSE.match(stem):
        return "template" if stem != name else "compose"
    return None


def _kind_of_given(name: str) -> str:
    """A file named by a person is taken at its word."""
    kind = kind_by_name(name)
    if kind is not None:
        return kind
    return "compose" if name.endswith((".yml", ".yaml")) else "dockerfile"


def looks_like_template(text: str) -> bool:
    """Whether a text that is no valid file of its kind has the marks of a template."""
    return _TEMPLATE_MARK.search(text) is not None


def is_template_mark(word: str) -> bool:
    """A word that only a template has where an instruction or an image stands."""
    return word.startswith(("{{", "{%", "<%", "{#")) or "{{" in word or "<%" in word


def relative(folder: str, path: str) -> str:
    """`path` as seen from the root, where it is written in a file of `folder`; keeps a leading `..`."""
    return os.path.normpath((PurePosixPath(folder) / path).as_posix()).replace(os.sep, "/")
