from __future__ import annotations

from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from offline.audit.project import audit

if TYPE_CHECKING:
    from offline.audit.model import Item


def inventory(folder: Path, **files: str) -> list[Item]:
    for name, text in files.items():
        place = folder / name.replace("__", "/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(dedent(text).lstrip("\n"), encoding="utf-8")
    (folder / "compose_yml").rename(folder / "compose.yml")
    return list(audit([folder]).inventory)


def lines_of(items: list[Item], kind: str) -> list[tuple[int, str]]:
    return [(item.line, item.value) for item in items if item.type == kind]


def test_short_and_long_volumes_are_told_apart(tmp_path: Path) -> None:
    items = inventory(
        tmp_path,
        conf="x",
        compose_yml="""
            services:
              web:
                image: nginx:1.27
                volumes:
                  - ./conf:/conf:ro
                  - ../up:/up
                  - ~/home:/home
                  - data:/data
                  - /anonymous
                  - C:\\work\\x:/x
                  - type: bind
                    source: ./gone
                    target: /gone
                  - type: volume
                    source: named
                    target: /named
                  - type: tmpfs
                    target: /tmp
            volumes:
              data:
              named:
        """,
    )
    binds = [(item.line, item.value, item.exists) for item in items if item.type == "bind_mount"]
    assert binds == [
        (5, "./conf", True),
        (6, "../up", None),
        (7, "~/home", None),
        (10, "C:\\work\\x", None),
        (11, "./gone", False),
    ]
    assert lines_of(items, "named_volume") == [(8, "data"), (14, "named")]


def test_anchors_and_merge_keys_bring_their_own_lines(tmp_path: Path) -> None:
    items = inventory(
        tmp_path,
        compose_yml="""
            x-common: &common
              image: acme/app:1
              env_file: app.env
            services:
              a:
                <<: *common
              b:
                <<: [*common]
                image: acme/other:2
                ports: !override
                  - "80"
                  - target: 81
                    published: "8081"
        """,
    )
    images = [(item.line, item.value, item.service) for item in items if item.type == "image"]
    assert images == [(2, "acme/app:1", "a"), (9, "acme/other:2", "b")]
    assert lines_of(items, "env_file") == [(3, "app.env"), (3, "app.env")]
    assert lines_of(items, "port") == [(11, "80"), (12, "8081:81")]


def test_variables_come_from_the_env_file_and_from_their_defaults(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("TAG=9\n", encoding="utf-8")
    items = inventory(
        tmp_path,
        compose_yml="""
            services:
              a:
                image: acme/a:${TAG:-1}
              b:
                image: acme/b:${OTHER:-2}
              c:
                image: ${REGISTRY:?say which}/c:3
                volumes:
                  - ${DATA}:/data
                  - $$x:/x
        """,
    )
    assert lines_of(items, "image") == [(3, "acme/a:9"), (5, "acme/b:2"), (7, "${REGISTRY}/c:3")]
    assert lines_of(items, "required_variable") == [(7, "REGISTRY")]
    assert (9, "${DATA}") in lines_of(items, "bind_mount")


def test_env_files_of_every_form_and_only_required_ones_are_missed(tmp_path: Path) -> None:
    items = inventory(
        tmp_path,
        compose_yml="""
            services:
              a:
                image: x:1
                env_file: one.env
              b:
                image: x:1
                env_file:
                  - two.env
                  - path: three.env
                    required: false
        """,
    )
    assert lines_of(items, "env_file") == [(4, "one.env"), (8, "two.env"), (9, "three.env")]
    assert lines_of(items, "env_file_missing") == [(4, "one.env"), (8, "two.env")]


def test_a_build_is_read_with_its_context_contexts_and_inline_dockerfile(tmp_path: Path) -> None:
    items = inventory(
        tmp_path,
        app__install_sh="",
        compose_yml="""
            services:
              a:
                build: ./app
              b:
                build:
                  context: app
                  additional_contexts:
                    assets: ./assets
                  dockerfile_inline: |
                    FROM debian:12-slim
                    COPY --from=assets . /assets
                    RUN apt-get update
        """,
        app__Dockerfile="""
            FROM debian:12-slim
            COPY install_sh /install_sh
            RUN sh /install_sh
        """,
    )
    (tmp_path / "app" / "install_sh").write_text("#!/bin/sh\nset -e\ncurl -O https://example.com/x\n", encoding="utf-8")
    items = list(audit([tmp_path]).inventory)
    assert lines_of(items, "build") == [(3, "./app"), (5, "app (inline)")]
    inside = [(item.path, item.line, item.type) for item in items if item.type in {"pkg_apt", "net_curl"}]
    assert inside == [("app/install_sh", 3, "net_curl"), ("compose.yml", 12, "pkg_apt")]
    assert not [item for item in items if item.type.startswith("copy_from")]


def test_files_that_are_extended_or_included_are_read_whatever_their_name(tmp_path: Path) -> None:
    items = inventory(
        tmp_path,
        parts__common_yaml="services: {}",
        compose_yml="""
            include:
              - parts/more.yaml
              - path: [parts/third.yaml]
            services:
              a:
                extends:
                  file: parts/common.yaml
                  service: base
        """,
    )
    (tmp_path / "parts" / "common.yaml").write_text("services:\n  base:\n    image: b:1\n", encoding="utf-8")
    (tmp_path / "parts" / "more.yaml").write_text("services:\n  m:\n    image: m:1\n", encoding="utf-8")
    report = audit([tmp_path])
    items = list(report.inventory)
    assert lines_of(items, "include") == [(2, "parts/more.yaml"), (3, "parts/third.yaml")]
    assert lines_of(items, "extends") == [(6, "parts/common.yaml#base")]
    assert {(item.path, item.value) for item in items if item.type == "image"} == {
        ("parts/common.yaml", "b:1"),
        ("parts/more.yaml", "m:1"),
    }


def test_everything_else_a_service_needs_is_listed(tmp_path: Path) -> None:
    items = inventory(
        tmp_path,
        compose_yml="""
            services:
              a:
                image: x:1
                pull_policy: always
                profiles: [debug]
                depends_on:
                  b:
                    condition: service_started
                volumes:
                  - /var/run/docker.sock:/var/run/docker.sock
              b:
                image: x:1
                depends_on: [a]
                healthcheck:
                  test: [CMD, "true"]
              c:
                image: x:1
                healthcheck:
                  disable: true
            networks:
              out:
                external: true
            volumes:
              kept:
                external:
                  name: kept
            secrets:
              key:
                file: ./key.txt
            configs:
              conf:
                file: ./conf.txt
        """,
    )
    kinds = [
        "runtime_pull",
        "profile",
        "depends_on",
        "docker_socket",
        "healthcheck",
        "healthcheck_missing",
        "network_external",
        "volume_external",
        "secret_file",
        "config_file",
    ]
    assert {kind: [line for line, _ in lines_of(items, kind)] for kind in kinds} == {
        "runtime_pull": [4],
        "profile": [5],
        "depends_on": [7, 13],
        "docker_socket": [10],
        "healthcheck": [14],
        "healthcheck_missing": [2, 16],
        "network_external": [21],
        "volume_external": [24],
        "secret_file": [29],
        "config_file": [32],
    }


def test_the_first_format_has_its_services_at_the_top(tmp_path: Path) -> None:
    items = inventory(tmp_path, compose_yml="db:\n  image: mysql:5.7\nweb:\n  build: .\n")
    assert lines_of(items, "service") == [(1, "db"), (3, "web")]


@pytest.mark.parametrize("value", ["!reset null", "", "~"])
def test_a_value_that_is_reset_or_empty_is_none(tmp_path: Path, value: str) -> None:
    items = inventory(
        tmp_path, compose_yml=f"services:\n  a:\n    image: x:1\n    ports: {value}\n    env_file: {value}\n"
    )
    assert not [item for item in items if item.type in {"port", "env_file"}]
