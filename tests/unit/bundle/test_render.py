from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from offline.bundle import layout, manifest, payload, render
from tests import builders

if TYPE_CHECKING:
    from pathlib import Path


def compose(tmp_path: Path, changes: dict[str, Any] | None = None, identity: str = builders.ID) -> dict[str, Any]:
    facts, _, _ = builders.facts(tmp_path, changes=changes, identity=identity)
    rendered: dict[str, Any] = yaml.safe_load(render.compose(facts))
    return rendered


def test_every_bind_source_is_absolute_below_the_root(tmp_path: Path) -> None:
    volumes = [volume for service in compose(tmp_path)["services"].values() for volume in service["volumes"]]
    assert len(volumes) == 4
    for volume in volumes:
        assert volume["type"] == "bind"
        assert volume["source"].startswith(("${STACK_ROOT:?}/shared/", "${STACK_ROOT:?}/payload/api-"))


def test_host_owned_folders_are_shared_and_shipped_ones_are_named_by_content(tmp_path: Path) -> None:
    facts, items, _ = builders.facts(tmp_path)
    found = {volume["target"]: volume for volume in compose(tmp_path)["services"]["api"]["volumes"]}
    folder = manifest.mounts_of(items)[1].source.removesuffix("/plugins")
    assert found["/app/conf"]["source"] == "${STACK_ROOT:?}/shared/conf"
    assert found["/app/plugins"]["source"] == f"${{STACK_ROOT:?}}/{folder}/plugins"
    assert found["/start.sh"] == {
        "type": "bind",
        "source": f"${{STACK_ROOT:?}}/{folder}/start.sh",
        "target": "/start.sh",
        "read_only": True,
    }
    assert folder.startswith("payload/api-")
    assert facts.mounts[1].hot


def test_failure_5_the_mount_of_a_missing_optional_item_is_dropped(tmp_path: Path) -> None:
    """Failure 5: the engine makes a folder of a bind source that does not exist."""
    changes = {"payload.2.files": ["missing.sh"], "payload.2.optional": True}
    targets = [volume["target"] for volume in compose(tmp_path, changes)["services"]["api"]["volumes"]]
    assert targets == ["/app/conf", "/app/plugins"]


def test_nothing_that_a_compose_refuses_or_that_starts_a_build_is_in_it(tmp_path: Path) -> None:
    found = compose(tmp_path)
    assert set(found) == {"services", "networks"}
    for service in found["services"].values():
        assert not {"build", "profiles", "env_file", "extends", "pull_policy", "labels"} & set(service)


def test_failure_10_images_are_named_by_content_tags_only(tmp_path: Path) -> None:
    """Failure 10: mutable tags, so that no rollback is possible."""
    facts, _, _ = builders.facts(tmp_path)
    found = compose(tmp_path)["services"]
    assert found["api"]["image"] == f"shop/api:{facts.image('api').stored.config[7:19]}"
    assert found["db"]["image"] == facts.image("db").tag


def test_no_release_id_is_in_the_compose_file_so_that_the_same_content_gives_the_same_bytes(tmp_path: Path) -> None:
    first, _, _ = builders.facts(tmp_path)
    second, _, _ = builders.facts(tmp_path, identity="20270101-000000")
    assert render.compose(first) == render.compose(second)
    assert builders.ID.encode() not in render.compose(first)


def test_the_compose_file_changes_with_the_content_of_what_it_mounts(tmp_path: Path) -> None:
    first, _, _ = builders.facts(tmp_path)
    builders.tree(tmp_path / "source", {"plugins/two.py": "other"})
    items = payload.collect(tmp_path / "source", first.release.payload, first.services)
    second = dataclasses.replace(first, mounts=manifest.mounts_of(items))
    assert render.compose(first) != render.compose(second)


def test_a_service_waits_only_for_those_that_are_in_the_bundle(tmp_path: Path) -> None:
    assert compose(tmp_path)["services"]["api"]["depends_on"] == ["db"]
    assert "depends_on" not in compose(tmp_path, {"mode": "single"})["services"]["api"]


@pytest.mark.parametrize(
    ("value", "rendered"),
    [
        ("plain", "plain"),
        ("costs $5", "costs $$5"),
        ("$HOME and ${HOME} and $$", "$$HOME and $${HOME} and $$$$"),
        ("${DB_PASSWORD:?}", "${DB_PASSWORD:?}"),
        ("${DB_PASSWORD}", "${DB_PASSWORD:?}"),
        ("${DB_PASSWORD:?tell me}", "${DB_PASSWORD:?}"),
        ("u:${DB_PASSWORD:?}@h/$x", "u:${DB_PASSWORD:?}@h/$$x"),
        ("${OTHER:?}", "$${OTHER:?}"),
        ("${DB_PASSWORD:-x}", "$${DB_PASSWORD:-x}"),
        ("$DB_PASSWORD", "$$DB_PASSWORD"),
        ("${DB_PASSWORDS}${DB_PASSWORD}$", "$${DB_PASSWORDS}${DB_PASSWORD:?}$$"),
        ("中文 \"quotes\" 'and' \\ # : {}", "中文 \"quotes\" 'and' \\ # : {}"),
    ],
)
def test_compose_replaces_nothing_but_references_to_declared_secrets(value: str, rendered: str) -> None:
    assert render.escaped(value, ("DB_PASSWORD",)) == rendered


def test_values_reach_yaml_as_they_are(tmp_path: Path) -> None:
    odd = {
        "A": "yes",
        "B": "1.10",
        "C": "a: b # c",
        "D": '"',
        "E": "\\n",
        "F": "中 文",
        "G": "",
        "H": "*x",
        "I": "a\nb",
    }
    changes = {
        "services.api.environment": odd,
        "services.api.command": ["--x", "yes", "中 文"],
        "services.api.healthcheck": {"test": ["CMD-SHELL", "a \"$B\" 'c'"]},
    }
    found = compose(tmp_path, changes)["services"]["api"]
    assert {name: value for name, value in found["environment"].items() if name != "TZ"} == odd
    assert found["command"] == ["--x", "yes", "中 文"]
    assert found["healthcheck"]["test"] == ["CMD-SHELL", "a \"$$B\" 'c'"]


def test_limits_logs_grace_and_network_come_from_the_configuration(tmp_path: Path) -> None:
    changes = {
        "services.api.memory": "512m",
        "services.api.cpus": 1.5,
        "services.api.stop_grace": 30,
        "services.api.logs": {"max_size": "5m", "max_file": 2},
        "services.api.security_opt": ["seccomp:unconfined"],
        "timezone": "Asia/Shanghai",
    }
    found = compose(tmp_path, changes)
    api = found["services"]["api"]
    assert (api["mem_limit"], api["cpus"], api["stop_grace_period"]) == ("512m", 1.5, "30s")
    assert api["logging"] == {"driver": "json-file", "options": {"max-size": "5m", "max-file": "2"}}
    assert api["security_opt"] == ["seccomp:unconfined"]
    assert api["environment"]["TZ"] == "Asia/Shanghai"
    assert found["networks"]["default"]["ipam"]["config"] == [{"subnet": "172.30.99.0/24"}]


def test_containers_are_named_as_the_services_and_restart_by_themselves(tmp_path: Path) -> None:
    for name, service in compose(tmp_path)["services"].items():
        assert (service["container_name"], service["restart"]) == (name, "always")


@pytest.mark.parametrize("name", [layout.README, layout.MANIFEST_TEXT, layout.GUIDE_ZH, layout.GUIDE_EN])
def test_every_text_is_of_this_release(tmp_path: Path, name: str) -> None:
    facts, _, _ = builders.facts(tmp_path)
    text = render.texts(facts)[name].decode()
    assert facts.id in text
    assert "\r" not in text
    assert "{{" not in text
    assert text.endswith("\n")


def test_the_guides_name_every_service_and_what_was_left_out(tmp_path: Path) -> None:
    changes = {"payload.2.files": ["missing.sh"], "payload.2.optional": True}
    facts, _, _ = builders.facts(tmp_path, changes=changes)
    texts = render.texts(facts)
    for name in (layout.GUIDE_EN, layout.GUIDE_ZH):
        text = texts[name].decode()
        assert all(word in text for word in ("`api`", "`db`", "8000:80", "missing.sh", facts.image("db").tag))
    assert b"missing.sh" in texts[layout.MANIFEST_TEXT]


def test_failure_18_no_text_offers_to_remove_data(tmp_path: Path) -> None:
    """Failure 18: `rm -rf mysql/data/*` and `down -v` given as the cure."""
    facts, _, _ = builders.facts(tmp_path)
    for text in render.texts(facts).values():
        assert b"rm -rf" not in text
        assert b"down -v" not in text
