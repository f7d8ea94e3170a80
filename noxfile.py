"""What is checked, and how: `nox --list`. The default is what every change must pass."""

from __future__ import annotations

import pathlib

import nox

nox.needs_version = ">=2025.5.1"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.reuse_venv = "yes"
nox.options.sessions = ["lint", "unit", "smoke", "airgap"]

LOCK = "requirements-dev.lock"


def install(session: nox.Session) -> None:
    """Install what the lock says, nothing else."""
    session.install("--require-hashes", "-r", LOCK)


def shell_files() -> list[str]:
    """Every shell script of the project but the one whose line ends are wrong on purpose."""
    found = [*pathlib.Path("scripts").rglob("*.sh"), *pathlib.Path("docker").rglob("*.sh"), pathlib.Path(".ci/run")]
    return sorted(str(path) for path in found)


@nox.session
def lint(session: nox.Session) -> None:
    """Style, types, import order, Dockerfiles, shell, and what an old host's shell lacks."""
    install(session)
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("mypy", ".")
    session.run("lint-imports")
    session.run("shellcheck", "--external-sources", *shell_files())
    session.run("shfmt", "-d", "-i", "4", "-ci", "-s", *shell_files())
    session.run("hadolint", *sorted(str(path) for path in pathlib.Path("docker").rglob("Dockerfile")))
    session.run("python", "tests/host/old_hosts.py", "scripts/host", "scripts/remote")


@nox.session
def unit(session: nox.Session) -> None:
    """Everything that needs no engine and no network: seconds."""
    install(session)
    # The slowest first, and whoever has nothing left takes from the other: no core waits for the last file.
    spread = ["-n", "auto", "--dist", "worksteal"]
    session.run("python", "-m", "pytest", *spread, "tests/host", "tests/unit", "tests/cli", *session.posargs)


@nox.session
def smoke(session: nox.Session) -> None:
    """From source to a serving stack on an empty engine that reaches nothing."""
    install(session)
    session.run("python", "-m", "pytest", "tests/smoke", *session.posargs)


@nox.session
def airgap(session: nox.Session) -> None:
    """Deploys on a real air-gapped host with the oldest engine."""
    install(session)
    session.run("python", "-m", "pytest", "tests/airgap", *session.posargs)


@nox.session(default=False)
def compat(session: nox.Session) -> None:
    """The whole engine matrix."""
    install(session)
    session.run("python", "-m", "pytest", "tests/compat", *session.posargs)


@nox.session(default=False)
def faults(session: nox.Session) -> None:
    """Kills, full disks and damaged bundles, over and over."""
    install(session)
    session.run("python", "-m", "pytest", "tests/faults", *session.posargs)


@nox.session(default=False)
def upstream(session: nox.Session) -> None:
    """The public xiaozhi-esp32-server in single mode: `-- --upstream DIR`."""
    install(session)
    session.run("python", "-m", "pytest", "tests/upstream", *session.posargs)


@nox.session(default=False)
def bench(session: nox.Session) -> None:
    """Measure against the floor and the old way; writes a table."""
    install(session)
    session.run("python", "-m", "tests.bench", *session.posargs)
