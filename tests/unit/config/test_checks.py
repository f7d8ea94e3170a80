from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from offline.config import checks
from tests.builders import release


def refused(changes: dict[str, Any]) -> str:
    with pytest.raises(ValidationError) as caught:
        release(changes)
    return str(caught.value)


@pytest.mark.parametrize("value", ["a", "a/b.c", "数据/配置", ".hidden", "a b", "a..b"])
def test_a_path_in_the_bundle_is_relative_and_plain(value: str) -> None:
    assert checks.bundle_path(value) == value


@pytest.mark.parametrize("value", ["", "/a", "a/", "a//b", "../a", "a/../b", "a/.", "a\\b", "a\nb", "C:\\x"])
def test_a_path_that_could_leave_the_bundle_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="give a"):
        checks.bundle_path(value)


@pytest.mark.parametrize("mode", ["0700", "0775"])
def test_a_folder_mode_is_four_octal_digits(mode: str) -> None:
    assert checks.folder_mode(mode) == mode


@pytest.mark.parametrize("mode", ["0777", "0702", "750", "0899"])
def test_failure_9_a_folder_that_everybody_can_write_is_refused(mode: str) -> None:
    """Failure 9: chmod 777 on database folders."""
    with pytest.raises(ValueError, match=r"everybody can write|four octal digits"):
        checks.folder_mode(mode)


@pytest.mark.parametrize("value", ["8000:80", "80", "1:65535", "53:53/udp"])
def test_ports_as_compose_writes_them(value: str) -> None:
    assert checks.port(value) == value


@pytest.mark.parametrize("value", ["0:80", "80:0", "65536:80", "127.0.0.1:80:80", "a:b", "8000-8010:80", "80/icmp", ""])
def test_ports_that_no_script_could_check_are_refused(value: str) -> None:
    with pytest.raises(ValueError, match=r"HOST:CONTAINER|between 1 and 65535"):
        checks.port(value)


@pytest.mark.parametrize("value", ["172.28.0.0/24", "10.0.0.0/29"])
def test_a_private_subnet_is_taken(value: str) -> None:
    assert checks.subnet(value) == value


@pytest.mark.parametrize("value", ["8.8.8.0/24", "10.0.0.0/30", "fd00::/64", "10.0.0.1/24", "x"])
def test_another_subnet_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        checks.subnet(value)


@pytest.mark.parametrize("name", ["MYSQL_ROOT_PASSWORD", "api_key", "APIKEY", "GH_TOKEN", "server.secret"])
def test_names_that_hold_something_secret(name: str) -> None:
    assert checks.looks_secret(name)


@pytest.mark.parametrize("name", ["MYSQL_DATABASE", "KEYBOARD", "TZ"])
def test_names_that_do_not(name: str) -> None:
    assert not checks.looks_secret(name)


def test_failure_9_a_literal_password_is_refused() -> None:
    """Failure 9: root password 123456 in the compose file."""
    message = refused({"services.db.environment": {"MYSQL_ROOT_PASSWORD": "123456"}})
    assert "services.db.environment.MYSQL_ROOT_PASSWORD: a literal password; declare a name" in message


@pytest.mark.parametrize("value", ["", "${DB_PASSWORD:?}", "${DB_PASSWORD}", "user:${DB_PASSWORD:?}@db"])
def test_an_empty_password_and_a_declared_one_are_taken(value: str) -> None:
    release({"services.db.environment": {"MYSQL_ROOT_PASSWORD": value}})


def test_an_undeclared_secret_is_refused() -> None:
    assert '"OTHER" is not declared under "secrets"' in refused({"services.api.environment": {"X": "${OTHER:?}"}})


def test_a_dollar_that_is_no_reference_is_plain_text() -> None:
    release({"services.api.environment": {"X": "costs $5, ${lower} and ${5}"}})


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"services.api.image": "nope"}, 'services.api.image: there is no "nope"'),
        ({"services.api.depends_on": ["nope"]}, 'services.api.depends_on: there is no "nope"'),
        ({"services.db.depends_on": ["api"]}, "depends_on: it waits for itself ("),
        ({"services.db.depends_on": ["db"]}, "services.db.depends_on: it waits for itself (db > db)"),
        ({"payload.0.service": "nope"}, 'payload[0].service: there is no "nope"'),
        ({"data.database.service": "nope"}, 'data.database.service: there is no "nope"'),
        ({"first_run.0.query_in": "nope"}, 'first_run[0]: there is no "nope"'),
        ({"mode": "nope"}, 'mode: no service is in mode "nope"'),
        ({"data.database.folder": "nope"}, 'data.database.folder: no payload item with owner "host" lies at "nope"'),
        ({"payload.1.target": "/app/conf"}, "payload[1].target: /app/conf of api is mounted twice"),
        ({"payload.2.files": ["a", "b"]}, "payload[2].single: give exactly one file"),
        ({"payload.1.files": []}, 'payload[1].files: nothing to ship; an empty folder belongs to owner "host"'),
        ({"bases": {"b:1": {"from": ["archive"]}}}, '"from" names "archive", but there is no key "archive"'),
        ({"bases": {"b:1": {"from": []}}}, "at least 1 item"),
        ({"images.api.pull": "x:1"}, "exactly one of build, bootstrap, pull, prebuilt (given: build, pull)"),
        ({"images.db": {}}, "exactly one of build, bootstrap, pull, prebuilt (given: none)"),
    ],
)
def test_what_does_not_fit_together_is_refused(changes: dict[str, Any], sentence: str) -> None:
    assert sentence in refused(changes)


def test_one_target_in_two_services_is_no_clash() -> None:
    release({"payload.3.target": "/app/conf"})
