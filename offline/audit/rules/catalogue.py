"""Every rule: its id, how bad it is, and its title. `docs/audit/<id>.md` says why, with a bad and a good example."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from offline.audit.model import Finding

if TYPE_CHECKING:
    from offline.audit.model import Severity


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A rule as people meet it."""

    severity: Severity
    title: str


def _error(title: str) -> Rule:
    return Rule(severity="error", title=title)


def _warning(title: str) -> Rule:
    return Rule(severity="warning", title=title)


def _info(title: str) -> Rule:
    return Rule(severity="info", title=title)


RULES: dict[str, Rule] = {
    "unreadable": _error("A file that cannot be read as what it is"),
    "cycle": _error("Files or services that take each other in"),
    "outside-source": _error("A path that leaves the source"),
    "template": _info("A template, which is not a Dockerfile or Compose file yet"),
    "not-analysed": _info("A shell that the audit does not read"),
    "private-base": _error("A base image that only its owner can fetch"),
    "sibling-base": _error("A base image that another Dockerfile of this source builds"),
    "unresolved-base": _warning("A base image that nothing in the source names"),
    "mixed-base": _warning("A ready base and a whole installation in one Dockerfile"),
    "heavy-twice": _warning("Heavy packages installed in a base and again on top of it"),
    "undefined-stage": _error("COPY --from a stage that does not exist"),
    "unused-stage": _info("A stage that nothing uses"),
    "syntax-frontend": _warning("A Dockerfile frontend that is pulled from a registry"),
    "unpinned-image": _warning("An image without a version"),
    "digest-image": _warning("An image by digest, which a classic store loses when it loads"),
    "requirements-line": _error("Several requirements on one line"),
    "local-version": _error("A local version such as +cpu without the index that has it"),
    "cuda-torch": _warning("PyTorch with CUDA where the processor is meant"),
    "unverified-download": _info("A download that nothing checks"),
    "architecture": _info("A download for one processor architecture"),
    "platform": _warning("A platform fixed in one place"),
    "secret-in-image": _warning("A secret as ARG or ENV"),
    "runtime-download": _error("A container that downloads when it starts"),
    "other-download": _warning("A download that the inventory has no type for"),
    "missing-source": _warning("Something to copy that is not in the source"),
    "missing-bind": _warning("A bind mount of something that is not in the source"),
    "missing-env-file": _warning("An env_file that is not in the source"),
    "file-bind": _warning("A bind mount of a single file"),
    "relative-bind": _info("A bind mount relative to the Compose file"),
    "crlf": _error("Windows line ends in something that Linux executes"),
    "no-healthcheck": _warning("A service without a health check"),
    "literal-password": _warning("A password written into the Compose file"),
    "obsolete-version": _info("The obsolete top-level version"),
    "ignored-resources": _info("deploy.resources, which Compose 1.29 ignores"),
    "needs-newer-compose": _warning("Something that Compose 1.29 does not know"),
    "needs-newer-engine": _warning("Something that Docker 20.10 cannot do"),
    "top-level-name": _warning("A top-level name, which Compose 1.29 refuses"),
    "profiles": _warning("Profiles where Compose 1.29 must run it"),
    "anonymous-volume": _warning("A volume without a name that holds data"),
    "port-twice": _error("One host port published twice"),
    "docker-socket": _warning("A container that controls the engine"),
    "remote-context": _error("A build context that is fetched"),
}


def found(
    rule: str, path: str, line: int, message: str, hint: str, *, value: str = "", severity: Severity | None = None
) -> Finding:
    """A finding of `rule`, of its usual severity unless the case is another."""
    return Finding(
        path=path,
        line=max(1, line),
        rule=rule,
        severity=severity or RULES[rule].severity,
        message=message,
        hint=hint,
        value=value,
    )
