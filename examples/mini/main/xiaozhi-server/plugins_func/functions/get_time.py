from __future__ import annotations

from datetime import datetime

from plugins_func.register import Call, register_function


@register_function("get_time", "现在几点", "几点了", "what time is it")
def get_time(_: Call) -> str:
    now = datetime.now().astimezone()
    return f"现在是 {now:%H:%M:%S} ({now:%z})"
