from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from offline.bundle import layout
from offline.errors import PreflightError
from offline.host.plan import describe, plan, table
from tests.unit.host.things import APP, BASE, BIG_APP, BIG_BASE, BIG_WEB, MODEL, WEB, bundle, file, host

if TYPE_CHECKING:
    from offline.host.bundle import Bundle

BIG = [digest[7:] for digest in (BIG_BASE, BIG_APP, BIG_WEB)]


def test_a_bare_host_gets_everything_big_files_as_pieces_and_small_ones_together() -> None:
    made = plan(bundle(), host(store=""))
    assert {piece.hex for piece in made.pieces} == {*BIG, MODEL}
    assert {path for path in made.small if not path.startswith(layout.BLOBS)} == {
        layout.RELEASE,
        "scripts/lib/say.sh",
        "data/config.yaml",
    }
    assert made.omitted == ()
    assert made.copies == ()
    assert made.bytes == 20_000_000 + 3000 + 2000 + 10 + 4 * 2000


def test_a_layer_is_left_out_where_its_whole_chain_is_that_of_an_image() -> None:
    made = plan(bundle(), host(chains=frozenset({(BASE, APP, "sha256:more")})))
    assert made.omitted == (f"blob\t{BIG_BASE}\tclassic store", f"blob\t{BIG_APP}\tclassic store")
    assert {piece.hex for piece in made.pieces} == {BIG_WEB[7:], MODEL}


@pytest.mark.parametrize("chain", [(APP,), ("sha256:other", APP), (APP, BASE)])
def test_a_layer_on_top_of_others_has_to_travel(chain: tuple[str, ...]) -> None:
    assert plan(bundle(), host(chains=frozenset({chain}))).omitted == ()


def test_a_layer_that_one_image_has_elsewhere_in_its_chain_has_to_travel() -> None:
    # The same diff_id alone on the host does not help an image that has it on another base.
    made = plan(bundle(), host(chains=frozenset({(BASE, APP), (WEB,)})))
    assert f"blob\t{BIG_WEB}\tclassic store" not in made.omitted


def test_a_containerd_store_has_what_it_has_by_digest() -> None:
    made = plan(bundle(), host(store="containerd", blobs=frozenset({BIG_WEB})))
    assert made.omitted == (f"blob\t{BIG_WEB}\tcontainerd store",)


def test_configs_and_manifests_always_travel() -> None:
    have = frozenset(f"sha256:{letter * 64}" for letter in "def0")
    assert plan(bundle(), host(store="containerd", blobs=have)).omitted == ()


def test_payload_that_the_host_has_is_left_out_and_said_where_it_is() -> None:
    made = plan(bundle(), host(files={MODEL: "payload/server-0/models/old.pt"}))
    assert made.omitted == (f"file\tmodels/model.pt\tpayload/server-0/models/old.pt\t{MODEL}",)
    assert MODEL not in {piece.hex for piece in made.pieces}


def test_other_small_files_that_the_host_has_are_copied_there() -> None:
    say = bundle().files["scripts/lib/say.sh"].sha256
    made = plan(bundle(), host(files={say: "releases/1/scripts/lib/say.sh"}))
    assert made.copies == (("releases/1/scripts/lib/say.sh", "scripts/lib/say.sh"),)
    assert "scripts/lib/say.sh" not in made.small
    assert made.omitted == ()


def test_an_engine_does_not_travel_where_one_answers() -> None:
    engine = {"engine/docker.tgz": file(70_000_000, "engine")}
    with_one = plan(bundle(**engine), host())
    assert with_one.omitted == (f"file\tengine/docker.tgz\t-\t{engine['engine/docker.tgz'].sha256}",)
    assert plan(bundle(**engine), host(store="")).omitted == ()


def test_a_piece_goes_on_at_the_byte_where_it_broke_off_and_a_whole_one_does_not_go_again() -> None:
    made = plan(bundle(), host(parts={BIG[0]: 5_000_000, BIG[1]: 4_000_000, BIG[2]: 7_000_001}))
    assert {piece.hex: piece.offset for piece in made.pieces} == {BIG[1]: 4_000_000, BIG[2]: 0, MODEL: 0}
    assert (BIG[0], layout.blob(BIG_BASE)) in made.places


def test_the_sums_list_exactly_what_the_folder_will_hold() -> None:
    made = plan(bundle(), host(chains=frozenset({(BASE,)}), files={MODEL: "payload/x"}))
    listed = {line[66:]: line[:64] for line in made.sums.decode().splitlines()}
    left_out = {layout.blob(BIG_BASE), "models/model.pt", layout.SUMS}
    assert set(listed) == (set(bundle().files) - left_out) | {layout.OMITTED}
    assert listed[layout.OMITTED] == hashlib.sha256(table(made.omitted)).hexdigest()
    assert list(listed) == sorted(listed, key=str.encode)


def test_no_room_is_refused_with_the_amount_that_is_missing() -> None:
    with pytest.raises(PreflightError, match=r"20 MB would travel, and 5 MB are free .* 15 MB are missing"):
        plan(bundle(), host(free=5_000_000))


def test_the_plan_reads_as_sentences() -> None:
    made = plan(bundle(), host(release="20261101-000000", chains=frozenset({(BASE, APP)}), parts={BIG[2]: 1_000_000}))
    assert describe(made) == (
        "release 20261123-220000; in service now: 20261101-000000",
        "travels: 8.01 MB in 2 big pieces and 7 small files",
        "the host has: 12 MB in 2 layers, 0 files, 0 pieces sent before",
        "goes on where an earlier transfer broke off: 1 MB are there",
    )


# --- a delta, and a lean transfer of it


def delta_of(*rows: str) -> Bundle:
    """The bundle without a layer or file, as a delta of an earlier release."""
    whole = bundle()
    out = {layout.blob(row.split("\t")[1]) if row.startswith("blob") else row.split("\t")[1] for row in rows}
    return replace(whole, files={p: f for p, f in whole.files.items() if p not in out}, omitted=rows)


BASE_ROW = f"blob\t{BIG_BASE}\t20261101-000000"
MODEL_ROW = f"file\tmodels/model.pt\tpayload/server-0/models/model.pt\t{MODEL}\t20261101-000000"


def test_what_a_delta_leaves_out_stays_out_and_what_more_the_host_has_goes_too() -> None:
    made = plan(delta_of(BASE_ROW, MODEL_ROW), host(chains=frozenset({(BASE, APP)})))
    assert made.omitted == (BASE_ROW, MODEL_ROW, f"blob\t{BIG_APP}\tclassic store")
    assert {piece.hex for piece in made.pieces} == {BIG_WEB[7:]}


def test_a_host_that_lacks_a_layer_of_the_delta_is_refused_before_anything_travels() -> None:
    for facts in (host(), host(store=""), host(store="containerd", blobs=frozenset({BIG_APP}))):
        with pytest.raises(PreflightError, match=r"since release 20261101-000000, and 1 layers .*\n  next: .* package"):
            plan(delta_of(BASE_ROW), facts)


def test_a_file_of_a_delta_that_the_host_has_elsewhere_is_taken_from_there() -> None:
    made = plan(delta_of(MODEL_ROW), host(files={MODEL: "payload/server-9/models/model.pt"}))
    assert made.omitted == (
        f"file\tmodels/model.pt\tpayload/server-9/models/model.pt\t{MODEL}\t20261101-000000",
        MODEL_ROW,
    )


def test_a_delta_goes_on_where_its_transfer_broke_off() -> None:
    made = plan(delta_of(BASE_ROW), host(chains=frozenset({(BASE,)}), parts={BIG_WEB[7:]: 4_000_000}))
    assert {piece.hex: piece.offset for piece in made.pieces} == {BIG_APP[7:]: 0, BIG_WEB[7:]: 4_000_000, MODEL: 0}
    assert BASE_ROW in made.omitted
