"""release.yml < OFFLINE_* environment < flags, resolved once into one frozen object."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from pydantic import ValidationError

from offline import paths
from offline.config import document, problems
from offline.config.schema import Release
from offline.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_PREFIX = "OFFLINE_"
_OWN_VARIABLES = {"OFFLINE_CONFIG"}
_PATH_KEYS = {"source", "work", "output"}
SIBLING = "xiaozhi-esp32-server"


@dataclass(frozen=True, kw_only=True)
class Config:
    """The resolved configuration: what release.yml says, the folders it names, and where each value came from."""

    release: Release
    file: Path
    source: Path
    work: Path
    output: Path
    why: str
    """Why this configuration file and this source, for people."""
    origins: Mapping[str, str]
    """Origin of each value that is not a default, by dotted path: `release.yml`, `OFFLINE_SOURCE`, `--source`."""

    def beside(self, name: str) -> Path:
        """A file that release.yml names, relative to release.yml."""
        return (self.file.parent / name).resolve()


def load(
    *,
    environ: Mapping[str, str],
    flags: Mapping[str, str] | None = None,
    config: str | None = None,
    cwd: Path | None = None,
) -> Config:
    """Resolve the configuration.

    `flags` holds values by dotted key as given on the command line, `config` the file of --config. Raises UsageError
    with every problem at once.
    """
    here = cwd or Path.cwd()
    given = {key: value for key, value in (flags or {}).items() if value}
    file, why = choose(environ=environ, source=given.get("source"), config=config, cwd=here)
    read = document.read(file)
    values, origins = copy.deepcopy(read.values), dict.fromkeys(read.lines, file.name)
    for path, (value, origin) in _overlays(environ, given, file):
        placed: Any = str((here / value).resolve()) if path[0] in _PATH_KEYS and isinstance(value, str) else value
        _put(values, path, placed, origin)
        name = problems.dotted(path)
        origins = {known: was for known, was in origins.items() if not known.startswith((f"{name}.", f"{name}["))}
        origins[name] = origin
    release = _validated(values, read.lines, origins, file)
    if "source" not in given and f"{_PREFIX}SOURCE" not in environ and file == paths.KIT / "release.yml":
        why = f"{why}; source {release.source}"
    return Config(
        release=release,
        file=file,
        source=(file.parent / release.source).resolve(),
        work=(paths.KIT / release.work).resolve(),
        output=(paths.KIT / release.output).resolve(),
        why=why,
        origins=origins,
    )


def choose(*, environ: Mapping[str, str], source: str | None, config: str | None, cwd: Path) -> tuple[Path, str]:
    """The configuration file to read, and why that one.

    In this order: --config, OFFLINE_CONFIG, a release.yml in the given source, the kit's own release.yml for a given
    source or a sibling checkout of xiaozhi-esp32-server, examples/mini.
    """
    own = paths.KIT / "release.yml"
    if config:
        return (cwd / config).resolve(), "named by --config"
    if environ.get("OFFLINE_CONFIG"):
        return (cwd / environ["OFFLINE_CONFIG"]).resolve(), "named by OFFLINE_CONFIG"
    chosen = source or environ.get("OFFLINE_SOURCE")
    if chosen:
        beside = (cwd / chosen).resolve() / "release.yml"
        return (beside, "the source brings it") if beside.is_file() else (own, "the kit's own, for the given source")
    if (paths.KIT.parent / SIBLING).is_dir():
        return own, f"there is a checkout ../{SIBLING}"
    return paths.MINI / "release.yml", f"no --source given and no ../{SIBLING}: the example; choose with --source DIR"


def _overlays(
    environ: Mapping[str, str], flags: Mapping[str, str], file: Path
) -> Iterator[tuple[tuple[str, ...], tuple[Any, str]]]:
    """What the environment and the flags say, in rising order of precedence: path, then value and origin."""
    for name in sorted(environ):
        if name.startswith(_PREFIX) and name not in _OWN_VARIABLES:
            yield _path_of(name, file), (_value(environ[name]), name)
    for key, value in flags.items():
        yield tuple(key.split(".")), (value, f"--{key.replace('_', '-')}")


def _path_of(name: str, file: Path) -> tuple[str, ...]:
    """`OFFLINE_IMAGES__SERVER__STRATEGY` → images, server, strategy; UsageError where no key fits."""
    path: list[str] = []
    for part in name.removeprefix(_PREFIX).split("__"):
        known = list(problems.keys_at(Release, path)) or list(_mapping_keys(file, path))
        found = [key for key in known if key.upper().replace("-", "_") == part]
        if not found:
            near = problems.suggestion(part.lower(), [key.replace("-", "_") for key in known])
            raise UsageError(f"{name}: no configuration key fits this variable{near}")
        path.append(found[0])
    return tuple(path)


def _mapping_keys(file: Path, path: list[str]) -> Iterator[str]:
    """The keys that the file itself gives to a mapping of free names (images, services …)."""
    values: Any = document.read(file).values
    for part in path:
        values = values.get(part) if isinstance(values, dict) else None
    yield from values if isinstance(values, dict) else ()


def _value(text: str) -> Any:
    """A variable's text; nothing where it is empty; a list or mapping where it is YAML flow (`[a, b]`)."""
    if not text:
        return None
    if not text.startswith(("[", "{")):
        return text
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return text


def _put(values: dict[str, Any], path: tuple[str, ...], value: Any, origin: str) -> None:
    for part in path[:-1]:
        values = values.setdefault(part, {})
        if not isinstance(values, dict):
            raise UsageError(f"{origin}: {part} is not a mapping in the configuration file")
    values[path[-1]] = value


def _validated(values: dict[str, Any], lines: Mapping[str, int], origins: Mapping[str, str], file: Path) -> Release:
    def where(path: str) -> str:
        """What to correct: the variable or flag that gave the value, or the line of the file."""
        known = problems.nearest(path, origins)
        origin = origins.get(known, file.name)
        return origin if origin != file.name else f"{file}:{lines[known]}" if known else str(file)

    try:
        return Release.model_validate(values)
    except ValidationError as error:
        found = problems.sentences(error.errors(), Release, where)
        raise UsageError(
            "\n".join(found), hint=f"the annotated reference of every key is {paths.KIT / 'release.yml'}"
        ) from None
