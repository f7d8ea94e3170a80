"""What may be printed of a configuration: everything but passwords."""

from __future__ import annotations

import re
from typing import Any

from offline.config import checks

REDACTED = "[redacted]"
_USERINFO = re.compile(r"(?<=://)[^/@\s]+@")


def redacted(path: str, value: Any) -> str:
    """A value as it may be printed: passwords in URLs and literal secrets are hidden."""
    text = "-" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    name = path.rsplit(".", 1)[-1]
    if checks.looks_secret(name) and text and not checks.referenced(text) and "." in path:
        return REDACTED
    return _USERINFO.sub(f"{REDACTED}@", text)
