from __future__ import annotations

from textwrap import dedent

import pytest

from offline.audit.build import audit_build
from offline.audit.dockerfile import read_dockerfile

NETWORK = [
    ("pkg_apt", "apt-get update"),
    ("pkg_apt", "apt-get -qq -o Acquire::Retries=3 install -y curl"),
    ("pkg_apt", "DEBIAN_FRONTEND=noninteractive apt install -y git"),
    ("pkg_apt", "sudo -E apt-get install -y wget"),
    ("pkg_apt", "install_packages ca-certificates"),
    ("pkg_apk", "apk add --no-cache git"),
    ("pkg_apk", "apk --update --no-cache add git"),
    ("pkg_dnf", "yum -y install gcc"),
    ("pkg_dnf", "dnf --enablerepo crb install -y gcc"),
    ("pkg_dnf", "microdnf update -y"),
    ("pkg_dnf", "rpm -Uvh https://example.com/release.rpm"),
    ("pkg_zypper", "zypper --non-interactive in gcc"),
    ("pkg_pip", "pip install requests"),
    ("pkg_pip", "pip3.11 install --no-cache-dir -r requirements.txt"),
    ("pkg_pip", "python3 -m pip install ."),
    ("pkg_pip", "/opt/venv/bin/pip install -e ."),
    ("pkg_pip", "pip download --dest /w torch"),
    ("pkg_uv", "uv sync --frozen"),
    ("pkg_uv", "uv pip install --system requests"),
    ("pkg_uv", "uvx ruff"),
    ("toolchain_download", "uv python install 3.12"),
    ("pkg_poetry", "poetry install --no-root"),
    ("pkg_pipenv", "pipenv install --deploy --system"),
    ("pkg_conda", "conda install -y numpy"),
    ("pkg_conda", "mamba env update -n base -f environment.yml"),
    ("pkg_conda", "micromamba create -n x python"),
    ("pkg_npm", "npm ci"),
    ("pkg_npm", "npm --prefix web install"),
    ("pkg_npm", "npx -y create-thing"),
    ("pkg_yarn", "yarn"),
    ("pkg_yarn", "yarn --frozen-lockfile"),
    ("pkg_yarn", "yarn workspaces focus --production"),
    ("pkg_pnpm", "pnpm --filter web install --frozen-lockfile"),
    ("pkg_pnpm", "pnpm fetch"),
    ("pkg_bun", "bun install"),
    ("corepack", "corepack enable"),
    ("pkg_go", "go mod download"),
    ("pkg_go", "go install example.com/tool@v1.2.3"),
    ("pkg_go", "CGO_ENABLED=0 go build -o /app ."),
    ("pkg_cargo", "cargo build --release --locked"),
    ("pkg_cargo", "cargo +nightly install just"),
    ("pkg_gem", "gem install bundler"),
    ("pkg_gem", "bundle install --jobs 4"),
    ("pkg_gem", "bundle"),
    ("pkg_composer", "composer install --no-dev"),
    ("pkg_composer", "php /usr/local/bin/composer.phar require x/y"),
    ("pkg_maven", "mvn -B package"),
    ("pkg_maven", "./mvnw dependency:go-offline"),
    ("pkg_gradle", "./gradlew build"),
    ("pkg_pecl", "pecl install redis"),
    ("gpg_keyserver", "gpg --batch --keyserver hkps://keys.openpgp.org --recv-keys ABCD"),
    ("gpg_keyserver", "apt-key adv --keyserver keyserver.ubuntu.com --recv-keys ABCD"),
    ("model_download", "huggingface-cli download org/model"),
    ("model_download", "python -m spacy download en_core_web_sm"),
    ("model_download", "python -m nltk.downloader punkt"),
    ("model_download", "python -c \"import tiktoken; tiktoken.get_encoding('cl100k_base')\""),
    ("browser_download", "npx playwright install --with-deps chromium"),
    ("browser_download", "python -m playwright install"),
    ("toolchain_download", "rustup target add x86_64-unknown-linux-musl"),
    ("toolchain_download", ". $NVM_DIR/nvm.sh && nvm install 20"),
    ("toolchain_download", "sdk install java 21-tem"),
    ("net_curl", "curl -fsSL -o /x https://example.com/x"),
    ("net_curl", "curl -sSL example.com/x"),
    ("net_curl", "VERSION=$(curl -s https://example.com/latest)"),
    ("net_wget", "wget -qO- https://example.com/x | tar xz"),
    ("net_git", "git clone --depth 1 -b v1 https://example.com/r.git"),
    ("net_git", "git -C /src submodule update --init --recursive"),
    ("index_url", "pip config set global.index-url https://mirror.example.com/simple"),
    ("index_url", "npm config set registry https://registry.example.com"),
    ("repo_add", "add-apt-repository -y ppa:x/y"),
    ("repo_add", "echo 'deb https://example.com stable main' > /etc/apt/sources.list.d/x.list"),
    ("repo_add", "echo deb https://example.com x | sudo tee /etc/apt/sources.list.d/x.list"),
    ("repo_add", "yum-config-manager --add-repo https://example.com/x.repo"),
    ("repo_add", "dnf copr enable -y a/b"),
]

NOT_NETWORK = [
    "apt-get clean",
    "apt-get purge -y --auto-remove curl",
    "rm -rf /var/lib/apt/lists/* /etc/apt/sources.list.d/x.list",
    "apk del .build-deps",
    "yum clean all",
    "pip install ./local.whl",
    "pip install --no-cache-dir /wheels/*.whl",
    "pip install --no-index --find-links=/wheels requests",
    "pip uninstall -y pip",
    "uv run --no-sync python -V",
    "npm run build",
    "npm cache clean --force",
    "yarn build",
    "yarn --version",
    "yarn install --offline",
    "pnpm -r build",
    "go version",
    "go build -mod=vendor ./...",
    "cargo build --offline",
    "mvn -o package",
    "gradle --version",
    "bundle exec rake assets:precompile",
    "composer dump-autoload",
    "git --version",
    "git clone /src /dst",
    "curl --version",
    "curl -f http://localhost:8080/health",
    "which curl",
    "command -v wget",
    "echo 'curl https://example.com'",
    "echo apt-get install x # pip install y",
    "test -x /usr/bin/curl",
    "gpg --batch --import key.asc",
    "conda clean -afy",
    "gem list",
    "python -c 'print(1)'",
    "cat > /install.sh <<'X'\napt-get install curl\nX\n",
    "sed -i 's|https://example.com|http://x|' /etc/apt/sources.list",
]


def types_of(dockerfile: str) -> list[tuple[int, str]]:
    audited = audit_build(read_dockerfile(dedent(dockerfile).lstrip("\n"), "Dockerfile"))
    return sorted({(item.line, item.type) for item in audited.items if item.type != "from_image"})


@pytest.mark.parametrize(("kind", "command"), NETWORK)
def test_a_command_that_reaches_the_network_has_its_type(kind: str, command: str) -> None:
    assert kind in {found for _, found in types_of(f"FROM x:1\nRUN {command}\n")}


@pytest.mark.parametrize("command", NOT_NETWORK)
def test_a_command_that_stays_at_home_is_no_download(command: str) -> None:
    assert types_of(f"FROM x:1\nRUN {command}\n") == []


WRAPPED = [
    ("net_curl", "bash -lc 'set -e; curl -O https://example.com/x'"),
    ("pkg_apt", 'sh -c "apt-get install -y \\"$(echo git)\\""'),
    ("pkg_pip", "su -l app -c 'pip install x'"),
    ("pkg_npm", "sudo -H -u app env CI=1 nice -n 5 npm ci"),
    ("net_curl", "cat urls | xargs -n 1 -P 4 curl -fsSLO"),
    ("pkg_gem", "exec time timeout -k 5 60 gem install x"),
    ("pkg_pip", "poetry run pip install x"),
    ("pkg_pip", "conda run -n env --no-capture-output pip install x"),
    ("net_git", "find . -name x -exec git clone https://example.com/r {} \\;"),
    ("pkg_apt", 'retry() { "$@" || "$@"; }; retry apt-get update'),
    ("net_wget", "eval 'wget https://example.com/x'"),
    ("pkg_apk", "echo 'apk add git' | sh -ex"),
    ("toolchain_download", "curl https://sh.rustup.rs | sh -s -- -y"),
    ("pkg_apt", "INSTALL='apt-get install -y' && $INSTALL git"),
    ("net_curl", "for tool in curl; do $tool https://example.com/x; done"),
    ("net_curl", "case $(uname -m) in x86_64) curl https://example.com/x;; esac"),
    ("net_curl", "test -f x || (cd /tmp && curl https://example.com/x)"),
    ("net_curl", "while ! curl https://example.com/x; do sleep 1; done"),
]


@pytest.mark.parametrize(("kind", "command"), WRAPPED)
def test_a_command_is_found_whatever_is_around_it(kind: str, command: str) -> None:
    assert (2, kind) in types_of(f"FROM x:1\nRUN {command}\n")


def test_a_command_stands_on_its_own_line_not_on_that_of_its_wrapper() -> None:
    text = """
        FROM x:1
        RUN sudo -E env A=1 \\
            B=2 \\
            pip install x
    """
    assert types_of(text) == [(4, "pkg_pip")]


def test_what_stands_before_any_from_is_listed_although_it_cannot_be_built() -> None:
    assert types_of("FORM x:1\nRUN apt-get update\n") == [(2, "pkg_apt")]


def test_the_exec_form_is_a_command_too() -> None:
    text = """
        FROM x:1
        RUN ["pip", "install", "x"]
        RUN ["/bin/bash", "-c", "set -e && \\
            apt-get update"]
    """
    assert types_of(text) == [(2, "pkg_pip"), (4, "pkg_apt")]


def test_heredocs_are_scripts_or_files_by_what_reads_them() -> None:
    text = """
        FROM x:1
        RUN <<EOF
        set -e
        apt-get update
        EOF
        RUN <<-"ONE" bash -e
        \tcurl https://example.com/x
        \tONE
        RUN cat <<EOF > /etc/x.conf
        apt-get update
        EOF
        RUN <<EOF
        #!/usr/bin/env python3
        print("apt-get update")
        EOF
        RUN python3 - <<EOF
        import nltk
        nltk.download("punkt")
        EOF
        COPY <<EOF /etc/y.conf
        curl https://example.com/x
        EOF
    """
    assert types_of(text.replace("\\t", "\t")) == [(4, "pkg_apt"), (7, "net_curl"), (16, "model_download")]


def test_the_escape_character_and_the_frontend_are_directives() -> None:
    text = "# syntax=docker/dockerfile:1.7\n# escape=`\nFROM x:1\nRUN true && `\n  apk add git\n"
    assert types_of(text) == [(1, "syntax_frontend"), (5, "pkg_apk")]


def test_a_redirection_belongs_to_the_last_command_of_a_list() -> None:
    text = """
        FROM x:1
        RUN true \\
            && apt-get update \\
            && echo "deb https://example.com stable main" > /etc/apt/sources.list.d/x.list \\
            && cat <<EOF | sh
        apk add git
        EOF
    """
    assert types_of(text) == [(3, "pkg_apt"), (4, "repo_add"), (6, "pkg_apk")]


def test_windows_shells_are_said_to_be_not_analysed() -> None:
    text = 'FROM x:1\nSHELL ["powershell", "-Command"]\nRUN curl https://example.com/x\nRUN ["pip", "install", "x"]\n'
    audited = audit_build(read_dockerfile(text, "Dockerfile"))
    assert audited.not_analysed == [(3, "the shell is powershell")]
    assert [item.type for item in audited.items] == ["from_image", "pkg_pip"]


def test_what_an_earlier_stage_fetched_is_there_in_a_stage_built_on_it() -> None:
    text = """
        FROM golang:1.23 AS modules
        RUN go mod download
        FROM modules AS build
        RUN go build -o /app ./...
        FROM golang:1.23
        RUN go build -o /app ./...
    """
    assert types_of(text) == [(2, "pkg_go"), (3, "from_stage"), (6, "pkg_go")]


def test_a_repository_that_is_fetched_is_a_download_and_a_repository() -> None:
    for fetch in ("-P /etc/yum.repos.d", "-O/etc/yum.repos.d/x.repo", "--output-document=/etc/yum.repos.d/x.repo"):
        assert types_of(f"FROM x:1\nRUN wget https://example.com/x.repo {fetch}\n") == [
            (2, "net_wget"),
            (2, "repo_add"),
        ]


def test_an_address_from_an_argument_without_default_is_fetched_all_the_same() -> None:
    text = 'FROM x:1\nARG url\nENV URL=$url\nRUN wget -O k.tgz "$URL"\nENV PIP_INDEX_URL=$url\n'
    assert types_of(text) == [(4, "net_wget")]


def test_a_comment_in_backquotes_ends_where_they_end() -> None:
    text = "FROM x:1\nRUN pip install a `# the last for 2.6` && \\\n    pip install b && \\\n    yum install -y vim\n"
    assert types_of(text) == [(2, "pkg_pip"), (3, "pkg_pip"), (4, "pkg_dnf")]


def test_npx_starts_what_is_installed_and_fetches_what_is_not() -> None:
    assert types_of("FROM x:1\nRUN npm ci\nRUN npx tsc\n") == [(2, "pkg_npm")]
    assert types_of("FROM x:1\nRUN npx tsc\n") == [(2, "pkg_npm")]


BASES = [
    ("ARG V=3\nFROM python:${V}", ("from_image", "python:3")),
    ("ARG V\nFROM python:${V:-3}", ("from_image", "python:3")),
    ("ARG V=\nFROM python${V:+:}${V}", ("from_image", "python")),
    ("ARG V\nFROM python:$V", ("from_unresolved", "python:$V")),
    ("ARG V\nARG IMAGE=python:$V\nFROM $IMAGE", ("from_unresolved", "$IMAGE")),
    ("FROM ${docker.base.image}", ("from_unresolved", "${docker.base.image}")),
    ("FROM a:1 AS Base\nFROM base", ("from_stage", "base")),
    ("FROM a:1 AS build-amd64\nFROM build-${TARGETARCH}", ("from_stage", "build-amd64")),
    ("FROM --platform=$BUILDPLATFORM a:1", ("from_image", "a:1")),
    ("ARG V=1\nFROM a:$V AS x\nARG V=2\nFROM b:$V", ("from_image", "b:1")),
]


@pytest.mark.parametrize(("text", "last"), BASES)
def test_a_base_is_resolved_by_the_args_before_the_first_from(text: str, last: tuple[str, str]) -> None:
    items = audit_build(read_dockerfile(text + "\n", "Dockerfile")).items
    assert (items[-1].type, items[-1].value) == last


def test_scratch_is_no_image() -> None:
    assert audit_build(read_dockerfile("FROM scratch\n", "Dockerfile")).items == []


SOURCES = [
    ("COPY --from=builder /a /b", "copy_from_stage"),
    ("COPY --from=BUILDER /a /b", "copy_from_stage"),
    ("COPY --from=0 /a /b", "copy_from_stage"),
    ("COPY --from=7 /a /b", "copy_from_undefined"),
    ("COPY --from=bulider /a /b", "copy_from_undefined"),
    ("COPY --from=nginx:1.27 /a /b", "copy_from_image"),
    ("COPY --from=composer /a /b", "copy_from_image"),
    ("COPY --from=ghcr.io/astral-sh/uv /a /b", "copy_from_image"),
    ("RUN --mount=type=bind,from=builder,target=/x true", "mount_from_stage"),
    ("RUN --mount=from=alpine:3.20,target=/x true", "mount_from_image"),
    ("ADD https://example.com/x /x", "add_url"),
    ("ADD git@github.com:a/b.git#v1 /x", "add_url"),
]


@pytest.mark.parametrize(("line", "kind"), SOURCES)
def test_copies_and_mounts_name_a_stage_an_image_or_nothing(line: str, kind: str) -> None:
    assert types_of(f"FROM a:1 AS builder\nFROM b:1\n{line}\n") == [(3, kind)]


def test_a_named_build_context_is_no_image() -> None:
    file = read_dockerfile("FROM a:1\nCOPY --from=assets /a /b\n", "Dockerfile")
    assert [item.type for item in audit_build(file, contexts={"assets": "./assets"}).items] == ["from_image"]


def test_a_named_build_context_may_be_an_image() -> None:
    file = read_dockerfile("FROM base\nCOPY --from=tool /a /b\n", "Dockerfile")
    contexts = {"base": "docker-image://debian:12", "tool": "docker-image://tool"}
    found = [(item.type, item.value) for item in audit_build(file, contexts=contexts).items]
    assert found == [("from_image", "debian:12"), ("copy_from_image", "tool")]


def test_copies_from_the_context_and_cache_mounts_fetch_nothing() -> None:
    assert types_of("FROM a:1\nCOPY . /a\nADD x.tar.gz /b\nRUN --mount=type=cache,target=/root/.cache true\n") == []


def test_what_a_child_image_will_run_counts() -> None:
    assert types_of("FROM a:1\nONBUILD RUN pip install x\n") == [(2, "pkg_pip")]


def test_a_command_in_a_continued_run_stands_on_its_own_line() -> None:
    found = types_of("""
        FROM x:1
        RUN set -eux; \\
            # a comment between
            apt-get update; \\

            if true; then \\
              curl -fsSL https://example.com/x \\
                | tar xz; \\
            fi && sh -c 'pip install a; \\
              git clone https://example.com/r'
    """)
    assert found == [(4, "pkg_apt"), (7, "net_curl"), (9, "pkg_pip"), (10, "net_git")]
