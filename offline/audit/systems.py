"""curl, wget, git, keys and system package managers, where more than the verb decides."""

from __future__ import annotations

import re
from collections.abc import Sequence

from offline.audit.calls import Call, Judge, local_archive, positional, split_verb
from offline.audit.listed import listed
from offline.audit.tools import typed

_LOCAL_HOST = re.compile(r"^(?:\w+://)?(?:[^/@]*@)?(?:localhost|127\.\d+\.\d+\.\d+|0\.0\.0\.0|\[::1?\])(?:[:/]|$)")
_URL = re.compile(r"^(?:https?|ftps?)://")
_CURL = listed(
    "-A -b -c -C -d -D -e -E -F -H -K -m -o -P -Q -r -t -T -u -U -w -x -X -y -Y -z --user-agent --cookie --data "
    "--header --output --request --user --retry --retry-delay --retry-max-time --max-time --connect-timeout --proto "
    "--cacert --cert --key --proxy --form --write-out --url-query --output-dir --data-raw --data-binary --range "
    "--proto-redir --tls-max --ciphers --resolve --referer --upload-file --interface --limit-rate --cookie-jar "
    "--speed-limit --speed-time --max-redirs --capath --continue-at"
)
_WGET = listed(
    "-a -o -e -O -t -T -w -Q -P -U -l -A -R -D -I -X -B --output-file --append-output --execute --output-document "
    "--tries --timeout --wait --waitretry --directory-prefix --user-agent --header --post-data --method --body-data "
    "--level --accept --reject --domains --dns-timeout --connect-timeout --read-timeout --limit-rate --user --password"
)
_GIT_GLOBAL = listed("-C -c --git-dir --work-tree")
_GIT_CLONE = listed(
    "-b --branch --depth -o --origin -c --config -j --jobs --reference --template -u --upload-pack --filter"
)
_KEYS = listed(
    "--recv-keys --recv-key --recv --receive-keys --receive-key --refresh-keys --fetch-keys --fetch-key --locate-keys "
    "--locate-key --search-keys --locate-external-keys --recv-ke"
)


def curl(call: Call) -> str | None:
    """curl of anything but this machine and its files."""
    if call.has("--unix-socket", "--abstract-unix-socket"):
        return None
    return _fetching("net_curl", target(call.words, _CURL), listed=call.has("-K", "--config"))


def wget(call: Call) -> str | None:
    """wget of anything but this machine."""
    return _fetching("net_wget", target(call.words, _WGET), listed=call.has("-i", "--input-file"))


def _fetching(kind: str, wanted: str, *, listed: bool) -> str | None:
    if not wanted:
        return kind if listed else None
    return None if _LOCAL_HOST.match(wanted) or wanted.startswith("file:") else kind


def target(words: Sequence[str], valued: frozenset[str] = _CURL) -> str:
    """What is asked for: the word with a scheme that is no option's value, else the first that can be an address."""
    for word in words:
        if word.startswith("--url="):
            return word.removeprefix("--url=")
    candidates = [word for word in positional(words, valued) if word]
    explicit = next((word for word in candidates if "://" in word), "")
    hidden = next((word for word in words if "://" in word and not word.startswith("-")), "")
    return explicit or next((word for word in candidates if any(mark in word for mark in ".$:/")), "") or hidden


def git(call: Call) -> str | None:
    """git: what talks to a remote; a clone of a path is none."""
    verb, rest = split_verb(call.words, _GIT_GLOBAL)
    if verb == "clone":
        sources = positional(rest, _GIT_CLONE)
        if sources and sources[0].startswith(("/", "./", "../", "file:")):
            return None
    return typed("git", call.words)


def gpg(call: Call) -> str | None:
    """gpg: the options that ask a key server or fetch a key."""
    return "gpg_keyserver" if _KEYS.intersection(call.words) else None


def apt_key(call: Call) -> str | None:
    """apt-key: `adv` hands its options to gpg."""
    return gpg(call) if call.words[:1] == ["adv"] else typed("apt-key", call.words)


def rpm(call: Call) -> str | None:
    """rpm, given an address."""
    if not any(_URL.match(word) for word in call.words):
        return None
    return "gpg_keyserver" if call.has("--import") else "pkg_dnf"


def repository_manager(call: Call) -> str | None:
    """yum-config-manager, where it adds a repository."""
    return "repo_add" if any(word.startswith("--add-repo") for word in call.words) else None


def dnf(call: Call) -> str | None:
    """dnf and yum; `config-manager` and `copr` only where they add a repository."""
    if call.has("copr"):
        return "repo_add" if call.has("enable") else None
    if call.has("config-manager"):
        return "repo_add" if call.has("addrepo") else repository_manager(call)
    return typed("dnf", call.words)


def apk(call: Call) -> str | None:
    """apk; package files that are there already are not fetched."""
    verb, rest = split_verb(call.words, listed("-p --root -X --repository --arch --cache-dir -t --virtual"))
    packages = positional(rest, listed("-t --virtual -X --repository -p --root --arch"))
    local = verb == "add" and packages and all(map(local_archive, packages))
    return None if local else typed("apk", call.words)


def n(call: Call) -> str | None:
    """n installs the Node.js version that it is given."""
    wanted = [word for word in call.words if not word.startswith("-")]
    return "toolchain_download" if wanted and wanted[0] not in {"prune", "rm", "ls", "bin", "run"} else None


def pacman_key(call: Call) -> str | None:
    """pacman-key, where it asks a key server."""
    return "gpg_keyserver" if call.has("--recv-keys", "-r", "--refresh-keys") else None


JUDGES: dict[str, Judge] = {
    "curl": curl,
    "wget": wget,
    "git": git,
    "gpg": gpg,
    "gpg2": gpg,
    "apt-key": apt_key,
    "rpm": rpm,
    "yum-config-manager": repository_manager,
    **dict.fromkeys(("dnf", "yum", "microdnf", "tdnf", "dnf5"), dnf),
    "apk": apk,
    "n": n,
    "pacman-key": pacman_key,
}
