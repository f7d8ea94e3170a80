"""Where files of the build context end up inside an image, so that a script which a RUN starts can be read."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from offline.audit.located import Located

ScriptFinder = Callable[[str], "Located | None"]
# A folder may come from several COPYs; which of them has a file shows when it is looked for.
_CANDIDATES = 4
_PATH = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin", "/opt/bin")


@dataclass(kw_only=True)
class Placed:
    """The copied files of a stage, in the order they were put there, its inline files, and where it works."""

    pairs: list[tuple[str, str]] = field(default_factory=list)
    inline: dict[str, Located] = field(default_factory=dict)
    workdir: str = "/"

    def copy(self) -> Placed:
        """The same, for a stage or a RUN that adds its own."""
        return Placed(pairs=[*self.pairs], inline={**self.inline}, workdir=self.workdir)

    def inside(self, path: str) -> str:
        """A path of the image, made absolute; one that begins with an unknown variable is taken for absolute."""
        if path.startswith("$"):
            path = f"/{path}"
        return posixpath.normpath(posixpath.join(self.workdir, path))

    def work_in(self, folder: str) -> None:
        """WORKDIR."""
        self.workdir = self.inside(folder)

    def put(self, source: str, target: str, *, several: bool) -> None:
        """COPY source target: a folder's content lands in the target itself, a file in a folder keeps its name."""
        clean = posixpath.normpath(source.lstrip("/") or ".")
        if "*" in clean:
            clean = posixpath.dirname(clean) or "."
        elif clean != "." and (several or target.endswith("/") or target in {".", "./"}):
            self.pairs.append((posixpath.join(self.inside(target), posixpath.basename(clean)), clean))
        self.pairs.append((self.inside(target), clean))

    def put_inline(self, name: str, content: Located, target: str) -> None:
        """COPY <<name target."""
        self.inline[self.inside(posixpath.join(target, name) if target.endswith("/") else target)] = content

    def put_from(self, other: Placed, source: str, target: str) -> None:
        """COPY --from a stage, or `mv` of a file: what was there from the context is here as well."""
        wanted, here = posixpath.normpath(posixpath.join("/", source)), self.inside(target)
        if wanted in other.inline:
            self.inline[here] = self.inline[posixpath.join(here, posixpath.basename(wanted))] = other.inline[wanted]
        above = [(origin, under) for place, origin in other.pairs if (under := _below(wanted, place)) is not None]
        for origin, under in above[-_CANDIDATES:]:
            path = posixpath.normpath(posixpath.join(origin, under))
            self.pairs.append((here, path))
            self.pairs.append((posixpath.join(here, posixpath.basename(wanted)), path))
        for place, origin in [] if above else list(other.pairs):
            if (under := _below(place, wanted)) is not None:
                self.pairs.append((posixpath.normpath(posixpath.join(here, under)), origin))

    def find(self, named: str, find: ScriptFinder) -> Located | None:
        """The text of a file by its path inside the image, if it came from the context and is there."""
        inside = self.inside(named)
        if inside in self.inline:
            return self.inline[inside]
        for target, source in reversed(self.pairs):
            relative = _below(inside, target)
            if relative is not None:
                content = find(posixpath.normpath(posixpath.join(source, relative)))
                if content is not None:
                    return content
        return None

    def program(self, name: str) -> str | None:
        """Where the shell finds a program of that name, if it was copied there."""
        held = {target for target, _ in self.pairs} | self.inline.keys()
        return next((f"{folder}/{name}" for folder in _PATH if folder in held or f"{folder}/{name}" in held), None)

    def mounted(self, options: Mapping[str, str], other: Placed | None = None) -> None:
        """RUN --mount=type=bind of the context, or of what another stage has."""
        target = next((options[key] for key in ("target", "dst", "destination") if key in options), "")
        source = next((options[key] for key in ("source", "src") if key in options), ".")
        if other is not None:
            self.put_from(other, source, target)
        else:
            self.pairs.append((self.inside(target), posixpath.normpath(source.lstrip("/") or ".")))


def _below(inside: str, target: str) -> str | None:
    """The path of `inside` below `target`: "." for itself, None where it is elsewhere."""
    if inside == target:
        return "."
    prefix = target.rstrip("/") + "/"
    return inside[len(prefix) :] if inside.startswith(prefix) else None
