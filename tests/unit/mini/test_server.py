from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Load = Callable[[str], Any]

API = {"manager-api": {"url": "http://web:8002/xiaozhi/", "secret": "abc"}}


def functions(load: Load) -> dict[str, Any]:
    load("plugins_func.loadplugins").auto_import_modules("plugins_func.functions")
    registry: dict[str, Any] = load("plugins_func.register").all_function_registry
    return registry


def intent(load: Load) -> Any:
    return load("core.providers.intent.intent_llm.intent_llm").IntentProvider([1.0] * 64)


def test_every_module_in_the_functions_folder_registers_its_function(load: Load) -> None:
    assert sorted(functions(load)) == ["get_time", "play_music", "recall"]


def test_two_functions_of_one_name_are_refused(load: Load) -> None:
    register = load("plugins_func.register").register_function
    register("x", "do x")(lambda _: "1")
    with pytest.raises(ValueError, match="x is registered twice"):
        register("x", "do x")(lambda _: "2")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("请问现在几点了？", "get_time"),
        ("What time is it now", "get_time"),
        ("给我播放音乐吧", "play_music"),
        ("我刚才说了什么呀", "recall"),
        ("讲个笑话", None),
        ("", None),
    ],
)
def test_the_intent_is_the_function_whose_phrase_is_in_the_message(load: Load, text: str, name: str | None) -> None:
    assert intent(load).choose(text, (), functions(load)) == name


def test_again_means_what_the_latest_understood_message_meant(load: Load) -> None:
    chosen = intent(load).choose("再来一次", ("几点了", "播放音乐", "嗯"), functions(load))
    assert chosen == "play_music"


def test_again_with_nothing_before_it_means_nothing(load: Load) -> None:
    assert intent(load).choose("again", (), functions(load)) is None


def test_memory_keeps_the_last_messages_of_each_device_across_a_restart(load: Load, tmp_path: Path) -> None:
    provider = load("core.providers.memory.mem_local_short.mem_local_short").MemoryProvider
    memory = provider(tmp_path, keep=2)
    for text in ("一", "二", "三"):
        memory.remember("a", text)
    memory.remember("b", "别的")
    again = provider(tmp_path, keep=2)
    assert again.recent("a") == ("二", "三")
    assert again.recent("b") == ("别的",)
    assert again.recent("c") == ()


def test_a_message_goes_through_intent_function_and_memory(load: Load, mini: Path, tmp_path: Path) -> None:
    memory = load("core.providers.memory.mem_local_short.mem_local_short").MemoryProvider(tmp_path)
    dialogue = load("core.dialogue").Dialogue(
        root=mini / "main" / "xiaozhi-server",
        memory=memory,
        intent=intent(load),
        functions=functions(load),
        wakeup={"words": ["你好小智"], "reply": "在呢"},
    )
    music = dialogue.answer("a", "播放音乐")
    assert (music.text, music.function, music.remembered) == ("正在播放：春江花月夜", "play_music", 1)
    assert dialogue.answer("a", "我刚才说了什么").text == "你刚才说：播放音乐"
    assert dialogue.answer("a", "你好小智").text == "在呢"
    assert dialogue.answer("a", "讲个笑话").function is None
    assert dialogue.answer("b", "我刚才说了什么").text == "你还没说过话"


def test_the_shipped_configuration_means_single_mode(load: Load, mini: Path) -> None:
    loader = load("config.config_loader")
    assert loader.manager_api(loader.load_config(mini / "main" / "xiaozhi-server")) is None


def test_a_url_and_a_secret_mean_all_module_mode(load: Load) -> None:
    api = load("config.config_loader").manager_api(API)
    assert (api.url, api.secret) == ("http://web:8002/xiaozhi", "abc")


@pytest.mark.parametrize("secret", ["", None, "你的server.secret"])
def test_a_url_without_a_real_secret_is_refused(load: Load, secret: str | None) -> None:
    loader = load("config.config_loader")
    with pytest.raises(loader.ConfigError, match=r"no manager-api\.secret"):
        loader.manager_api({"manager-api": {"url": "http://web", "secret": secret}})


def test_the_hosts_file_wins_key_by_key(load: Load, mini: Path, tmp_path: Path) -> None:
    shutil.copy(mini / "main" / "xiaozhi-server" / "config.yaml", tmp_path)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / ".config.yaml").write_text("server:\n  port: 9000\n")
    server = load("config.config_loader").load_config(tmp_path)["server"]
    assert (server["port"], server["http_port"]) == (9000, 8003)


@pytest.mark.parametrize("content", ["- a\n", "a: [\n"])
def test_a_file_that_is_no_mapping_is_refused_by_name(load: Load, tmp_path: Path, content: str) -> None:
    loader = load("config.config_loader")
    (tmp_path / "config.yaml").write_text(content)
    with pytest.raises(loader.ConfigError, match=r"config\.yaml"):
        loader.read_yaml(tmp_path / "config.yaml")
