"""docker/common/install-requirements.sh under sh, with a pip that only notes what it is asked for."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from offline.paths import DOCKER
from tests import builders

if TYPE_CHECKING:
    from pathlib import Path

SCRIPT = DOCKER / "common" / "install-requirements.sh"
# Notes the words and the content of the file it was given; fails where asked to.
PIP = """\
#!/bin/sh
for word in "$@"; do file=$word; done
{ echo "pip $* " | sed "s|$file|FILE|"; cat "$file"; } >>"$ASKED"
[ -z "${PIP_FAILS:-}" ]
"""


@pytest.fixture
def installed(tmp_path: Path) -> Install:
    return Install(tmp_path)


class Install:
    """Runs the script; gives each pip call as its options and the requirements it got."""

    def __init__(self, folder: Path) -> None:
        # A container has its own memory to write to; here it is a folder of the test's.
        script = SCRIPT.read_text().replace("/dev/shm/", f"{folder}/memory/")  # noqa: S108
        (folder / "memory").mkdir()
        self.folder = builders.tree(folder, {"bin/pip": PIP, "install.sh": script})
        (folder / "bin" / "pip").chmod(0o755)

    def run(self, requirements: bytes | str, **environ: str) -> subprocess.CompletedProcess[str]:
        file = self.folder / "requirements.txt"
        file.write_bytes(requirements if isinstance(requirements, bytes) else requirements.encode())
        (self.folder / "asked").unlink(missing_ok=True)
        environment = {
            "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
            "ASKED": str(self.folder / "asked"),
            **environ,
        }
        return subprocess.run(
            ["sh", str(self.folder / "install.sh"), str(file)],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def __call__(self, requirements: bytes | str, **environ: str) -> list[tuple[str, list[str]]]:
        done = self.run(requirements, **environ)
        assert done.returncode == 0, done.stderr
        calls: list[tuple[str, list[str]]] = []
        for line in (self.folder / "asked").read_text().splitlines():
            if line.startswith("pip "):
                calls.append((line.removeprefix("pip install --no-cache-dir ").strip(), []))
            else:
                calls[-1][1].append(line)
        return calls


TORCH_INDEX = "https://torch.example/cpu"


def test_failure_4_a_line_of_three_packages_with_cpu_suffixes_is_taken_apart(installed: Install) -> None:
    """Failure 4: one requirements line holding three packages with `+cpu` suffixes."""
    calls = installed("torch==2.2.2+cpu torchaudio==2.2.2+cpu torchvision==0.17.2+cpu\nnumpy==1.26.4\n")
    torch = ["torch==2.2.2", "torchaudio==2.2.2", "torchvision==0.17.2"]
    assert calls == [("-r FILE", torch), ("-r FILE", [*torch, "numpy==1.26.4"])]


def test_failure_4_the_suffix_stays_where_an_index_serves_it(installed: Install) -> None:
    """Failure 4: one requirements line holding three packages with `+cpu` suffixes."""
    calls = installed("torch==2.2.2+cpu torchaudio==2.2.2+cpu\n", OFFLINE_TORCH_INDEX=TORCH_INDEX)
    assert calls[0] == (f"--index-url {TORCH_INDEX} -r FILE", ["torch==2.2.2+cpu", "torchaudio==2.2.2+cpu"])


def test_torch_comes_first_and_from_its_own_index(installed: Install) -> None:
    calls = installed("numpy==1.26.4\ntorch==2.2.2\ntorchaudio==2.2.2\n", OFFLINE_TORCH_INDEX=TORCH_INDEX)
    assert calls == [
        (f"--index-url {TORCH_INDEX} -r FILE", ["torch==2.2.2", "torchaudio==2.2.2"]),
        ("-r FILE", ["numpy==1.26.4", "torch==2.2.2", "torchaudio==2.2.2"]),
    ]


@pytest.mark.parametrize("name", ["torchmetrics==1.0", "pytorch-lightning", "numpy"])
def test_a_package_that_only_sounds_like_torch_does_not(installed: Install, name: str) -> None:
    assert installed(f"{name}\n", OFFLINE_TORCH_INDEX=TORCH_INDEX) == [("-r FILE", [name])]


@pytest.mark.parametrize("name", ["Torch==2.2.2", "torch", "torch>=2,<3", "torch~=2.2"])
def test_torch_is_known_however_it_is_written(installed: Install, name: str) -> None:
    assert installed(f"{name}\n", OFFLINE_TORCH_INDEX=TORCH_INDEX)[0][1] == [name]


@pytest.mark.parametrize(
    ("line", "plain"),
    [
        ("a==1  # why", ["a==1"]),
        ("# only a comment", []),
        ("a==1\r", ["a==1"]),
        ("a == 1", ["a==1"]),
        ("a >= 1, < 2", ["a>=1,<2"]),
        ("a b", ["a", "b"]),
        ("a[x]==1", ["a[x]==1"]),
        ("a==1; python_version < '3.11'", ["a==1; python_version<'3.11'"]),
        ("--index-url https://x/simple", ["--index-url https://x/simple"]),
        ("a @ https://x/a-1.whl#sha256=1", ["a @ https://x/a-1.whl#sha256=1"]),
        ("git+https://x/a.git#egg=a", ["git+https://x/a.git#egg=a"]),
    ],
)
def test_a_line_means_what_it_meant(installed: Install, line: str, plain: list[str]) -> None:
    assert installed(f"{line}\n") == [("-r FILE", plain)]


def test_a_byte_order_mark_is_no_part_of_the_first_name(installed: Install) -> None:
    assert installed("a==1\n".encode("utf-8-sig")) == [("-r FILE", ["a==1"])]


def test_a_last_line_without_a_line_end_counts(installed: Install) -> None:
    assert installed("a\nb") == [("-r FILE", ["a", "b"])]


def test_a_pip_that_fails_fails_the_build(installed: Install) -> None:
    assert installed.run("torch\na\n", PIP_FAILS="1").returncode != 0
    assert installed.run("a\n", PIP_FAILS="1").returncode != 0
    assert installed.run("", PIP_FAILS="").returncode == 0
