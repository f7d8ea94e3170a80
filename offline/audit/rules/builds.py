"""Rules about single instructions of a Dockerfile: downloads, architectures, secrets, what an old engine lacks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from offline.audit.listed import listed
from offline.audit.rules.catalogue import found
from offline.audit.stages import Stage, declared
from offline.audit.wrappers import name_of

if TYPE_CHECKING:
    from offline.audit.build import BuildAudit, Ran
    from offline.audit.dockerfile import Instruction
    from offline.audit.model import Finding
    from offline.audit.sources import Sources

SECRET_NAME = re.compile(
    r"(?:^|_)(?:PASSWORD|PASSWD|PASS|SECRET|TOKEN|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY|CREDENTIALS?)(?:_|$)", re.IGNORECASE
)
NOT_SECRET = re.compile(
    r"_(?:FILE|PATH|URL|LENGTH|TTL|EXPIR\w*|NAME|ID|POLICY|ALGORITHM|TYPE|TIMEOUT|ENABLED)$", re.IGNORECASE
)
# Named like a secret, but switched on or off.
SWITCHES = listed("true false yes no on off")
_ARCHITECTURE = re.compile(
    rb"(?<![A-Za-z0-9])(?:amd64|x86_64|x86-64|arm64|aarch64|linux64|linux-x64|x64)(?![A-Za-z0-9])"
)
_GIT = re.compile(r"^(?:git@|git://|ssh://|https?://[^#?]+\.git(?:[#?]|$))")
_CHECKS = listed("sha256sum sha512sum sha1sum shasum md5sum gpg gpgv gpg2 cosign minisign b2sum signify openssl")
_KEYWORDS = listed(
    "FROM RUN CMD LABEL MAINTAINER EXPOSE ENV ADD COPY ENTRYPOINT VOLUME USER WORKDIR ARG ONBUILD STOPSIGNAL SHELL "
    "HEALTHCHECK"
)
_FETCHES = frozenset({"net_curl", "net_wget"})


def check(sources: Sources) -> Iterator[Finding]:
    """Every Dockerfile, instruction by instruction."""
    for build in sources.builds.values():
        path = build.build.file.path
        yield from (_not_analysed(path, line, reason) for line, reason in build.not_analysed)
        yield from _refused(build)
        yield from _commands(build)
        for stage in build.build.stages:
            yield from _platform(path, stage)
            for instruction in stage.instructions:
                yield from _secrets(path, instruction)
                yield from _new(path, instruction)


def _not_analysed(path: str, line: int, reason: str) -> Finding:
    return found(
        "not-analysed",
        path,
        line,
        f"this RUN is not analysed: {reason}",
        "read it yourself for downloads; Windows images are outside what the kit ships",
        value=reason,
    )


def _refused(build: BuildAudit) -> Iterator[Finding]:
    """What the parser lets pass and the build refuses: unknown keywords, missing words, and nothing to build on."""
    file = build.build.file
    problems = [(one.line, reason) for one in file.instructions if (reason := _problem(one))]
    first = next((one for one in file.instructions if one.keyword != "ARG"), None)
    if not problems and not any(one.keyword == "FROM" for one in file.instructions):
        problems = [(1, "it has no FROM")]
    elif not problems and first is not None and first.keyword != "FROM":
        problems = [(first.line, f"{first.keyword} stands before the first FROM")]
    for line, reason in problems:
        yield found(
            "unreadable",
            file.path,
            line,
            f"BuildKit refuses {file.path}: {reason}",
            "mend the line, or leave the file out of the audited paths",
            value=reason,
        )


def _problem(instruction: Instruction) -> str:
    words = instruction.words
    match instruction.keyword:
        case "FROM" if len(words) != 1 and not (len(words) == 3 and words[1].lower() == "as"):  # noqa: PLR2004
            return "FROM wants an image, or an image, AS and a name"
        case "COPY" | "ADD" if len(words) < 2:  # noqa: PLR2004 - a source and a target
            return f"{instruction.keyword} wants a source and a target"
        case keyword if keyword not in _KEYWORDS:
            return f"there is no instruction {keyword}"
    return ""


def _commands(build: BuildAudit) -> Iterator[Finding]:
    checked = {id(ran.instruction) for ran in build.ran if name_of(ran.command.words[0].value) in _CHECKS}
    for ran in build.ran:
        if _FETCHES.intersection(ran.kinds):
            yield from _download(ran, checked=id(ran.instruction) in checked)
    for ran in build.untyped:
        yield found(
            "other-download",
            ran.path,
            ran.command.line,
            f"{ran.command.text[:80]} fetches from the network",
            "let the builder reach a mirror of it, or bring what it fetches in the source",
            value=name_of(ran.command.words[0].value),
        )
    for item in build.items:
        if item.type == "add_url":
            yield from _added(build, item.line, item.value)


def _download(ran: Ran, *, checked: bool) -> Iterator[Finding]:
    command = ran.command
    if not checked:
        yield found(
            "unverified-download",
            ran.path,
            command.line,
            f"{command.text[:80]}: nothing checks what arrives",
            "compare a checksum that stands in the Dockerfile (sha256sum -c), or bring the file in the source",
            value=command.text[:80],
        )
    addresses = (word for word in command.words if b"://" in word.inside.data)
    literal = next((word for word in addresses if _ARCHITECTURE.search(word.inside.data)), None)
    if literal is not None:
        yield _one_architecture(ran.path, command.line, literal.value)


def _one_architecture(path: str, line: int, value: str) -> Finding:
    return found(
        "architecture",
        path,
        line,
        f"{value} is for one architecture; built for another platform it does not run",
        "choose it by TARGETARCH, or say in release.yml that the stack has one platform",
        value=value,
    )


def _added(build: BuildAudit, line: int, value: str) -> Iterator[Finding]:
    instruction = next((one for stage in build.build.stages for one in stage.instructions if one.line == line), None)
    path = build.build.file.path
    if instruction is not None and instruction.flag("checksum") is None:
        yield found(
            "unverified-download",
            path,
            line,
            f"ADD {value}: nothing checks what arrives",
            "ADD --checksum=sha256:… (BuildKit), or bring the file in the source",
            value=value,
        )
    if _ARCHITECTURE.search(value.encode()):
        yield _one_architecture(path, line, value)


def _platform(path: str, stage: Stage) -> Iterator[Finding]:
    written = stage.platform_written
    if written and "$" not in written:
        yield found(
            "platform",
            path,
            stage.line,
            f"--platform={written} is fixed here, whatever platform the release is for",
            "leave it out, or write --platform=$BUILDPLATFORM for a stage that only builds",
            value=written,
        )


def _secrets(path: str, instruction: Instruction) -> Iterator[Finding]:
    if instruction.keyword not in {"ARG", "ENV"}:
        return
    for name, value in declared(instruction, {}):
        given = (value or instruction.keyword == "ARG") and (value or "").lower() not in SWITCHES
        if given and SECRET_NAME.search(name) and not NOT_SECRET.search(name):
            yield found(
                "secret-in-image",
                path,
                instruction.line,
                f"{instruction.keyword} {name}: it stays readable in the image and in its history",
                "hand it in with RUN --mount=type=secret for a build, or from the environment at the start",
                value=name,
            )


def _new(path: str, instruction: Instruction) -> Iterator[Finding]:
    flags = {flag.partition("=")[0] for flag in instruction.flags}
    lacking = sorted(flags & {"--link", "--parents", "--exclude", "--checksum", "--keep-git-dir", "--device"})
    if instruction.heredocs:
        lacking.append("a here-document")
    if instruction.keyword == "ADD" and any(_GIT.match(word) for word in instruction.words[:-1]):
        lacking.append("a git repository")
    for feature in lacking:
        yield found(
            "needs-newer-engine",
            path,
            instruction.line,
            f"{instruction.keyword} with {feature}: the frontend that is built into Docker 20.10 does not know it",
            "write it without, or build on Docker 23 or newer",
            value=feature,
        )
