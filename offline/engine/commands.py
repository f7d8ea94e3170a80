"""Command lines for the docker client. Pure: argv tuples that nothing here runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

BUILD_ENVIRONMENT = {
    "DOCKER_BUILDKIT": "1",
    # An attestation makes an index of what was one image, and every build of it a new digest.
    "BUILDX_NO_DEFAULT_ATTESTATIONS": "1",
    "BUILDKIT_PROGRESS": "plain",
}


def build(
    client: str, *, context: Path, dockerfile: Path, tag: str, secrets: Mapping[str, Path], args: Mapping[str, str]
) -> tuple[str, ...]:
    """Build one image with BuildKit; `secrets` are files by id, seen by the RUN lines that mount them."""
    argv = [client, "build", "--progress=plain", "--file", str(dockerfile), "--tag", tag]
    for name, file in secrets.items():
        argv += ["--secret", f"id={name},src={file}"]
    for name, value in args.items():
        argv += ["--build-arg", f"{name}={value}"]
    return (*argv, str(context))


def build_files(client: str, *, context: Path, dockerfile: Path, into: Path) -> tuple[str, ...]:
    """Build with BuildKit into a tar of files instead of an image."""
    output = f'type=tar,"dest={into}"'
    return (client, "build", "--progress=plain", "--file", str(dockerfile), "--output", output, str(context))


def pull(client: str, reference: str, *, platform: str) -> tuple[str, ...]:
    """Pull one image for one platform."""
    return (client, "pull", "--quiet", "--platform", platform, reference)


def load(client: str) -> tuple[str, ...]:
    """Load images from an archive on stdin."""
    return (client, "load", "--quiet")


def run_once(client: str, image: str, command: Sequence[str]) -> tuple[str, ...]:
    """Run one command in a throw-away container that reaches nothing."""
    return (
        *(client, "run", "--rm", "--network", "none", "--pull", "never", "--entrypoint", command[0], image),
        *command[1:],
    )
