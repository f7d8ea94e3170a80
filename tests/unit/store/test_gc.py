from __future__ import annotations

from typing import TYPE_CHECKING

from offline.store import gc, index
from offline.store.blobs import adding
from offline.store.model import Inspected
from tests.unit.store import streams
from tests.unit.store.stores import BOTH, SERVER, WEB, blobs, check, take

if TYPE_CHECKING:
    from offline.store.blobs import Store


def test_an_image_that_is_not_kept_goes_with_the_layers_it_had_alone(store: Store) -> None:
    both = take(store, streams.classic(BOTH))
    size = sum(path.stat().st_size for path in store.folder.iterdir())
    collected = gc.collect(store, {SERVER.id})
    assert collected.images == (WEB.id,)
    assert collected.blobs == 3
    assert collected.freed == size - sum(path.stat().st_size for path in store.folder.iterdir())
    check(store, [SERVER], {SERVER.name: both[SERVER.name]})


def test_blobs_that_no_index_names_are_removed(store: Store) -> None:
    take(store, streams.classic(BOTH))
    had = blobs(store)
    with adding(store) as new:
        new.put(b"left by a killed run")
    collected = gc.collect(store, {SERVER.id, WEB.id})
    assert (collected.images, collected.blobs, collected.freed) == ((), 1, 20)
    assert blobs(store) == had


def test_what_the_engine_calls_an_image_is_forgotten_with_it(store: Store) -> None:
    entries, engine_id = streams.oci_platforms(SERVER.name, [SERVER])
    take(store, entries, [SERVER], inspected={SERVER.name: Inspected(id=engine_id, diff_ids=SERVER.diff_ids)})
    gc.collect(store, set())
    assert index.load(store) == index.Index()
    assert blobs(store) == set()


def test_an_empty_store_has_nothing_to_collect(store: Store) -> None:
    assert gc.collect(store, set()) == gc.Collected(images=(), blobs=0, freed=0)
