from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from offline.bundle import facts as facts_file
from offline.bundle import layout, manifest
from offline.config.load import load
from offline.errors import UsageError
from offline.images import plan
from offline.paths import KIT
from tests import builders

if TYPE_CHECKING:
    from pathlib import Path

    from offline.bundle.manifest import ReleaseFacts

RICH: dict[str, Any] = {
    "services.api.ports": ["8000:80", "9000", "53:53/udp"],
    "services.api.version_probe": {"port": 8000, "type": "http", "path": "/version"},
    "services.api.probes": [
        {"port": 8000, "type": "http", "path": "/health", "contains": "ok, 好", "modes": ["single"]},
        {"port": 9000, "type": "websocket"},
    ],
    "payload.1.read_only": True,
    "services.api.stop_grace": 77,
}


def both(tmp_path: Path, changes: dict[str, Any] | None = None) -> tuple[dict[str, Any], list[list[str]]]:
    """release.json as parsed, and facts.tsv as its records."""
    facts, _, _ = builders.facts(tmp_path, changes=changes)
    rows = facts_file.render(facts).decode().removesuffix("\n").split("\n")
    return json.loads(manifest.as_json(facts)), [row.split("\t") for row in rows]


def fields(rows: list[list[str]], kind: str) -> list[list[str]]:
    return [["" if field == layout.EMPTY_FIELD else field for field in row[1:]] for row in rows if row[0] == kind]


def one(rows: list[list[str]], kind: str) -> str:
    [[value]] = fields(rows, kind)
    return value


@pytest.mark.parametrize("changes", [None, RICH, {"mode": "single"}], ids=["plain", "rich", "single"])
def test_facts_tsv_and_release_json_say_the_same(tmp_path: Path, changes: dict[str, Any] | None) -> None:
    said, rows = both(tmp_path, changes)
    for kind in ("stack", "bundle", "id", "platform"):
        assert one(rows, kind) == said[kind]
    assert one(rows, "format") == str(said["format"])
    assert fields(rows, "image") == [
        [image["role"], image["tag"], image["familiar"] or "", image["config"], image["manifest"]]
        for image in said["images"]
    ]
    assert fields(rows, "layer") == [
        [image["role"], str(number), layer["diff_id"], layer["digest"], str(layer["size"])]
        for image in said["images"]
        for number, layer in enumerate(image["layers"])
    ]
    assert fields(rows, "mode") == [[mode, ",".join(names)] for mode, names in said["modes"].items()]


@pytest.mark.parametrize("changes", [None, RICH, {"mode": "single"}], ids=["plain", "rich", "single"])
def test_facts_tsv_and_release_json_say_the_same_of_services(tmp_path: Path, changes: dict[str, Any] | None) -> None:
    said, rows = both(tmp_path, changes)
    services = said["services"].items()
    assert [row[:4] for row in fields(rows, "service")] == [
        [name, service["image"], ",".join(service["modes"]), str(service["stop_grace"])] for name, service in services
    ]
    ports = [(name, f"{host}:{inside}".lstrip(":"), proto) for name, host, inside, proto in fields(rows, "port")]
    assert ports == [
        (name, port.partition("/")[0], port.partition("/")[2] or "tcp")
        for name, service in services
        for port in service["ports"]
    ]
    probes = [(name, probe) for name, service in services for probe in service["probes"]]
    assert fields(rows, "probe") == [[name, *probe_fields(probe)] for name, probe in probes]
    versions = [(name, service["version_probe"]) for name, service in services if service["version_probe"]]
    assert fields(rows, "version_probe") == [[name, *probe_fields(probe)] for name, probe in versions]


def probe_fields(probe: dict[str, Any]) -> list[str]:
    plain = [str(probe[key]) for key in ("type", "port", "path", "status", "contains")]
    return [*plain, ",".join(probe["modes"])]


@pytest.mark.parametrize("changes", [None, RICH, {"mode": "single"}], ids=["plain", "rich", "single"])
def test_facts_tsv_and_release_json_say_the_same_of_the_host(tmp_path: Path, changes: dict[str, Any] | None) -> None:
    said, rows = both(tmp_path, changes)
    assert fields(rows, "mount") == [
        [
            *(mount[key] for key in ("service", "owner", "bundle", "source", "target", "user", "mode")),
            ",".join(flag for flag in ("read_only", "hot", "single") if mount[flag]),
            mount["backup"],
        ]
        for mount in said["mounts"]
    ]
    assert fields(rows, "data") == [
        [name, *(data[key] for key in ("service", "family", "series", "folder"))] for name, data in said["data"].items()
    ]
    assert [value for [value] in fields(rows, "secret")] == said["secrets"]
    assert fields(rows, "first_run") == [
        [*(value[key] for key in ("after", "query_in", "file", "key", "before")), *value["query"]]
        for value in said["first_run"]
    ]
    assert fields(rows, "first_run_also") == [
        [value["file"], key, text] for value in said["first_run"] for key, text in value["also"].items()
    ]
    assert one(rows, "subnet") == said["network"]["subnet"]
    for kind in ("root", "minimum_engine", "memory", "cpus", "cpu_level", "start_limit", "disk"):
        assert one(rows, kind) == str(said["host"][kind])


def test_a_value_that_no_line_can_hold_is_refused(tmp_path: Path) -> None:
    facts, _, _ = builders.facts(tmp_path, changes={"first_run.0.also": {"c": "a\tb"}})
    with pytest.raises(UsageError, match="cannot hold a tab or a line end"):
        facts_file.render(facts)


def test_the_family_of_the_data_stands_in_release_json(tmp_path: Path) -> None:
    said, _ = both(tmp_path)
    assert said["data"] == {
        "database": {"service": "db", "family": "mysql", "series": "8.0", "folder": "mysql/data"}
    }  # fmt: skip


def test_a_content_tag_names_the_config_and_no_release() -> None:
    assert manifest.content_tag("shop", "api", f"sha256:{'ab' * 32}") == "shop/api:abababababab"


def test_a_bundle_of_one_mode_carries_only_what_that_mode_needs(tmp_path: Path) -> None:
    said, rows = both(tmp_path, {"mode": "single"})
    assert list(said["services"]) == ["api"]
    assert said["modes"] == {"single": ["api"]}
    assert (said["data"], said["secrets"], said["first_run"]) == ({}, [], [])
    assert said["services"]["api"]["depends_on"] == []
    assert {row[1] for row in rows if row[0] == "mount"} == {"api"}


def test_the_widest_mode_serves_every_mode_it_has_all_services_of(tmp_path: Path) -> None:
    said, _ = both(tmp_path)
    assert said["modes"] == {"all": ["db", "api"], "single": ["api"]}


def test_services_start_after_what_they_depend_on() -> None:
    release = load(environ={}, config=str(KIT / "release.yml")).release
    order = manifest.start_order(release, plan.services_of(release))
    for name in order:
        assert all(order.index(before) < order.index(name) for before in release.services[name].depends_on)
    assert sorted(order) == sorted(release.services)


def secrets(facts: ReleaseFacts) -> tuple[str, ...]:
    return manifest.used_secrets(facts)


@pytest.mark.parametrize(
    "changes",
    [
        {"services.api.environment": {"X": "${TOKEN:?}"}},
        {"services.api.command": ["--requirepass", "${TOKEN:?}"]},
        {"services.api.healthcheck": {"test": ["CMD", "ask", "${TOKEN}"]}},
    ],
)
def test_a_secret_is_made_on_the_host_wherever_a_service_reads_it(tmp_path: Path, changes: dict[str, Any]) -> None:
    facts, _, _ = builders.facts(tmp_path, changes={"secrets": ["DB_PASSWORD", "TOKEN"], **changes})
    assert secrets(facts) == ("DB_PASSWORD", "TOKEN")


def test_a_secret_that_nobody_reads_is_not_made(tmp_path: Path) -> None:
    facts, _, _ = builders.facts(tmp_path, changes={"secrets": ["DB_PASSWORD", "TOKEN"]})
    assert secrets(facts) == ("DB_PASSWORD",)


def test_the_disk_that_images_need_counts_a_shared_layer_once(tmp_path: Path) -> None:
    facts, _, _ = builders.facts(tmp_path)
    layers = {layer.diff_id: layer.raw_size for image in facts.images for layer in image.stored.layers}
    assert manifest.disk_need(facts) == sum(layers.values())
    assert sum(len(image.stored.layers) for image in facts.images) == len(layers) + 1
