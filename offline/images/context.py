"""The build context: a staged copy of the source in which Linux can run everything, and nothing private lies."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from offline.images.globs import matches

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

ALWAYS_LEFT_OUT = (
    ".git",
    ".hg",
    ".svn",
    ".offline",
    "dist",
    "**/__pycache__",
    "**/*.pyc",
    "**/.DS_Store",
    "**/node_modules",
)
RUN_BY_LINUX = (".sh", ".bash", ".conf", ".cnf", ".py", ".env", ".service")
_SNIFF = 8_192


def stage(source: Path, into: Path, *, leave_out: Sequence[str]) -> int:
    """Copy a source tree into the new folder `into`; says how many files.

    Modes are 0755 or 0644 whatever the umask or a Windows disk made of them, times are kept to the second, links stay
    links, and what Linux runs gets LF line ends.
    """
    count = 0
    into.mkdir(parents=True)
    for relative in walk(source, (*ALWAYS_LEFT_OUT, *leave_out)):
        copy(source / relative, into / relative)
        count += 1
    return count


def walk(source: Path, leave_out: Sequence[str]) -> Iterator[str]:
    """Paths of all files and links under a folder, sorted, with forward slashes, without what the globs name."""
    for folder, folders, names in os.walk(source):
        base = os.path.relpath(folder, source).replace(os.sep, "/")
        prefix = "" if base == "." else f"{base}/"
        links = [name for name in folders if os.path.islink(os.path.join(folder, name))]  # noqa: PTH114, PTH118
        folders[:] = sorted(
            name for name in folders if name not in links and not _left_out(f"{prefix}{name}", leave_out)
        )
        for name in sorted([*names, *links]):
            if not _left_out(f"{prefix}{name}", leave_out):
                yield f"{prefix}{name}"


def copy(file: Path, target: Path) -> None:
    """Copy one file or link into the context."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if file.is_symlink():
        target.symlink_to(os.readlink(file))  # noqa: PTH115 - the text of the link, not what it points to
        return
    shutil.copyfile(file, target)
    script = mend_line_ends(target)
    executable = script or (os.name == "posix" and os.access(file, os.X_OK))
    target.chmod(0o755 if executable else 0o644)
    # Whole seconds, as a layer holds them: what writes a tar rounds the rest, up or down.
    moment = int(file.stat().st_mtime)
    os.utime(target, (moment, moment))


def mend_line_ends(file: Path) -> bool:
    """Give LF line ends to what Linux runs; says whether the file is a script (`exec /start.sh: no such file`)."""
    with file.open("rb") as opened:
        head = opened.read(_SNIFF)
    script = head.startswith(b"#!")
    wanted = script or file.name.endswith(RUN_BY_LINUX) or file.name.startswith("Dockerfile")
    if wanted and b"\r\n" in head and b"\0" not in head:
        file.write_bytes(file.read_bytes().replace(b"\r\n", b"\n"))
    return script


def _left_out(path: str, patterns: Sequence[str]) -> bool:
    return any(matches(path, pattern) for pattern in patterns)
