"""Package managers of languages, where more than the verb decides.

pip with local wheels or no index, uv after a sync, go after its modules are there, cargo and Maven offline.
"""

from __future__ import annotations

from offline.audit.calls import Call, Judge, local_archive, local_path, positional, split_verb
from offline.audit.listed import listed
from offline.audit.tools import typed

_PIP_GLOBAL = listed("--cert --proxy --timeout --default-timeout --retries --trusted-host --log --cache-dir --python")
PIP_INSTALL = _PIP_GLOBAL | listed(
    "-c --constraint -t --target --platform --python-version --implementation --abi --prefix --root --src -i "
    "--index-url --extra-index-url -f --find-links --no-binary --only-binary --progress-bar --upgrade-strategy -C "
    "--config-settings --global-option -r --requirement -d --dest -w --wheel-dir --build-option --install-option "
    "--use-feature --override --index --default-index"
)
_UV_GLOBAL = listed("--directory --project --cache-dir --config-file")
_GO_BUILDS = listed("build install run test vet")
_GO_FETCHES = listed("download tidy vendor sync")
_CARGO_GLOBAL = listed("--manifest-path --color -Z --config -C --target-dir")
_CARGO = listed(
    "build b install fetch update add test t run r check c vendor doc d bench clippy publish search generate-lockfile "
    "binstall rustc fix metadata nextest tree zigbuild auditable cook leptos tauri build-sbf build-bpf deb"
)
_CARGO_BUILDS = listed("build b test t run r check c doc bench clippy rustc")
_ASKS = ("--version", "-v", "-version", "--help", "-h", "--stop", "-?")


def pip(call: Call) -> str | None:
    """pip: `install`, `download` and `wheel`, but not of local wheels alone, nor with --no-index."""
    verb, rest = split_verb(call.words, _PIP_GLOBAL)
    if verb not in {"install", "download", "wheel", "index"} or call.has("--no-index"):
        return None
    listed = any(word.startswith(("-r", "--requirement")) for word in rest)
    targets = positional(rest, PIP_INSTALL)
    if listed or not targets:
        return "pkg_pip"
    alone = {"--no-deps", "--no-build-isolation"}.issubset(rest) and all(map(local_path, targets))
    return None if alone or all(map(local_archive, targets)) else "pkg_pip"


def uv(call: Call) -> str | None:
    """uv: `uv run` syncs as well, unless it is told not to or a sync came before it."""
    verb, rest = split_verb(call.words, _UV_GLOBAL)
    if verb == "pip" and rest[:1] == ["install"]:
        return (
            "pkg_uv" if not call.has("--offline") and pip(Call(words=rest, known=call.known, done=call.done)) else None
        )
    if verb == "run":
        stays = call.has("--no-sync", "--offline", "--no-project") and "--with" not in rest
        return None if stays or "uv" in call.done else "pkg_uv"
    if verb == "lock" and call.has("--check", "--frozen"):
        return None
    if verb == "sync":
        call.done.add("uv")
    return typed("uv", call.words)


def npm(call: Call) -> str | None:
    """npm: what it installs lets a later npx start it."""
    if call.words[:1] in (["exec"], ["x"]):
        return None
    return _remembered("npm", call)


def yarn(call: Call) -> str | None:
    """yarn: a bare call installs; `yarn workspace NAME add` is `yarn add`."""
    kind = _remembered("yarn", call)
    return typed("yarn", call.words[2:]) if kind is None and call.words[:1] == ["workspace"] else kind


def pnpm(call: Call) -> str | None:
    """pnpm: `recursive` is a prefix; `deploy` installs, from the store once that was filled."""
    words = call.words[1:] if call.words[:1] in (["recursive"], ["multi"], ["m"]) else call.words
    deploys = "deploy" in words and "run" not in words and "--offline" not in words and "node" not in call.done
    kind = _remembered("pnpm", Call(words=words, known=call.known, done=call.done))
    return "pkg_pnpm" if kind is None and deploys else kind


def _remembered(name: str, call: Call) -> str | None:
    kind = typed(name, call.words)
    if kind is not None:
        call.done.add("node")
    return kind


def go(call: Call) -> str | None:
    """go: fetching verbs always; a build only where nothing fetched its modules before."""
    verb, rest = split_verb(call.words, frozenset({"-C"}))
    if call.known.get("GOPROXY") == "off":
        return None
    if verb == "env":
        return "index_url" if any(word.startswith("GOPROXY=http") for word in rest) else None
    if verb == "get" or (verb in {"mod", "work"} and _GO_FETCHES.intersection(rest[:1])):
        call.done.add("go")
        return "pkg_go"
    if verb in {"install", "run"} and any("@" in word for word in rest):
        return "pkg_go"
    return _go_build(rest, call) if verb in _GO_BUILDS else None


def _go_build(rest: list[str], call: Call) -> str | None:
    vendored = any("mod=vendor" in word for word in [*rest, call.known.get("GOFLAGS", "")])
    targets = [word for word in rest if not word.startswith("-")]
    single_file = bool(targets) and targets[-1].endswith(".go") and "/" not in targets[-1]
    stays = vendored or single_file or "go" in call.done or call.known.get("GO111MODULE") == "off"
    return None if stays else "pkg_go"


def cargo(call: Call) -> str | None:
    """cargo: every build fetches what Cargo.lock names, unless offline, frozen, or fetched before."""
    verb, rest = split_verb(call.words, _CARGO_GLOBAL)
    if verb == "chef":
        verb = rest[0] if rest else ""
    stays = call.has("--offline", "--frozen") or call.known.get("CARGO_NET_OFFLINE") == "true"
    if verb not in _CARGO or stays or (verb in _CARGO_BUILDS and "cargo" in call.done):
        return None
    if verb in {"fetch", "vendor"}:
        call.done.add("cargo")
    return "pkg_cargo"


def _jvm(kind: str, offline: tuple[str, ...], *, wrapper: bool) -> Judge:
    """Maven or Gradle: any goal resolves plugins; a wrapper (`mvnw`) fetches the tool even to say its version."""

    def judge(call: Call) -> str | None:
        asks = not call.words or call.has(*_ASKS)
        return None if call.has(*offline) or (asks and not wrapper) else kind

    return judge


mvn = _jvm("pkg_maven", ("-o", "--offline"), wrapper=False)
mvnw = _jvm("pkg_maven", ("-o", "--offline"), wrapper=True)
gradle = _jvm("pkg_gradle", ("--offline",), wrapper=False)
gradlew = _jvm("pkg_gradle", ("--offline",), wrapper=True)


def packaged(name: str) -> Judge:
    """gem and pecl: a package file that is there already is not fetched."""

    def judge(call: Call) -> str | None:
        _, rest = split_verb(call.words)
        targets = positional(rest, listed("-v --version -i --install-dir -d -D"))
        local = bool(targets) and all(local_archive(target) and ("/" in target or "*" in target) for target in targets)
        return None if local else typed(name, call.words)

    return judge


def composer(call: Call) -> str | None:
    """Composer, unless its network is switched off by its variable."""
    return None if call.known.get("COMPOSER_DISABLE_NETWORK") == "1" else typed("composer", call.words)
