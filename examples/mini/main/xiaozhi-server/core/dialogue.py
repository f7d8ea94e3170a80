# From a device's message to the answer: wake-up words, intent, function, memory. Knows no network.
from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from plugins_func.register import Call

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from plugins_func.register import FunctionItem

UNKNOWN = "我不明白"


class Memory(Protocol):
    def recent(self, device: str) -> tuple[str, ...]: ...
    def remember(self, device: str, text: str) -> None: ...


class Intent(Protocol):
    def choose(self, text: str, recent: tuple[str, ...], functions: Mapping[str, FunctionItem]) -> str | None: ...


@dataclass(frozen=True)
class Answer:
    text: str
    function: str | None
    remembered: int


class Dialogue:
    def __init__(
        self,
        *,
        root: Path,
        memory: Memory,
        intent: Intent,
        functions: Mapping[str, FunctionItem],
        wakeup: Mapping[str, Any],
    ) -> None:
        self.root = root
        self.memory = memory
        self.intent = intent
        self.functions = functions
        self.wakeup = wakeup

    def answer(self, device: str, text: str) -> Answer:
        recent = self.memory.recent(device)
        if text.strip().lower() in self.wakeup.get("words", ()):
            return Answer(text=str(self.wakeup["reply"]), function=None, remembered=len(recent))
        name = self.intent.choose(text, recent, self.functions)
        reply = UNKNOWN
        if name is not None:
            reply = self.functions[name].function(Call(text=text, device=device, recent=recent, root=self.root))
        self.memory.remember(device, text)
        return Answer(text=reply, function=name, remembered=len(self.memory.recent(device)))
