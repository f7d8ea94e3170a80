from __future__ import annotations

from plugins_func.register import Call, register_function


@register_function("play_music", "播放音乐", "放首歌", "play music")
def play_music(call: Call) -> str:
    songs = sorted(file.stem for file in (call.root / "music").glob("*.mp3"))
    return f"正在播放：{songs[0]}" if songs else "没有音乐"
