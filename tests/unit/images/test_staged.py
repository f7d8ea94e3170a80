"""What a build gets to see: the context as it is staged for one Dockerfile."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from offline.images import build, plan
from tests import builders

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("only_copied", [False, True])
def test_work_and_output_inside_the_source_are_not_part_of_it(tmp_path: Path, only_copied: bool) -> None:  # noqa: FBT001
    source = builders.config(tmp_path).source
    config = replace(builders.config(tmp_path), work=source / "var" / "work", output=source / "out")
    builders.tree(source, {"var/kept": "", "var/work/store/blob": "", "out/bundle.tar.gz": ""})
    made = plan.make(config.release, {"source:Dockerfile": builders.TREE["Dockerfile"]}).images[0].build
    assert made is not None
    with build.staged(made, {}, config, only_copied=only_copied) as ready:
        staged = {path.relative_to(ready.context).as_posix() for path in ready.context.rglob("*") if path.is_file()}
    assert "var/kept" in staged
    assert not {name for name in staged if name.startswith(("var/work", "out"))}
