"""The guides of a bundle, followed to the letter: each command as it stands there, at a terminal, by who may sudo."""

from __future__ import annotations

import os
import re
import subprocess
import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from offline.run import Result
from tests.airgap.backups import holds, write
from tests.airgap.by_hand import ROOT, Operator, Releases

if TYPE_CHECKING:
    from pathlib import Path

    from tests.airgap.hosts import Host

ENGLISH, CHINESE = "offline-deployment-guide.md", "离线部署-快速操作指南.md"
QUESTION = b"[y/N]"
EXAMPLE = "20260102-030405"  # the backup that the guides name


@dataclass(frozen=True)
class Reader:
    """Somebody who has brought a bundle to a host, and reads."""

    operator: Operator

    def bring(self, name: str) -> None:
        """The bundle into the home folder."""
        bundle = self.operator.releases.bundle(name)
        self.operator.host.put(bundle, f"/home/admin/{bundle.name}")

    def follow(self, name: str, guide: str, *sections: int, backup: str = "") -> Result:
        """The commands of these sections of that bundle's guide, in one shell; every question is answered with y."""
        bundle = self.operator.releases.bundle(name)
        lines = [line for section in sections for line in commands(bundle, guide)[section]]
        lines = [line for line in lines if "--schedule" not in line]  # neither systemd nor cron runs here
        script = "\n".join(["set -e", *lines]).replace(EXAMPLE, backup)
        self.operator.host.put(script.encode(), "/home/admin/typed.sh")
        ssh = ["ssh", "-tt", "-F", str(self.operator.host.ssh_config), self.operator.host.admin_alias]
        return typed([*ssh, "bash typed.sh"])


def typed(argv: list[str]) -> Result:
    """Run it at a terminal, and answer each question with y when it is asked: what is typed before, sudo swallows."""
    said = b""
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        assert process.stdin
        assert process.stdout
        while heard := os.read(process.stdout.fileno(), 65536):
            asked = said.count(QUESTION)
            said += heard
            process.stdin.write(b"y\n" * (said.count(QUESTION) - asked))
            process.stdin.flush()
    return Result(argv=tuple(argv), code=process.returncode, out=said.decode(), err="")


def commands(bundle: Path, guide: str) -> dict[int, list[str]]:
    """The lines of the fenced blocks of each numbered section of a guide that lies in a bundle."""
    with tarfile.open(bundle) as archive:
        member = archive.extractfile(f"{bundle.name.removesuffix('.tar.gz')}/{guide}")
        assert member
        text = member.read().decode()
    sections = re.split(r"^## (\d)\. .*$", text, flags=re.MULTILINE)[1:]
    return {int(number): fenced(body) for number, body in zip(sections[::2], sections[1::2], strict=True)}


def fenced(text: str) -> list[str]:
    """The lines of its blocks of bash."""
    return [line for block in re.findall(r"```bash\n(.*?)```", text, re.DOTALL) for line in block.splitlines()]


@pytest.fixture(scope="module")
def reader(standing: Host, tmp_path_factory: pytest.TempPathFactory) -> Reader:
    return Reader(Operator(standing, Releases(tmp_path_factory.mktemp("guides"))))


def test_the_english_guide_puts_the_first_release_into_service(reader: Reader) -> None:
    reader.bring("first")
    done = reader.follow("first", ENGLISH, 1, 2, 4)
    assert done.code == 0, done.out
    reader.operator.every_port_speaks()
    write(reader.operator, "A")


def test_the_chinese_guide_puts_the_next_one_into_service(reader: Reader) -> None:
    reader.bring("app")
    done = reader.follow("app", CHINESE, 1, 2, 4)
    assert done.code == 0, done.out
    assert reader.operator.current() == reader.operator.releases.id("app")
    write(reader.operator, "B")


def test_when_something_went_wrong_the_english_one_brings_release_and_data_back(reader: Reader) -> None:
    (backup,) = reader.operator.host.run(f"ls {ROOT}/backups").out.split()  # the deploy made it, of the first
    done = reader.follow("app", ENGLISH, 6, backup=backup)
    assert done.code == 0, done.out
    assert reader.operator.current() == reader.operator.releases.id("first")
    holds(reader.operator, "A")


def test_what_the_chinese_one_says_of_afterwards_works(reader: Reader) -> None:
    done = reader.follow("app", CHINESE, 5)
    assert done.code == 0, done.out
    assert reader.operator.current() == reader.operator.releases.id("app")
