from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from pydantic import ValidationError

from offline.config.load import load
from offline.errors import UsageError
from offline.paths import KIT
from tests.builders import STACK

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from offline.config.load import Config


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "release.yml"
    path.write_text(STACK)
    return path


def given(file: Path, environ: Mapping[str, str] | None = None, **flags: str) -> Config:
    return load(environ=environ or {}, flags=flags, config=str(file))


def refusal(file: Path, environ: Mapping[str, str] | None = None, **flags: str) -> str:
    with pytest.raises(UsageError) as caught:
        given(file, environ, **flags)
    assert caught.value.exit_code == 2
    return caught.value.message


def test_the_file_wins_over_the_default_the_environment_over_the_file_a_flag_over_the_environment(file: Path) -> None:
    assert (given(file).release.strategy, given(file).release.mode) == ("offline", "all")
    file.write_text(STACK + "strategy: two-stage\n")
    assert given(file).release.strategy == "two-stage"
    environ = {"OFFLINE_STRATEGY": "offline"}
    assert given(file, environ).release.strategy == "offline"
    assert given(file, environ, strategy="two-stage").release.strategy == "two-stage"


def test_each_value_knows_where_it_came_from(file: Path) -> None:
    found = given(file, {"OFFLINE_KEEP": "5", "OFFLINE_MODE": "all"}, mode="single").origins
    assert (found["stack"], found["keep"], found["mode"]) == ("release.yml", "OFFLINE_KEEP", "--mode")
    assert found["services.api.ports[0]"] == "release.yml"
    assert "strategy" not in found


def test_a_value_that_a_variable_replaced_takes_nothing_of_the_file_along(file: Path) -> None:
    found = given(file, {"OFFLINE_SERVICES__API__PORTS": "['81:80']"})
    assert found.release.services["api"].ports == ("81:80",)
    assert found.origins["services.api.ports"] == "OFFLINE_SERVICES__API__PORTS"
    assert "services.api.ports[0]" not in found.origins


def test_the_resolved_configuration_is_frozen(file: Path) -> None:
    found = given(file)
    with pytest.raises(ValidationError, match="frozen"):
        found.release.stack = "other"
    with pytest.raises(ValidationError, match="frozen"):
        found.release.services["api"].stop_grace = 1
    with pytest.raises(AttributeError):
        found.source = file  # type: ignore[misc]


def test_an_unknown_key_is_named_with_file_line_path_and_the_key_that_was_meant(file: Path) -> None:
    file.write_text(STACK.replace("    tag: shop:custom", "    stratgy: offline"))
    line = STACK.splitlines().index("    tag: shop:custom") + 1
    assert refusal(file) == f'{file}:{line}: images.api.stratgy: unknown key; did you mean "strategy"?'


def test_an_unknown_key_that_is_near_nothing_is_told_the_known_ones(file: Path) -> None:
    file.write_text(STACK.replace("  subnet: 172", "  zzz: 1\n  subnet: 172"))
    assert refusal(file).endswith("network.zzz: unknown key (known here: subnet)")


def test_all_problems_are_named_at_once_each_with_its_line(file: Path) -> None:
    changed = STACK.replace("stack: shop", "stack: Shop!").replace("8000:80", "99999:80").replace("pull:", "pul:")
    file.write_text(changed + "keep: 0\n")
    lines = refusal(file).splitlines()
    paths = [line.split(": ")[1] for line in lines]
    assert sorted(paths) == ["images.db.pul", "keep", "services.api.ports[0]", "stack"]
    assert all(re.match(rf"{re.escape(str(file))}:\d+: ", line) for line in lines)


def test_names_that_point_to_nothing_are_named_at_once_each_with_its_line(file: Path) -> None:
    file.write_text(STACK.replace("    image: db", "    image: dbb").replace("depends_on: [db]", "depends_on: [cache]"))
    assert refusal(file).splitlines() == [
        f'{file}:19: services.db.image: there is no "dbb" (there are: api, db)',
        f'{file}:26: services.api.depends_on: there is no "cache" (there are: db, api)',
    ]


def test_a_bad_value_of_a_variable_is_blamed_on_the_variable_and_of_a_flag_on_the_flag(file: Path) -> None:
    message = refusal(file, {"OFFLINE_TIMEOUTS__PULL": "soon", "OFFLINE_KEEP": "0"}, mode="half")
    assert "OFFLINE_TIMEOUTS__PULL: timeouts.pull: input should be a valid integer" in message
    assert "OFFLINE_KEEP: keep:" in message
    assert '--mode: mode: no service is in mode "half" (modes: all, single)' in refusal(file, mode="half")


def test_a_password_in_a_bad_value_is_not_printed(file: Path) -> None:
    message = refusal(file, {"OFFLINE_MIRRORS__PIP": "htps://me:hush@mirror/simple"})
    assert "htps://[redacted]@mirror/simple" in message
    file.write_text(STACK.replace('      MYSQL_ROOT_PASSWORD: "${DB_PASSWORD:?}"', "      - MYSQL_ROOT_PASSWORD=hush"))
    assert "services.db.environment" in refusal(file)
    assert "hush" not in message + refusal(file)


def test_a_missing_key_is_named(file: Path) -> None:
    file.write_text(STACK.replace("network:\n  subnet: 172.30.99.0/24\n", ""))
    assert refusal(file) == f"{file}: network: missing; it has no default"


@pytest.mark.parametrize(
    ("name", "text", "path", "value"),
    [
        ("OFFLINE_MIRRORS__PIP", "https://x/simple", "mirrors.pip", "https://x/simple"),
        ("OFFLINE_IMAGES__API__STRATEGY", "two-stage", "images.api.strategy", "two-stage"),
        ("OFFLINE_IMAGES__API__BUILD__TWO_STAGE", "[kit:B]", "images.api.build.two_stage", ("kit:B",)),
        ("OFFLINE_CA_CERTIFICATES", "[a.pem, b.pem]", "ca_certificates", ("a.pem", "b.pem")),
        ("OFFLINE_SERVICES__API__MODES", "[all]", "services.api.modes", ("all",)),
        ("OFFLINE_IMAGES__API__TAG", "", "images.api.tag", None),
        ("OFFLINE_KEEP", "7", "keep", 7),
    ],
)
def test_a_variable_reaches_every_key(file: Path, name: str, text: str, path: str, value: object) -> None:
    found: object = given(file, {name: text}).release
    for part in path.split("."):
        found = found[part] if isinstance(found, dict) else getattr(found, part)
    assert found == value


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("OFFLINE_STRATEGI", '; did you mean "strategy"?'),
        ("OFFLINE_IMAGES__APII__TAG", '; did you mean "api"?'),
        ("OFFLINE_KEEP__X", ""),
    ],
)
def test_a_variable_that_fits_no_key_is_refused(file: Path, name: str, suggestion: str) -> None:
    assert refusal(file, {name: "x"}) == f"{name}: no configuration key fits this variable{suggestion}"


def test_variables_of_others_are_none_of_ours(file: Path) -> None:
    assert given(file, {"OFFLIN_X": "1", "XOFFLINE_KEEP": "0", "PATH": "/bin"}).release.keep == 3


def test_folders_of_the_file_are_beside_it_or_in_the_kit_those_of_a_flag_where_one_stands(
    file: Path, tmp_path: Path
) -> None:
    found = given(file)
    assert (found.source, found.work, found.output) == (tmp_path, KIT / ".offline", KIT / "dist")
    assert found.beside("bases/x.tar") == tmp_path / "bases" / "x.tar"
    here = tmp_path / "here"
    found = load(environ={"OFFLINE_OUTPUT": "out"}, flags={"source": "src"}, config=str(file), cwd=here)
    assert (found.source, found.output) == (here / "src", here / "out")


def test_an_empty_flag_is_no_flag(file: Path) -> None:
    assert given(file, mode="").release.mode == "all"
