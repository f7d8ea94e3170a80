"""Which commands reach the network: package managers and their kin, by verb, option and what they were given.

A table where a tool is regular; a function where its meaning depends on more. Sources: each tool's own manual.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from offline.audit.calls import split_verb
from offline.audit.listed import listed


@dataclass(frozen=True, kw_only=True)
class Tool:
    """A program with verbs. `valued`: options before the verb that take a value; `offline`: options that keep it home.

    `verbs` maps a verb to its type, so that one program may have several; the verb "" is a call without any.
    A verb of several words ("mod download") is looked for before its first word alone.
    """

    verbs: Mapping[str, str]
    valued: frozenset[str] = field(default_factory=frozenset)
    offline: frozenset[str] = field(default_factory=frozenset)


def _verbs(kind: str, verbs: str, **others: str) -> dict[str, str]:
    table = {verb.strip().replace("_", " "): kind for verb in verbs.split()}
    for other, more in others.items():
        table |= {verb.replace("_", " "): other for verb in more.split()}
    return table


def _tool(kind: str, verbs: str, *, valued: str = "", offline: str = "", bare: bool = False, **others: str) -> Tool:
    table = _verbs(kind, verbs, **others) | ({"": kind} if bare else {})
    return Tool(verbs=table, valued=listed(valued), offline=listed(offline))


_APT = _tool(
    "pkg_apt",
    "update upgrade install dist-upgrade full-upgrade safe-upgrade build-dep source download satisfy reinstall "
    "dselect-upgrade changelog",
    valued="-o -c -t -a --option --config-file --target-release --default-release --host-architecture",
    offline="--no-download --print-uris -s --simulate --dry-run --just-print --recon",
)
_DNF = _tool(
    "pkg_dnf",
    "install update upgrade groupinstall group groups groupupdate localinstall localupdate reinstall downgrade "
    "distro-sync distribution-synchronization makecache builddep build-dep swap upgrade-minimal update-minimal "
    "update-to download module check-update in up update-installed system-upgrade install-n install-na repoquery "
    "debuginfo-install upgrade-to dsync distro-sync environment",
    valued="-c --config --releasever --installroot --enablerepo --disablerepo --repo --repoid --setopt -x --exclude "
    "--disableplugin -d -e -R --forcearch --rpmverbosity --downloaddir",
    offline="-C --cacheonly",
    repo_add="config-manager_--add-repo config-manager_addrepo",
)
_CONDA = _tool(
    "pkg_conda",
    "install create update upgrade env_create env_update self_update self-update build add global_install",
    valued="-n -p -r -c --name --prefix --root-prefix --channel --rc-file",
    offline="--offline --dry-run",
    index_url="config_--add_channels config_append_channels config_prepend_channels",
)
_NPM_INSTALL = "install i in ins inst isntall add ci clean-install ic install-clean install-ci-test cit install-test it"
_NPM = _tool(
    "pkg_npm",
    _NPM_INSTALL + " update up upgrade udpate create audit outdated publish view show info",
    valued="--prefix -C --registry --cache --loglevel -w --workspace --userconfig --fetch-timeout --fetch-retries "
    "--globalconfig --script-shell",
    offline="--offline",
)
_YARN = _tool(
    "pkg_yarn",
    "install add upgrade up upgrade-interactive dlx create global_add global_upgrade set_version workspaces_focus "
    "plugin_import outdated audit npm_audit self-update policies_set-version",
    valued="--cwd --cache-folder --modules-folder --registry --network-timeout --mutex --global-folder --prefix "
    "--network-concurrency --use-yarnrc --otp --proxy --https-proxy",
    offline="--offline",
    bare=True,
)
_PNPM = _tool(
    "pkg_pnpm",
    "install i add fetch update up upgrade dlx create import self-update audit outdated install-test it ci",
    valued="-C --dir -F --filter --registry --store-dir --reporter --loglevel --prefix --virtual-store-dir "
    "--network-concurrency --child-concurrency --workspace-concurrency --global-dir --filter-prod",
    offline="--offline",
    toolchain_download="env_use env_add runtime_set",
)
_GIT = _tool(
    "net_git",
    "clone fetch pull ls-remote submodule_update submodule_add lfs_pull lfs_fetch lfs_clone remote_update subtree_add "
    "subtree_pull svn_clone push archive_--remote remote-https",
    valued="-C -c --git-dir --work-tree --namespace --exec-path --config-env",
    offline="--no-fetch",
)
_RUSTUP = _tool(
    "toolchain_download",
    "install update toolchain_install toolchain_update toolchain_add component_add target_add target_install default "
    "self_update self_upgrade-data check",
)
_VERSIONS = "install i global_install plugin_add plugin-add plugin_install plugin_update upgrade update"

TOOLS: dict[str, Tool] = {
    **dict.fromkeys(("apt-get", "apt", "aptitude", "apt-fast", "nala"), _APT),
    "apt-file": _tool("pkg_apt", "update"),
    **dict.fromkeys(("dnf", "yum", "microdnf", "tdnf", "dnf5", "dnf-3", "dnf4", "rpm-ostree"), _DNF),
    "apk": _tool(
        "pkg_apk",
        "add update upgrade fetch",
        valued="-p --root -X --repository -t --virtual --wait --keys-dir --repositories-file --arch --cache-dir "
        "--cache-max-age --timeout",
        offline="--no-network --simulate -s",
    ),
    "zypper": _tool(
        "pkg_zypper",
        "install in update up dist-upgrade dup refresh ref patch source-install si install-new-recommends inr download",
        valued="-R --root --installroot -c --config -p --plus-repo --plus-content -D --reposd-dir -C --cache-dir "
        "--releasever --pkg-cache-dir",
        repo_add="addrepo ar addservice as",
    ),
    "pipx": _tool("pkg_pip", "install run inject upgrade upgrade-all install-all reinstall", valued="--python"),
    "uv": _tool(
        "pkg_uv",
        "sync add lock build tool_install tool_run tool_upgrade pip_install pip_sync pip_compile pip_download remove "
        "self_update tree publish",
        valued="--directory --project --config-file --cache-dir --python-preference --color --allow-insecure-host",
        offline="--offline --no-index",
        toolchain_download="python_install python_upgrade",
    ),
    "poetry": _tool(
        "pkg_poetry",
        "install update add lock remove self_add self_update self_install sync publish",
        valued="-C --directory -P --project",
        index_url="source_add",
    ),
    "pipenv": _tool("pkg_pipenv", "install sync update upgrade lock", valued="--python"),
    "pdm": _tool("pkg_pip", "install sync add update lock", valued="-p --project"),
    "rye": _tool("pkg_pip", "sync add lock install fetch", toolchain_download="toolchain_fetch"),
    **dict.fromkeys(("conda", "mamba", "micromamba", "pixi", "conda-env"), _CONDA),
    "conda-lock": _tool("pkg_conda", "install"),
    **dict.fromkeys(("npm", "cnpm", "tnpm", "ncu"), _NPM),
    "lerna": _tool("pkg_npm", "bootstrap"),
    **dict.fromkeys(("yarn", "yarnpkg"), _YARN),
    **dict.fromkeys(("pnpm", "pnpx"), _PNPM),
    "bun": _tool("pkg_bun", "install i add update x create c upgrade a", valued="--cwd", offline="--offline"),
    "corepack": _tool("corepack", "enable prepare install use up hydrate"),
    **dict.fromkeys(
        ("gem", "fluent-gem", "td-agent-gem"),
        _tool("pkg_gem", "install i update fetch outdated", offline="--local", index_url="sources_--add sources_-a"),
    ),
    **dict.fromkeys(
        ("bundle", "bundler"),
        _tool(
            "pkg_gem",
            "install update add outdated package cache lock pack",
            valued="--gemfile --retry",
            offline="--local",
            bare=True,
        ),
    ),
    **dict.fromkeys(
        ("composer", "composer.phar", "composer2"),
        _tool(
            "pkg_composer",
            "install i update u upgrade require r create-project self-update selfupdate outdated audit reinstall "
            "global_install global_update global_require global_upgrade",
            valued="-d --working-dir",
        ),
    ),
    **dict.fromkeys(
        ("pecl", "pear", "pie", "pickle"),
        _tool(
            "pkg_pecl",
            "install upgrade upgrade-all download channel-update update-channels channel-discover",
            valued="-d -D",
        ),
    ),
    "git": _GIT,
    "rustup": _RUSTUP,
    **dict.fromkeys(
        [
            "nvm",
            "fnm",
            "volta",
            "nodenv",
            "pyenv",
            "rbenv",
            "rvm",
            "asdf",
            "mise",
            "goenv",
            "gvm",
            "jabba",
            "ghcup",
            "juliaup",
            "tfenv",
            "jenv",
            "phpenv",
            "swiftly",
            "luaver",
            "elan",
            "proto",
        ],
        _tool("toolchain_download", _VERSIONS, valued="-C --cd"),
    ),
    "mise": _tool("toolchain_download", "install i use u up upgrade self-update", valued="-C --cd"),
    "sdk": _tool("toolchain_download", "install i upgrade u update selfupdate"),
    "emsdk": _tool("toolchain_download", "install update"),
    "flutter": _tool("toolchain_download", "precache upgrade channel"),
    "playwright": _tool("browser_download", "install install-deps"),
    **dict.fromkeys(
        ("playwright-core", "patchright", "cypress", "rfbrowser", "agent-browser"),
        _tool("browser_download", "install install-deps init"),
    ),
    "puppeteer": _tool("browser_download", "browsers_install browsers"),
    "browsers": _tool("browser_download", "install"),
    "camoufox": _tool("browser_download", "fetch"),
    **dict.fromkeys(("huggingface-cli", "hf"), _tool("model_download", "download repo_download")),
    "modelscope": _tool("model_download", "download"),
    "ollama": _tool("model_download", "pull run"),
    "spacy": _tool("model_download", "download"),
    "kaggle": _tool("model_download", "datasets_download models_download competitions_download"),
    "argospm": _tool("model_download", "install update"),
    "mim": _tool("pkg_pip", "install", model_download="download"),
    "apt-key": _tool("gpg_keyserver", "net-update update"),
}

# Programs for which every call is of one kind, whatever its words.
ALWAYS: dict[str, str] = {
    **dict.fromkeys(
        ("install_packages", "clean-install", "apt-install", "debootstrap", "mmdebstrap", "gdebi", "mk-build-deps"),
        "pkg_apt",
    ),
    **dict.fromkeys(("yumdownloader", "yum-builddep", "dnf-builddep", "reposync", "repotrack"), "pkg_dnf"),
    **dict.fromkeys(("easy_install", "pip-sync", "pip-compile", "get-pip.py"), "pkg_pip"),
    "uvx": "pkg_uv",
    "bunx": "pkg_bun",
    "install-php-extensions": "pkg_pecl",
    **dict.fromkeys(("add-apt-repository", "apt-add-repository"), "repo_add"),
    **dict.fromkeys(
        ("rustup-init", "rustup-init.sh", "rustup.sh", "sdkmanager", "nodeenv", "foundryup"), "toolchain_download"
    ),
    **dict.fromkeys(("dotnet-install.sh", "ruby-install", "ruby-build", "python-build", "espup"), "toolchain_download"),
    "pyppeteer-install": "browser_download",
    "gdown": "model_download",
}

# Programs that fetch something for which issue E has no type; they become findings instead.
OTHER: dict[str, str] = {
    "dotnet": "restore build publish add test pack run tool workload",
    "nuget": "install restore",
    "sbt": "",
    "lein": "deps uberjar jar ring with-profile run install",
    "cs": "fetch install bootstrap launch setup",
    "coursier": "fetch install bootstrap launch setup",
    "dub": "build fetch upgrade add run",
    "shards": "install build update",
    "grails": "",
    "nix": "build develop profile run",
    "nix-build": "",
    "nix-channel": "--add --update",
    "xcaddy": "build",
    "bazel": "build run test",
    "bazelisk": "build run test",
    "gcloud": "components",
    "az": "extension",
    "mix": "deps.get local.hex local.rebar archive.install do",
    "rebar3": "get-deps compile",
    "svn": "checkout co export update up",
    "hg": "clone pull",
    "bzr": "branch checkout",
    "pacman": "-S -Sy -Syu -Syyu -Syu --sync",
    "cabal": "update install build",
    "stack": "setup build install",
    "opam": "init install update",
    "luarocks": "install",
    "cpanm": "",
    "cpan": "",
    "aria2c": "",
    "axel": "",
    "ansible-galaxy": "install collection role",
    "helm": "pull install repo dependency",
    "terraform": "init",
    "docker": "pull build run",
    "skopeo": "copy",
    "crane": "pull",
    "conan": "install",
    "vcpkg": "install",
    "bower": "install",
    "deno": "cache install",
    "swift": "build package",
    "pub": "get",
    "dart": "pub",
    "nix-env": "-i -iA",
    "brew": "install update",
    "opkg": "install update",
    "emerge": "",
    "gsutil": "cp rsync",
    "install2.r": "",
    "installGithub.r": "",
}

_LOCAL_VERSIONS = {"--version", "-v", "-version", "-V", "--help", "-h"}


def typed(name: str, words: Sequence[str]) -> str | None:
    """The type of download that `name words…` is, by the tables; None where it is none that they know."""
    if name in ALWAYS:
        return None if words and all(word in _LOCAL_VERSIONS for word in words) else ALWAYS[name]
    tool = TOOLS.get(name)
    if tool is None or tool.offline.intersection(words):
        return None
    verb, rest = split_verb(words, tool.valued)
    if not verb:
        return tool.verbs.get("") if not _LOCAL_VERSIONS.intersection(words) else None
    for spelled in (" ".join([verb, *rest[:2]]), " ".join([verb, *rest[:1]])):
        if spelled in tool.verbs:
            return tool.verbs[spelled]
    return tool.verbs.get(verb)


def other_download(name: str, words: Sequence[str]) -> bool:
    """Whether `name words…` fetches something that the inventory has no type for."""
    verbs = OTHER.get(name)
    if verbs is None:
        return False
    return not verbs or any(word in verbs.split() for word in words[:3])
