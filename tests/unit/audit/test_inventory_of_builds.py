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
