"""From one command to what it fetches: the types of issue E, decided by what the command means."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, MutableSet, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from offline.audit import languages, pycode, systems
from offline.audit.calls import Call, Judge, split_verb
from offline.audit.listed import listed
from offline.audit.tools import typed
from offline.audit.wrappers import SHELLS, name_of

if TYPE_CHECKING:
    from offline.audit.shell import Command

Found = tuple[str, str]

_PYTHON = re.compile(r"^(?:python|pypy)[\d.]*$")
_PIP = re.compile(r"^pip[\d.]*(?:-[\d.]+)?$")
_REPOSITORY_FILE = re.compile(
    r"^(?:--[a-z-]+=|-[oOP])?/etc/(?:apt/sources\.list|yum\.repos\.d(?:/|$)|apk/repositories|zypp/repos\.d(?:/|$))"
)
_INDEX_OPTIONS = ("--index-url", "-i", "--extra-index-url", "--registry", "--default-index", "--index", "--source")
_INDEX_NAMES = re.compile(
    r"^(?:PIP_(?:EXTRA_)?INDEX_URL|UV_(?:EXTRA_|DEFAULT_)?INDEX(?:_URL)?|NPM_CONFIG_REGISTRY|npm_config_registry|"
    r"YARN_REGISTRY|YARN_NPM_REGISTRY_SERVER|GOPROXY|POETRY_PYPI_MIRROR_URL|PIPENV_PYPI_MIRROR|"
    r"BUNDLE_MIRROR__.*|CARGO_REGISTRIES_.*_INDEX|RUSTUP_DIST_SERVER|CONDA_CHANNELS|HF_ENDPOINT)$"
)
_INDEX_KEYS = ("index-url", "registry", "npmRegistryServer", "mirror.", "repo.", "repos.packagist")
_INDEXED = listed("uv npm yarn pnpm bun gem bundle composer pip-compile pipenv poetry npx cnpm")
# Scripts that are piped into a shell and fetch a toolchain in their turn.
_INSTALLERS = ("sh.rustup.rs", "static.rust-lang.org/rustup", "get.sdkman.io", "nvm-sh/nvm", "creationix/nvm")
_MODULES = listed("pip pipx uv poetry pipenv spacy playwright patchright camoufox conda")

_JUDGES: dict[str, Judge] = {
    **systems.JUDGES,
    "pip": languages.pip,
    "uv": languages.uv,
    "npm": languages.npm,
    "yarn": languages.yarn,
    "pnpm": languages.pnpm,
    "go": languages.go,
    "cargo": languages.cargo,
    "mvn": languages.mvn,
    "mvnd": languages.mvn,
    "mvnw": languages.mvnw,
    "gradle": languages.gradle,
    "gradlew": languages.gradlew,
    "gem": languages.packaged("gem"),
    "pecl": languages.packaged("pecl"),
    **dict.fromkeys(("composer", "composer.phar", "composer2"), languages.composer),
}


def downloads(command: Command, known: Mapping[str, str], done: MutableSet[str]) -> Iterator[Found]:
    """(type, value) of all that `command` fetches.

    `known` are the variables around it; `done` remembers what earlier commands of the stage have fetched already.
    """
    words = list(command.values)
    if not words:
        return
    name = name_of(words[0])
    call = Call(words=words[1:], known={**known, **dict(command.assigned)}, done=done)
    yield from _of_program(name, call, command)
    yield from _repositories(name, call, command)
    yield from _indexes(name, call, command)


def is_index_name(name: str) -> bool:
    """Whether an environment variable of this name points a tool at another index."""
    return _INDEX_NAMES.match(name) is not None


def _of_program(name: str, call: Call, command: Command) -> Iterator[Found]:
    if _PYTHON.match(name):
        yield from _python(call, command)
        return
    judge = _JUDGES.get("pip" if _PIP.match(name) else name)
    kind = judge(call) if judge else typed(name, call.words)
    if kind:
        yield kind, _value(kind, call.words, command)
    elif name in _STARTERS:
        yield from _started(name, call, command)
    if name in SHELLS and _installs(command):
        yield "toolchain_download", command.text
    if name == "php" and call.words and name_of(call.words[0]).startswith("composer"):
        yield from _of_program("composer", replace(call, words=call.words[1:]), command)


def _value(kind: str, words: Sequence[str], command: Command) -> str:
    if kind in {"net_curl", "net_wget"}:
        return systems.target(list(words)) or command.text
    if kind == "net_git":
        return next((word for word in words if "://" in word or word.startswith("git@")), command.text)
    return command.text


def _python(call: Call, command: Command) -> Iterator[Found]:
    """`python -m module`, `python -c code`, `python - <<EOF`."""
    words = list(call.words)
    while words and words[0].startswith("-") and words[0] not in {"-m", "-c", "-"}:
        words = words[2 if words[0] in {"-W", "-X"} else 1 :]
    option = words[0] if words else "-"
    code = words[1] if option == "-c" and len(words) > 1 else ""
    if option == "-m" and len(words) > 1:
        yield from _module(words[1], replace(call, words=words[2:]), command)
    elif option == "-" and command.stdin is not None:
        code = command.stdin.data.decode("utf-8", "replace")
    elif name_of(option) == "get-pip.py":
        yield "pkg_pip", command.text
    yield from (("model_download", found) for found, _ in pycode.model_downloads(code))


def _module(module: str, call: Call, command: Command) -> Iterator[Found]:
    if module == "nltk.downloader" or (module == "unidic" and call.has("download")):
        yield "model_download", command.text
    elif module == "build" and not call.has("-n", "--no-isolation", "-h"):
        yield "pkg_pip", command.text
    elif module in _MODULES:
        yield from _of_program(module, call, command)


_STARTERS = listed("npx npm yarn pnpm uv bun bunx pnpx")
_STARTER_OPTIONS = listed("--filter -F -C --dir --cwd --prefix")
_STARTED_OPTIONS = listed("-p --package --with --python -c --call")


def _started(name: str, call: Call, command: Command) -> Iterator[Found]:
    """`npx X`, `yarn X`, `pnpm exec X`: what X fetches, and X itself where nothing installed it before."""
    verb, inner = ("exec", list(call.words)) if name.endswith("x") else split_verb(call.words, _STARTER_OPTIONS)
    if verb not in {"exec", "x", "run"}:
        inner = [verb, *inner] if name in {"yarn", "pnpm"} else []
    program, rest = split_verb(inner, _STARTED_OPTIONS)
    bare, _, version = program.rpartition("@") if program.rfind("@") > 0 else (program, "", "")
    kind = typed(name_of(bare), rest)
    if kind in {"browser_download", "model_download", "toolchain_download"}:
        yield kind, command.text
    elif program and name in {"npx", "npm"} and verb != "run" and not call.has("--no-install", "--no", "--offline"):
        named = version or {"-y", "--yes", "-p", "--package"}.intersection(inner)
        if named or "node" not in call.done:
            yield "pkg_npm", command.text


def _installs(command: Command) -> bool:
    """`curl https://sh.rustup.rs | sh`, `sh rustup-init.sh`: the script fetches as well."""
    fed = any(mark in word for earlier in command.before for word in earlier.values for mark in _INSTALLERS)
    return fed or any(name_of(word).startswith(("rustup-init", "rustup.sh")) for word in command.values[1:])


def _repositories(name: str, call: Call, command: Command) -> Iterator[Found]:
    """A file written into the package manager's list of repositories.

    One that is written line by line (`echo [x] > x.repo; echo baseurl=… >> x.repo`) is one repository; a line of apt's
    or apk's list is one each.
    """
    named = command.values[1:] if name in {"tee", "curl", "wget"} else ()
    for written in (*command.writes, *named):
        if not _REPOSITORY_FILE.match(written):
            continue
        key = f"repository {written}"
        again = key in call.done and (".repo" in written or "://" not in command.text)
        call.done.add(key)
        if not again:
            yield "repo_add", command.text
            return


def _indexes(name: str, call: Call, command: Command) -> Iterator[Found]:
    """Another package index, given as a variable, an option, or written into the tool's configuration."""
    yield from (("index_url", value) for key, value in command.assigned if is_index_name(key) and value)
    if name not in _INDEXED and not _PIP.match(name) and not _PYTHON.match(name):
        return
    words = call.words
    if "config" in words[:2] or words[:1] == ["set"]:
        keyed = any(key in word for word in words[1:-1] for key in _INDEX_KEYS)
        if keyed and "get" not in words:
            yield "index_url", words[-1]
        return
    for position, word in enumerate(words):
        option, equals, value = word.partition("=")
        given = value if equals else "".join(words[position + 1 : position + 2])
        if option in _INDEX_OPTIONS and ("://" in given or "$" in given):
            yield "index_url", given
