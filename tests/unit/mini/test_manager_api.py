from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Load = Callable[[str], Any]

ENVIRONMENT = {
    "SPRING_DATASOURCE_DRUID_URL": "jdbc:mysql://db:3307/xiaozhi?useUnicode=true&password=hush",
    "SPRING_DATASOURCE_DRUID_USERNAME": "root",
    "SPRING_DATASOURCE_DRUID_PASSWORD": "hush",
    "SPRING_DATA_REDIS_HOST": "redis",
    "SPRING_DATA_REDIS_PASSWORD": "",
    "SPRING_DATA_REDIS_PORT": "",
}


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("jdbc:mysql://db:3307/xiaozhi?useUnicode=true&serverTimezone=Asia/Shanghai", ("db", 3307, "xiaozhi")),
        ("jdbc:mysql://xiaozhi-esp32-server-db/a_b", ("xiaozhi-esp32-server-db", 3306, "a_b")),
        ("jdbc:mariadb://[::1]:3306/x", ("::1", 3306, "x")),
    ],
)
def test_a_jdbc_url_gives_host_port_and_database(load: Load, url: str, address: tuple[str, int, str]) -> None:
    assert load("manager_api.settings").jdbc_address(url) == address


@pytest.mark.parametrize(
    "url",
    [
        "mysql://db/x?password=hush",
        "jdbc:postgresql://db/x?password=hush",
        "jdbc:mysql://db?password=hush",
        "jdbc:mysql:///x?password=hush",
        "jdbc:mysql://db:notaport/x?password=hush",
    ],
)
def test_a_url_that_is_of_no_use_is_refused_without_repeating_it(load: Load, url: str) -> None:
    settings = load("manager_api.settings")
    with pytest.raises(settings.SettingsError, match="SPRING_DATASOURCE_DRUID_URL") as refusal:
        settings.jdbc_address(url)
    assert "hush" not in str(refusal.value)


def test_settings_come_from_upstreams_variables_and_do_not_print_the_password(load: Load) -> None:
    settings = load("manager_api.settings")
    database = settings.database_settings(ENVIRONMENT)
    assert (database.host, database.port, database.name, database.user) == ("db", 3307, "xiaozhi", "root")
    assert database.password == "hush"
    assert "hush" not in repr(database)
    assert settings.redis_settings(ENVIRONMENT).port == 6379


@pytest.mark.parametrize("name", [name for name in ENVIRONMENT if "DRUID" in name])
def test_a_missing_database_variable_is_named(load: Load, name: str) -> None:
    settings = load("manager_api.settings")
    with pytest.raises(settings.SettingsError, match=name):
        settings.database_settings({**ENVIRONMENT, name: ""})


def test_redis_needs_its_host_and_nothing_else(load: Load) -> None:
    settings = load("manager_api.settings")
    with pytest.raises(settings.SettingsError, match="SPRING_DATA_REDIS_HOST"):
        settings.redis_settings({})


@pytest.mark.parametrize("name", ["a.txt", "图 1.png", "固件-1.0_b.bin"])
def test_an_upload_is_stored_whole_under_its_name(load: Load, tmp_path: Path, name: str) -> None:
    uploads = load("manager_api.uploads")
    assert uploads.is_safe(name)
    uploads.store(tmp_path, name, b"first")
    uploads.store(tmp_path, name, b"second")
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [(name, b"second")]


@pytest.mark.parametrize("name", ["", ".", "..", "../a", "a/b", ".hidden", "a\\b", "a\nb", "a\0b", "字" * 100])
def test_a_name_that_could_lead_elsewhere_is_refused(load: Load, name: str) -> None:
    assert not load("manager_api.uploads").is_safe(name)
