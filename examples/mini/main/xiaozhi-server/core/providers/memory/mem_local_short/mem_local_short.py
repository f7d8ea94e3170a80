# Short memory: the last messages of each device, in a file beside the configuration.
from __future__ import annotations

import os
from typing import TYPE_CHECKING

import yaml

if TYPE_CHECKING:
    from pathlib import Path

FILE = ".memory.yaml"


class MemoryProvider:
    """Keeps the last `keep` messages of a device in `folder`/.memory.yaml; they survive a restart."""

    def __init__(self, folder: Path, *, keep: int = 6) -> None:
        self.path = folder / FILE
        self.keep = keep
        self.messages: dict[str, list[str]] = {}
        if self.path.exists():
            self.messages = yaml.safe_load(self.path.read_text(encoding="utf-8")) or {}

    def recent(self, device: str) -> tuple[str, ...]:
        return tuple(self.messages.get(device, ()))

    def remember(self, device: str, text: str) -> None:
        self.messages[device] = [*self.messages.get(device, []), text][-self.keep :]
        content = yaml.safe_dump(self.messages, allow_unicode=True)
        temporary = self.path.with_name(FILE + ".new")
        temporary.write_text(content, encoding="utf-8")
        os.replace(temporary, self.path)  # noqa: PTH105 - a kill between the lines leaves the former file whole
