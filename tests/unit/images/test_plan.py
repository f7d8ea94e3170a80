from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from offline.config.load import load
from offline.errors import UsageError
from offline.images import plan
from offline.paths import DOCKER, KIT, MINI
from tests.builders import release

if TYPE_CHECKING:
    from offline.config.schema import Release

REGISTRY = {"bases": {"python:3": {"from": ["registry"]}}}
FROM = "FROM python:3\n"
BROKEN = "FROM python:3\nCOPY --from=builder /opt/venv /opt/venv\n"


def xiaozhi(**environ: str) -> Release:
    variables = {f"OFFLINE_{name}": value for name, value in environ.items()}
    return load(environ=variables, config=str(KIT / "release.yml")).release


def kit_texts() -> dict[str, str]:
    return {f"kit:{path.relative_to(DOCKER).as_posix()}": path.read_text() for path in DOCKER.rglob("Dockerfile")}


def server(made: plan.Plan) -> plan.BuildPlan:
    found = next(image for image in made.images if image.role == "server").build
    assert found is not None
    return found


WEB = {"source:Dockerfile-web": "FROM node:18\n"}
UPSTREAM = {"source:Dockerfile-server": "FROM ghcr.io/xinnan-tech/xiaozhi-esp32-server:server-base\nCOPY . .\n"}


def test_plan_a_prefers_the_sources_offline_dockerfile() -> None:
    own = {"source:Dockerfile-server-offline": "FROM python:3.10-slim\n"}
    found = server(plan.make(xiaozhi(), {**kit_texts(), **UPSTREAM, **WEB, **own}))
    assert (found.dockerfile, found.why) == ("source:Dockerfile-server-offline", "strategy offline")


def test_failure_1_plan_a_takes_the_kits_own_where_there_is_none_and_needs_no_private_image() -> None:
    """Failure 1: FROM a private remote image: offline build fails."""
    made = plan.make(xiaozhi(), {**kit_texts(), **UPSTREAM, **WEB})
    assert server(made).dockerfile == "kit:server-offline/Dockerfile"
    assert server(made).why == "strategy offline; source:Dockerfile-server-offline is not there"
    assert not any("ghcr.io" in base.reference for base in made.bases)


def test_failure_1_plan_b_builds_the_private_base_before_the_app() -> None:
    """Failure 1: the source's Dockerfile-server builds although its FROM is a private remote image."""
    made = plan.make(xiaozhi(STRATEGY="two-stage"), {**kit_texts(), **UPSTREAM, **WEB})
    assert server(made).dockerfile == "source:Dockerfile-server"
    names = [base.reference for base in made.bases]
    assert names.index("python:3.10-slim") < names.index("ghcr.io/xinnan-tech/xiaozhi-esp32-server:server-base")
    private = made.bases[names.index("ghcr.io/xinnan-tech/xiaozhi-esp32-server:server-base")]
    assert private.build is not None
    assert private.build.dockerfile == "kit:server-base/Dockerfile"
    assert private.spec.origins == ("build",)


def test_failure_2_heavy_packages_are_installed_in_one_place() -> None:
    """Failure 2: heavy packages installed in base and again in the app image."""
    for text in kit_texts().values():
        assert text.count("install-requirements.sh") <= 1
    assert "install-requirements.sh" in kit_texts()["kit:server-base/Dockerfile"]
    made = plan.make(xiaozhi(STRATEGY="two-stage"), {**kit_texts(), **UPSTREAM, **WEB})
    assert "install" not in server(made).text


def test_failure_3_a_dockerfile_that_copies_from_a_stage_it_does_not_have_is_passed_over_with_the_reason() -> None:
    """Failure 3: COPY --from=builder with no such stage."""
    broken = {"source:Dockerfile-server": "FROM python:3.10-slim\nCOPY --from=builder /opt/venv /opt/venv\n"}
    found = server(plan.make(xiaozhi(STRATEGY="two-stage"), {**kit_texts(), **broken, **WEB}))
    assert found.dockerfile == "kit:server-two-stage/Dockerfile"
    assert found.why == (
        "strategy two-stage; source:Dockerfile-server copies from a stage that it does not have (builder)"
    )


def test_the_strategy_of_one_image_wins_over_the_releases() -> None:
    made = plan.make(xiaozhi(IMAGES__SERVER__STRATEGY="two-stage"), {**kit_texts(), **UPSTREAM, **WEB})
    assert server(made).dockerfile == "source:Dockerfile-server"


def test_the_sources_own_dockerfile_is_taken_on_request() -> None:
    made = plan.make(xiaozhi(IMAGES__SERVER__DOCKERFILE="source"), {**kit_texts(), **UPSTREAM, **WEB})
    assert (server(made).dockerfile, server(made).why) == ("source:Dockerfile-server", "dockerfile: source")


def test_the_kits_own_is_taken_on_request() -> None:
    own = {"source:Dockerfile-server-offline": "FROM python:3.10-slim\n"}
    found = server(plan.make(xiaozhi(IMAGES__SERVER__DOCKERFILE="kit"), {**kit_texts(), **own, **WEB}))
    assert found.dockerfile == "kit:server-offline/Dockerfile"
    assert found.why == "strategy offline; source:Dockerfile-server-offline is not the kit's own"


@pytest.mark.parametrize(
    ("changes", "texts", "sentence"),
    [
        ({}, {}, r"images\.api: no Dockerfile fits strategy offline:\n  source:Dockerfile is not there"),
        ({}, {"source:Dockerfile": BROKEN}, r"source:Dockerfile copies from a stage that it does not have \(builder\)"),
        ({"strategy": "two-stage"}, {"source:Dockerfile": FROM}, r"none is named under build\.two-stage"),
        ({"images.api.dockerfile": "source"}, {"source:Dockerfile": FROM}, r"the source has no Dockerfile of its own"),
        ({"images.api": {"bootstrap": "nope"}}, {}, r"images\.api\.bootstrap: there is no docker/nope/Dockerfile"),
    ],
)
def test_an_image_that_no_dockerfile_fits_is_refused_with_every_reason(
    changes: dict[str, Any], texts: dict[str, str], sentence: str
) -> None:
    with pytest.raises(UsageError, match=sentence):
        plan.make(release(changes), texts)


def test_mode_single_leaves_the_other_images_and_their_bases_out() -> None:
    made = plan.make(xiaozhi(MODE="single"), kit_texts())
    assert [image.role for image in made.images] == ["server"]
    assert [base.reference for base in made.bases] == ["python:3.10-slim"]


def test_only_declared_arguments_are_given() -> None:
    changes = {"images.api.build.args": {"A": "1", "B": "2"}, "timezone": "Asia/Shanghai"}
    made = plan.make(release(changes), {"source:Dockerfile": "FROM python:3\nARG A\nARG TIMEZONE\n"})
    assert made.images[0].build is not None
    assert made.images[0].build.args == {"A": "1", "TIMEZONE": "Asia/Shanghai"}


def test_a_given_argument_decides_the_base() -> None:
    made = plan.make(release({"images.api.build.args": {"V": "4"}}), {"source:Dockerfile": "ARG V=3\nFROM python:$V\n"})
    assert [base.reference for base in made.bases] == ["python:4"]


def test_a_base_that_release_yml_does_not_mention_comes_from_its_registry() -> None:
    made = plan.make(release(), {"source:Dockerfile": FROM})
    assert [(base.reference, base.spec.origins) for base in made.bases] == [("python:3", ("registry",))]


def test_a_base_built_on_itself_is_refused() -> None:
    bases = {"python:3": {"from": ["build"], "build": ["source:Base"]}}
    with pytest.raises(UsageError, match=r'bases\."python:3": it is built on itself \(python:3 > python:3\)'):
        plan.make(release({"bases": bases}), {"source:Dockerfile": FROM, "source:Base": FROM})


def test_what_a_sources_dockerfile_keeps_is_known_and_nothing_is_said_of_the_kits_own() -> None:
    line = "RUN pip config set global.index-url https://mirror/simple"
    made = plan.make(release(), {"source:Dockerfile": f"{FROM}{line}\n"})
    assert made.images[0].build is not None
    assert made.images[0].build.keeps == (line,)
    assert server(plan.make(xiaozhi(), {**kit_texts(), **WEB})).keeps == ()


def tag(changes: dict[str, Any] | None = None, text: str = FROM) -> str:
    return plan.make(release({**REGISTRY, **(changes or {})}), {"source:Dockerfile": text}).bases[0].tag


def test_the_local_name_of_a_base_is_one_that_no_registry_can_hold() -> None:
    assert tag().startswith("offline-base.invalid/python-3:")


@pytest.mark.parametrize(
    "changes",
    [{"platform": "linux/arm64"}, {"bases": {"python:3": {"from": ["registry"], "registry": ["mirror/python:3"]}}}],
)
def test_the_local_name_of_a_base_changes_with_what_it_is_made_from(changes: dict[str, Any]) -> None:
    assert tag(changes) != tag()


def test_the_local_name_of_a_base_stays_when_only_the_application_changes() -> None:
    assert tag({"timezone": "Asia/Shanghai"}, FROM + "RUN other\n") == tag()


def test_pulled_and_prebuilt_images_are_taken_as_they_are_named() -> None:
    changes = {"images.api": {"prebuilt": "mine:1"}}
    made = {image.role: image for image in plan.make(release(changes), {}).images}
    assert (made["api"].kind, made["api"].reference, made["api"].take) == ("prebuilt", "shop/api:build", "mine:1")
    assert (made["db"].kind, made["db"].reference) == ("pull", "mysql:8.0")


def test_every_candidate_is_read_once() -> None:
    assert plan.candidates(xiaozhi()) == [
        "source:Dockerfile-server-offline",
        "kit:server-offline/Dockerfile",
        "source:Dockerfile-server",
        "kit:server-two-stage/Dockerfile",
        "source:Dockerfile-web",
        "kit:server-base/Dockerfile",
        "source:Dockerfile-server-base",
    ]


def test_the_example_names_its_bootstrapped_data_images() -> None:
    mini = load(environ={}, config=str(MINI / "release.yml")).release
    texts = {f"source:{path.name}": path.read_text() for path in MINI.glob("Dockerfile*")}
    made = {image.role: image for image in plan.make(mini, {**kit_texts(), **texts}).images}
    assert [image.kind for image in made.values()] == ["build", "build", "bootstrap", "bootstrap"]
    assert made["db"].build is not None
    assert (made["db"].build.dockerfile, made["db"].build.context) == ("kit:mariadb/Dockerfile", "kit")
