"""Releases of mini as deltas, each of the one before, and what a second packager makes of a bundle of the first."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from offline.store.blobs import Store
from tests.airgap.by_hand import CHANGES, START_LIMIT, Releases, S, edited
from tests.airgap.ssh_deploys import KIT, release
from tests.delta_releases import pack_otherwise

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

WHOLE = "-whole"
FOLDER = "shared-mini"


def _again(text: str) -> str:
    return text + "# once more\n"


STEPS: Mapping[str, Callable[[Path], None]] = {
    "first": CHANGES["first"],
    "app": CHANGES["app"],
    "module": CHANGES["module"],
    "page": edited("docs/docker/nginx.conf", _again),
    "model": edited(f"{S}/models/SenseVoiceSmall/configuration.json", lambda text: text + "\n"),
    "again": edited(f"{S}/app.py", _again),
}


@dataclass
class Deltas(Releases):
    """Bundles of one source that changes step by step; `<name>-whole` is the full bundle of the same release."""

    @property
    def source(self) -> Path:
        """The source as it is after the last step that was asked for."""
        return self.folder / FOLDER

    def bundle(self, name: str) -> Path:
        """The bundle of a step; those before it are made first."""
        for step in STEPS:
            if step not in self.made:
                self._make(step)
            if step == name.removesuffix(WHOLE):
                break
        return self.made[name]

    def id(self, name: str) -> str:
        """The release id of a step."""
        return str(json.loads(self._result(self.bundle(name)))["id"])

    def _make(self, step: str) -> None:
        before = list(self.made.values())[-1:]
        if not before:
            shutil.copytree(KIT / "examples" / "mini", self.source)
            limited = f"  cpus: 1\n  start_limit: {START_LIMIT}\n"
            edited("release.yml", lambda text: text.replace("  cpus: 1\n", limited, 1))(self.source)
        STEPS[step](self.source)
        since = ("--since", json.loads(self._result(before[0]))["id"]) if before else ()
        self.made[step] = release(self.source, self.folder / "dist", *since)
        identity = json.loads(self._result(self.made[step]))["id"]
        words = ("--id", identity)
        self.made[f"{step}{WHOLE}"] = release(self.source, self.folder / "dist", *words, task="package")

    def _result(self, bundle: Path) -> str:
        return bundle.with_name(bundle.name.replace(".tar.gz", ".json")).read_text()


def second_packager(source: Path, folder: Path, base: Path) -> Path:
    """A delta made elsewhere, of the same images in a store of its own whose layers have other bytes; it has `base`."""
    work = folder / "work"
    work.mkdir(parents=True)
    for record in ("bases.json", "images.json"):
        shutil.copy2(KIT / ".offline" / record, work / record)
    release(source, folder / "dist", work=work)
    pack_otherwise(Store(work / "store"))
    return release(source, folder / "dist", "--since", str(base), task="package", work=work)
