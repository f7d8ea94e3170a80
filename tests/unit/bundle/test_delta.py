"""What a delta leaves out, decided on values; what it is worth is in tests/host/test_delta_state.py."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from offline.bundle import delta, diff, layout, manifest, payload, released, write
from offline.bundle.verify import inspect
from offline.console import Console
from offline.errors import UsageError
from offline.store.model import Layer
from tests import builders

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from offline.bundle.delta import Base, Delta
    from offline.bundle.manifest import ReleaseFacts
    from offline.bundle.payload import File, Item

FIRST, SECOND, THIRD = "20261101-000000", "20261102-000000", "20261103-000000"


@pytest.fixture
def quiet() -> Console:
    return Console(io.StringIO(), io.StringIO())


def layer(name: str, digest: str = "") -> Layer:
    return Layer(diff_id=f"sha256:{name}", digest=f"sha256:{digest or 'z' + name}", size=len(name), raw_size=9)


def base(images: Mapping[str, Sequence[Layer]] | None = None, **more: Any) -> Base:
    given = {"id": FIRST, "stack": "shop", "platform": "linux/amd64", "places": (), "files": {}, **more}
    return delta.Base(images=tuple(tuple(layers) for layers in (images or {}).values()), **given)


def facts_of(tmp_path: Path, images: Mapping[str, Sequence[Layer]] | None = None, **more: Any) -> ReleaseFacts:
    """The small stack's release, with these layers."""
    facts, _, _ = builders.facts(tmp_path, identity=SECOND, **more)
    if images is None:
        return facts
    bundled = tuple(
        replace(facts.images[0], role=role, stored=replace(facts.images[0].stored, layers=tuple(layers)))
        for role, layers in images.items()
    )
    return replace(facts, images=bundled)


def blobs(tmp_path: Path, new: Mapping[str, Sequence[Layer]], *bases: Mapping[str, Sequence[Layer]]) -> set[str]:
    """The layers of a release that stay out, by name."""
    made = delta.plan(facts_of(tmp_path, new), (), [base(images) for images in bases])
    return {digest.removeprefix("sha256:z") for digest in made.blobs}


BASE, APP, NEW, WEB = layer("base"), layer("app"), layer("new"), layer("web")


def test_layers_that_the_base_has_under_the_same_layers_stay_out(tmp_path: Path) -> None:
    assert blobs(tmp_path, {"a": (BASE, NEW)}, {"a": (BASE, APP)}) == {"base"}
    assert blobs(tmp_path, {"a": (BASE, APP, NEW)}, {"other": (BASE, APP)}) == {"base", "app"}


def test_a_layer_on_top_of_others_travels(tmp_path: Path) -> None:
    # A classic store knows a layer by all that lies below it; a containerd store would have it.
    assert blobs(tmp_path, {"a": (NEW, APP)}, {"a": (BASE, APP)}) == set()


def test_a_layer_that_a_second_image_has_elsewhere_travels(tmp_path: Path) -> None:
    assert blobs(tmp_path, {"a": (BASE, APP), "b": (NEW, APP)}, {"a": (BASE, APP)}) == {"base"}


def test_only_what_all_bases_have_stays_out(tmp_path: Path) -> None:
    assert blobs(tmp_path, {"a": (BASE, APP)}, {"a": (BASE, APP)}, {"a": (BASE, WEB)}) == {"base"}


def test_a_layer_that_was_shipped_in_other_bytes_travels_and_is_named(tmp_path: Path) -> None:
    other = layer("app", digest="other")
    made = delta.plan(facts_of(tmp_path, {"a": (BASE, APP)}), (), [base({"a": (BASE, other)})])
    assert made.blobs == {BASE.digest}
    assert made.other_bytes == (APP,)


def test_a_base_of_which_nothing_is_needed_is_not_asked_for(tmp_path: Path) -> None:
    made = delta.plan(facts_of(tmp_path, {"a": (NEW,)}), (), [base({"a": (BASE,)})])
    assert (made.since, made.lines) == ((), ())


@pytest.mark.parametrize(
    ("changes", "what"),
    [({"stack": "other"}, "its stack is other"), ({"platform": "linux/arm64"}, "its platform is linux/arm64")],
)
def test_a_base_of_another_stack_or_platform_is_refused(tmp_path: Path, changes: dict[str, Any], what: str) -> None:
    with pytest.raises(UsageError, match=what):
        delta.plan(facts_of(tmp_path), (), [replace(base(), **changes)])


def test_a_release_does_not_build_on_itself(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the release itself"):
        delta.plan(facts_of(tmp_path), (), [base(id=SECOND)])


# --- files

PLUGINS = delta.Place(bundle="plugins", source="payload/api-1/plugins", mode="0755", hot=False)
START = delta.Place(bundle="start.sh", source="payload/api-1/start.sh", mode="0755", hot=False)


def files_out(
    tmp_path: Path, file: File, *bases: Base, changes: Mapping[str, Any] | None = None
) -> list[tuple[str, ...]]:
    """Rows of omitted.tsv for one file, without its kind and its sha256."""
    made = delta.plan(facts_of(tmp_path, changes=changes), [file], bases)
    rows = [line.split("\t") for line in made.lines if line.startswith("file\t")]
    assert all(row[3] == file.sha256 for row in rows)
    return [(row[1], row[2], row[4]) for row in rows]


NOT_HOT = {"payload.1.hot": False}


def test_payload_of_the_same_content_stays_out_and_the_table_says_where_a_host_has_it(tmp_path: Path) -> None:
    file = payload.of_bytes("plugins/two.py", b"y = 2\n")
    have = base(places=(PLUGINS,), files={"plugins/old name.py": file.sha256})
    assert files_out(tmp_path, file, have, changes=NOT_HOT) == [
        ("plugins/two.py", "payload/api-1/plugins/old name.py", FIRST)
    ]


def test_each_base_has_its_own_place_and_one_that_has_none_makes_the_file_travel(tmp_path: Path) -> None:
    file = payload.of_bytes("plugins/two.py", b"y = 2\n")
    first = base(places=(PLUGINS,), files={file.name: file.sha256})
    other = replace(PLUGINS, source="payload/api-2/plugins")
    third = base(id=THIRD, places=(other,), files={file.name: file.sha256})
    assert files_out(tmp_path, file, third, first, changes=NOT_HOT) == [
        ("plugins/two.py", "payload/api-1/plugins/two.py", FIRST),
        ("plugins/two.py", "payload/api-2/plugins/two.py", THIRD),
    ]
    assert files_out(tmp_path, file, first, base(id=THIRD), changes=NOT_HOT) == []


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("plugins/two.sh", PLUGINS),  # a script may be run, whatever its first line
        ("plugins/two.py", replace(PLUGINS, mode="0700")),
        ("plugins/two.py", replace(PLUGINS, hot=True)),
        ("conf/two.py", PLUGINS),
    ],
)
def test_a_file_that_would_not_come_out_the_same_travels(tmp_path: Path, name: str, place: delta.Place) -> None:
    file = payload.of_bytes("plugins/two.py", b"y = 2\n")
    assert files_out(tmp_path, file, base(places=(place,), files={name: file.sha256}), changes=NOT_HOT) == []


def test_a_hot_module_stays_out_only_where_its_folder_is_the_one_that_the_release_wants(tmp_path: Path) -> None:
    facts = facts_of(tmp_path)
    (wanted,) = (place for place in delta.places_of(facts.mounts) if place.bundle == "plugins")
    file = payload.of_bytes("plugins/two.py", b"y = 2\n")
    same = base(places=(wanted,), files={file.name: file.sha256})
    assert files_out(tmp_path, file, same) == [(file.name, f"{wanted.source}/two.py", FIRST)]
    assert files_out(tmp_path, file, replace(same, places=(replace(wanted, source="payload/api-0/plugins"),))) == []


def test_what_belongs_to_the_host_always_travels(tmp_path: Path) -> None:
    file = payload.of_bytes("conf/.conf.yaml", b"a: 1\n")
    assert files_out(tmp_path, file, base(places=(PLUGINS,), files={file.name: file.sha256})) == []


def test_the_same_engine_stays_out_and_another_travels(tmp_path: Path) -> None:
    file = payload.of_bytes("engine/docker.tgz", b"engine")
    assert files_out(tmp_path, file, base(files={file.name: file.sha256})) == [(file.name, "-", FIRST)]
    assert files_out(tmp_path, file, base(files={file.name: "other"})) == []


def scripts_out(scripts: Sequence[File], *bases: Base, tmp_path: Path) -> set[str]:
    return set(delta.plan(facts_of(tmp_path), scripts, bases).files)


def test_host_scripts_stay_out_all_together_but_for_those_that_say_what_lacks(tmp_path: Path) -> None:
    scripts = write.host_scripts()
    same = {file.name: file.sha256 for file in scripts}
    out = scripts_out(scripts, base(files=same), tmp_path=tmp_path)
    assert {"scripts/status.sh", "scripts/lib/all.sh", layout.ENGINE_SCRIPT} <= out
    assert not out & {
        layout.DEPLOY_SCRIPT,
        layout.VERIFY_SCRIPT,
        "scripts/lib/omitted.sh",
        "scripts/lib/messages.zh.sh",
    }
    changed = {**same, "scripts/lib/load.sh": "other"}
    assert scripts_out(scripts, base(files=same), base(id=THIRD, files=changed), tmp_path=tmp_path) == set()
    assert scripts_out(scripts, base(files={**same, "scripts/more.sh": "1"}), tmp_path=tmp_path) == set()


# --- bundles


def full(tmp_path: Path, identity: str = FIRST) -> tuple[ReleaseFacts, tuple[Item, ...], write.Written]:
    facts, items, store = builders.facts(tmp_path, identity=identity)
    return facts, items, write.write(facts, items, store=store, folder=tmp_path / "dist", on_bytes=lambda _: None)


def base_of(bundle: Path, console: Console) -> Base:
    said = released.read(bundle, console)
    return delta.parse(said.release, said.files)


def planned(tmp_path: Path, console: Console, identity: str = SECOND) -> tuple[ReleaseFacts, tuple[Item, ...], Delta]:
    _, _, old = full(tmp_path)
    facts, items, _ = builders.facts(tmp_path, identity=identity)
    made = delta.plan(facts, write.may_stay_out(facts, items), [base_of(old.path, console)])
    return replace(facts, delta=made), items, made


def test_a_delta_verifies_names_its_base_and_holds_no_layer_that_stays_out(tmp_path: Path, quiet: Console) -> None:
    facts, items, made = planned(tmp_path, quiet)
    store = builders.facts(tmp_path)[2]
    new = write.write(facts, items, store=store, folder=tmp_path / "dist", on_bytes=lambda _: None)
    assert new.path.name == f"shop-bundle-{SECOND}-since-{FIRST}.tar.gz"
    with new.path.open("rb") as file:
        report = inspect(file, new.path.name)
    assert (report.bad, report.since, report.omitted) == ((), (FIRST,), 3)
    assert json.loads(manifest.as_json(facts))["since"] == [FIRST]
    assert made.lines[0] == f"blob\t{facts.images[0].stored.layers[0].digest}\t{FIRST}"


def test_a_delta_says_of_itself_all_that_the_full_bundle_says(tmp_path: Path, quiet: Console) -> None:
    facts, items, _ = planned(tmp_path, quiet)
    store = builders.facts(tmp_path)[2]
    new = write.write(facts, items, store=store, folder=tmp_path / "dist", on_bytes=lambda _: None)
    _, _, whole = full(tmp_path, SECOND)
    one, other = (base_of(bundle.path, quiet) for bundle in (new, whole))
    own = {layout.RELEASE, layout.README, layout.MANIFEST_TEXT, layout.GUIDE_EN, layout.GUIDE_ZH, layout.OMITTED}
    assert {path: sha for path, sha in one.files.items() if path not in own} == {
        path: sha for path, sha in other.files.items() if path not in own and path[-64:] not in hexes(facts)
    }
    assert (one.images, one.places) == (other.images, other.places)


def test_diff_takes_a_delta_for_the_release_that_it_is(tmp_path: Path, quiet: Console) -> None:
    facts, items, _ = planned(tmp_path, quiet)
    store = builders.facts(tmp_path)[2]
    new = write.write(facts, items, store=store, folder=tmp_path / "dist", on_bytes=lambda _: None)
    _, _, whole = full(tmp_path, SECOND)
    found = diff.compare(*(released.of_bundle(bundle.path, quiet) for bundle in (whole, new)))
    assert (found.layers.new, found.layers.gone, found.compose, found.facts) == ((), (), (), ())
    assert found.files == diff.Names(added=(), removed=(), changed=())


def hexes(facts: ReleaseFacts) -> set[str]:
    """Layers: a delta lists none of them as a file."""
    return {layer.digest[7:] for image in facts.images for layer in image.stored.layers}


@pytest.mark.parametrize("text", ["DEPLOYMENT-MANIFEST.txt", "README.txt", layout.GUIDE_EN, layout.GUIDE_ZH])
def test_the_texts_say_what_the_host_must_have(tmp_path: Path, quiet: Console, text: str) -> None:
    facts, items, _ = planned(tmp_path, quiet)
    (written,) = (file.data for file in write.small_files(facts, items) if file.name == text)
    assert written is not None
    assert FIRST in written.decode()
    whole, items, _ = builders.facts(tmp_path, identity=SECOND)
    (plain,) = (file.data for file in write.small_files(whole, items) if file.name == text)
    assert plain is not None
    assert FIRST not in plain.decode()


@pytest.mark.parametrize("value", [None, [], {}, {"format": 2}, {"format": 1, "id": 1}])
def test_what_is_no_release_json_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=r"not a release\.json|format is 2"):
        delta.parse(value, {})


def test_the_releases_of_a_table_are_told_from_the_places_of_a_lean_transfer() -> None:
    lines = (f"blob\tsha256:0\t{SECOND} {FIRST}", "blob\tsha256:1\tclassic store", f"file\ta\t{THIRD}\t0")
    assert delta.since_of((*lines, f"file\tb\tpayload/b\t0\t{THIRD}", "", "blob")) == (FIRST, SECOND, THIRD)
