"""Names of files in a bundle: which are refused, and how any name is shown on one line."""

from __future__ import annotations

from itertools import takewhile

_NOT_A_NAME = (b"", b".", b"..")


def is_safe(name: bytes) -> bool:
    r"""Say whether a path may stand in a bundle: UTF-8, no empty, `.` or `..` part, no control character, no `\`.

    `-` alone is refused too, as `sha256sum -c` takes it for standard input. The same rule holds in bash
    (scripts/host/lib/verify.sh, `name_is_safe`) and for payload names when packing.
    """
    if any(byte < 0x20 or byte in b"\x7f\\" for byte in name) or not _is_utf8(name):  # noqa: PLR2004 - below space
        return False
    return name != b"-" and all(part not in _NOT_A_NAME for part in name.split(b"/"))


def shown(name: bytes) -> str:
    r"""Show a name on one line: control characters and `\` as `\xHH`, all bytes above ASCII too if not UTF-8."""
    if not _is_utf8(name):
        return "".join(_shown_byte(byte) if byte < 0x80 else f"\\x{byte:02x}" for byte in name)  # noqa: PLR2004 - ASCII
    return "".join(_shown_byte(ord(letter)) if letter.isascii() else letter for letter in name.decode())


def parents(name: bytes) -> list[bytes]:
    """Give the folders that a path implies, outermost first: `a`, `a/b` for `a/b/c`; none from a `..` on."""
    parts = list(takewhile(lambda part: part not in _NOT_A_NAME, name.split(b"/")[:-1]))
    return [b"/".join(parts[: count + 1]) for count in range(len(parts))]


def _is_utf8(name: bytes) -> bool:
    try:
        name.decode()
    except UnicodeDecodeError:
        return False
    return True


def _shown_byte(byte: int) -> str:
    return f"\\x{byte:02x}" if byte < 0x20 or byte in b"\x7f\\" else chr(byte)  # noqa: PLR2004 - below space
