# The example stands for upstream's tree: what the kit must cope with there has to be here.
from __future__ import annotations

import re
from pathlib import Path

import pytest

SERVER = Path("main/xiaozhi-server")


@pytest.mark.parametrize(
    "name",
    [
        "Dockerfile-server",
        "Dockerfile-server-base",
        "Dockerfile-web",
        ".dockerignore",
        SERVER / "app.py",
        SERVER / "requirements.txt",
        SERVER / "config.yaml",
        SERVER / "config_from_api.yaml",
        SERVER / "data/.config.yaml",
        SERVER / "data/.wakeup_words.yaml",
        SERVER / "plugins_func/register.py",
        SERVER / "plugins_func/functions",
        SERVER / "core/providers/memory/mem_local_short/mem_local_short.py",
        SERVER / "core/providers/intent/intent_llm/intent_llm.py",
        SERVER / "models/SenseVoiceSmall/model.pt",
        SERVER / "models/snakers4_silero-vad",
        "docs/docker/nginx.conf",
    ],
)
def test_the_tree_has_upstreams_paths(mini: Path, name: Path) -> None:
    assert (mini / name).exists()


def test_start_sh_arrives_with_windows_line_ends(mini: Path) -> None:
    lines = (mini / "docs/docker/start.sh").read_bytes().splitlines(keepends=True)
    assert all(line.endswith(b"\r\n") for line in lines)


def test_a_music_file_has_a_chinese_name(mini: Path) -> None:
    assert any(not file.name.isascii() for file in (mini / SERVER / "music").iterdir())


def test_the_server_stands_on_a_private_image_and_only_copies(mini: Path) -> None:
    text = (mini / "Dockerfile-server").read_text()
    assert re.search(r"^FROM ghcr\.io/\S+:server-base$", text, re.MULTILINE)
    assert "RUN" not in text


def test_every_requirement_is_pinned_one_a_line(mini: Path) -> None:
    lines = (mini / SERVER / "requirements.txt").read_text().splitlines()
    pinned = re.compile(r"[A-Za-z_-]+==[0-9.]+(; python_version < \"3\.\d+\")?")
    assert [line for line in lines if not line.startswith("#") and not pinned.fullmatch(line)] == []
