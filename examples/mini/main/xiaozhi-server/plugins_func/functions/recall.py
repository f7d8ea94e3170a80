from __future__ import annotations

from plugins_func.register import Call, register_function


@register_function("recall", "我刚才说了什么", "what did i say")
def recall(call: Call) -> str:
    return f"你刚才说：{call.recent[-1]}" if call.recent else "你还没说过话"
