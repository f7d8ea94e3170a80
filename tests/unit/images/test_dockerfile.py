from __future__ import annotations

from textwrap import dedent

import pytest

from offline.images import dockerfile
from offline.images.dockerfile import MOUNTS, READ_ENVIRONMENT

BASES = {"python:3.10-slim": "offline-base.invalid/python:1", "node:18": "offline-base.invalid/node:1"}


def staged(text: str, *, secrets: bool = False, given: dict[str, str] | None = None) -> str:
    return dockerfile.staged(dedent(text), BASES, given or {}, secrets=secrets)


def test_bases_are_the_images_of_from_lines_each_once() -> None:
    read = dockerfile.read("FROM node:18 AS web\nFROM python:3.10-slim\nFROM node:18\n")
    assert read.bases == ("node:18", "python:3.10-slim")
    assert read.stages == ("web", "1", "2")


def test_a_stage_is_no_base_whatever_its_case_and_neither_is_scratch() -> None:
    read = dockerfile.read("FROM node:18 AS Builder\nfrom BUILDER as final\nFROM scratch\n")
    assert read.bases == ("node:18",)


def test_failure_3_a_copy_from_a_stage_that_is_not_there_is_found() -> None:
    """Failure 3: COPY --from=builder with no such stage."""
    read = dockerfile.read("FROM python:3.10-slim\nCOPY --from=builder /opt/venv /opt/venv\n")
    assert read.undefined == ("builder",)


@pytest.mark.parametrize(
    "copy",
    [
        "COPY --from=builder /a /a",
        "COPY --chown=1:1 --from=BUILDER /a /a",
        "COPY --from=0 /a /a",
        "COPY --from=nginx:1.27 /etc/nginx /etc/nginx",
        "COPY --from=registry.example/tools /a /a",
        "COPY \\\n  --from=builder /a /a",
        "COPY builder /a",
    ],
)
def test_a_copy_from_a_stage_or_an_image_that_there_is_is_fine(copy: str) -> None:
    assert dockerfile.read(f"FROM python:3.10-slim AS builder\nFROM python:3.10-slim\n{copy}\n").undefined == ()


@pytest.mark.parametrize("copy", ["COPY --from=1 /a /a", "COPY \\\n  --from=later /a /a", "ADD --from=later /a /a"])
def test_a_copy_from_a_stage_that_comes_later_is_not(copy: str) -> None:
    assert dockerfile.read(f"FROM python:3.10-slim\n{copy}\nFROM node:18 AS later\n").undefined != ()


@pytest.mark.parametrize(
    ("arguments", "given", "base"),
    [
        ("ARG V=3.10", {}, "python:3.10-slim"),
        ('ARG V="3.10"', {}, "python:3.10-slim"),
        ("ARG V='3.10'", {}, "python:3.10-slim"),
        ("ARG A=1 V=3.10", {}, "python:3.10-slim"),
        ("ARG V=3.9\nARG V=3.10", {}, "python:3.10-slim"),
        ("ARG V=3.10", {"V": "3.12"}, "python:3.12-slim"),
        ("ARG V", {"V": "3.12"}, "python:3.12-slim"),
        ("ARG V", {}, "python:${V}-slim"),
        ("", {"V": "3.12"}, "python:${V}-slim"),
    ],
)
def test_arguments_before_the_first_from_are_replaced_by_what_is_given_or_their_default(
    arguments: str, given: dict[str, str], base: str
) -> None:
    assert dockerfile.read(f"{arguments}\nFROM python:${{V}}-slim\n", given).bases == (base,)


def test_an_argument_of_a_stage_says_nothing_of_a_base() -> None:
    assert dockerfile.read("FROM node:18\nARG V=3\nFROM python:$V\n").bases == ("node:18", "python:$V")


def test_a_default_in_the_reference_is_taken() -> None:
    assert dockerfile.read("FROM python:${V:-3.10}-slim\n").bases == ("python:3.10-slim",)


@pytest.mark.parametrize(
    "text",
    [
        "FROM --platform=$BUILDPLATFORM python:3.10-slim AS x\n",
        "FROM \\\n  python:3.10-slim\n",
        "from\tpython:3.10-slim\r\n",
        "  FROM python:3.10-slim\n",
        "# syntax=docker/dockerfile:1\n# escape=`\nARG X=`\n 1\nFROM python:3.10-slim\n",
        "RUN echo $((1<<2)) && cat <<<here\nFROM python:3.10-slim\n",
        'ENV X="a <<EOF"\nFROM python:3.10-slim\n',
    ],
)
def test_a_base_is_found_however_the_line_is_written(text: str) -> None:
    assert dockerfile.read(text).bases == ("python:3.10-slim",)


def test_nothing_in_a_heredoc_is_an_instruction() -> None:
    text = "FROM node:18\nRUN <<EOF\nFROM python:3\nEOF\nCOPY <<-'A' /x\n\tFROM python:4\n\tA\nFROM python:5\n"
    assert dockerfile.read(text).bases == ("node:18", "python:5")


def test_comments_and_empty_lines_inside_a_continuation_do_not_end_it() -> None:
    text = "FROM node:18\nRUN a && \\\n# FROM python:3\n\n    b && \\\n    FROM\nFROM python:5"
    assert dockerfile.read(text).bases == ("node:18", "python:5")
    assert [whole.split()[0] for whole in dockerfile.instructions(text)] == ["FROM", "RUN", "FROM"]


def test_another_escape_character_leaves_the_backslash_alone() -> None:
    text = "# escape=`\nFROM node:18\nCOPY . C:\\\nRUN a `\n  b\n"
    assert [whole.split()[0] for whole in dockerfile.instructions(text)] == ["FROM", "COPY", "RUN"]


def test_failure_1_the_copy_stands_on_local_tags_and_nothing_else_has_changed() -> None:
    """Failure 1: FROM a private remote image."""
    text = """\
        # a comment python:3.10-slim
        ARG PYTHON=3.10
        FROM --platform=linux/amd64 node:18 AS web
        RUN echo node:18
        FROM python:${PYTHON}-slim
        COPY --from=web /dist /dist
        FROM web
        """
    changed = dedent(text).replace(" node:18 AS", " offline-base.invalid/node:1 AS")
    assert staged(text) == changed.replace("python:${PYTHON}-slim", "offline-base.invalid/python:1")


def test_what_is_given_for_an_argument_decides_the_base_that_is_put_in() -> None:
    text = "ARG V=9\nFROM python:$V-slim\n"
    assert "invalid" not in staged(text)
    assert staged(text, given={"V": "3.10"}) == "ARG V=9\nFROM offline-base.invalid/python:1\n"


def test_a_base_that_was_not_resolved_stays_as_it_is() -> None:
    assert staged("FROM debian:12\n") == "FROM debian:12\n"


def test_the_copy_has_lf_line_ends() -> None:
    assert staged("FROM node:18\r\nRUN a \\\r\n  b\r\n") == "FROM offline-base.invalid/node:1\nRUN a \\\n  b\n"


def test_a_frontend_from_a_registry_is_not_asked_for() -> None:
    assert "syntax" not in staged("# syntax=docker/dockerfile:1.7\nFROM node:18\n")
    assert staged("#Syntax = x\n# escape=`\nFROM node:18\n").startswith("# escape=`\n")


def test_a_comment_that_mentions_a_syntax_stays() -> None:
    text = "FROM offline-base.invalid/node:1\n# the syntax = of pip\n"
    assert staged(text) == text


@pytest.mark.parametrize(
    ("run", "inserted"),
    [
        ("RUN pip install a", f"RUN {MOUNTS} {READ_ENVIRONMENT}; pip install a"),
        ("run pip install a", f"run {MOUNTS} {READ_ENVIRONMENT}; pip install a"),
        ("RUN a \\\n  && b", f"RUN {MOUNTS} {READ_ENVIRONMENT}; a \\\n  && b"),
        ("RUN \\\n  a", f"RUN {MOUNTS} {READ_ENVIRONMENT}; \\\n  a"),
        ("RUN --network=none a", f"RUN {MOUNTS} --network=none {READ_ENVIRONMENT}; a"),
        (
            "RUN --mount=type=cache,target=/a \\\n  --mount=type=tmpfs,target=/b \\\n  a",
            f"RUN {MOUNTS} --mount=type=cache,target=/a \\\n  --mount=type=tmpfs,target=/b \\\n  {READ_ENVIRONMENT}; a",
        ),
        ("RUN [ -f a ] && b", f"RUN {MOUNTS} {READ_ENVIRONMENT}; [ -f a ] && b"),
        ('RUN ["pip", "install", "a"]', 'RUN ["pip", "install", "a"]'),
        ('RUN [ "pip", \\\n "a" ]', 'RUN [ "pip", \\\n "a" ]'),
        ("RUN <<EOF\npip install a\nEOF", f"RUN {MOUNTS} <<EOF\npip install a\nEOF"),
        ("CMD pip install a", "CMD pip install a"),
        ("HEALTHCHECK CMD RUN", "HEALTHCHECK CMD RUN"),
    ],
)
def test_every_run_in_shell_form_sees_mirrors_and_certificates(run: str, inserted: str) -> None:
    assert staged(f"FROM x\n{run}\n", secrets=True) == f"FROM x\n{inserted}\n"


def test_a_dockerfile_that_brings_its_own_secret_mounts_is_left_as_it_is() -> None:
    text = f"FROM x\nRUN {MOUNTS} {READ_ENVIRONMENT} && a\nRUN b\n"
    assert staged(text, secrets=True) == text


def test_declared_arguments_are_known_by_name() -> None:
    assert dockerfile.arguments("ARG A\nFROM x\nARG B=1 C\narg D='x y'\n# ARG E\n") == ("A", "B", "C", "D")


@pytest.mark.parametrize(
    ("copy", "sources"),
    [
        ("COPY a b/c /x", ("a", "b/c")),
        ("COPY --chown=1:1 --chmod=755 a /x", ("a",)),
        ('COPY ["a b", "c", "/x"]', ("a b", "c")),
        ('COPY --chown=1:1 ["a b", "/x"]', ("a b",)),
        ("COPY [a-c].txt /x", ("[a-c].txt",)),
        ("ADD a https://example.org/b /x", ("a",)),
        ("COPY a \\\n  b \\\n  /x", ("a", "b")),
        ("COPY --from=web a /x", ()),
        ("COPY <<EOF /x\nCOPY a /b\nEOF", ()),
    ],
)
def test_what_a_copy_takes_from_the_context_is_known(copy: str, sources: tuple[str, ...]) -> None:
    assert dockerfile.copied(f"FROM x AS web\n{copy}\n") == sources


@pytest.mark.parametrize(
    "line",
    [
        "RUN pip config set global.index-url https://mirror/simple",
        "RUN sed -i s/deb.debian.org/mirror/ /etc/apt/sources.list",
        "RUN npm config set registry https://mirror",
        "ENV PIP_INDEX_URL=https://mirror",
        "COPY settings.xml /root/.m2/settings.xml",
    ],
)
def test_a_line_that_leaves_a_mirror_in_the_image_is_named(line: str) -> None:
    assert dockerfile.keeps(f"FROM x\nRUN true\n{line}\n") == (line,)


def test_a_line_that_leaves_nothing_is_not() -> None:
    assert dockerfile.keeps("FROM x\nRUN pip install -i https://mirror a\nENV TZ=UTC\n# pip config set x\n") == ()
