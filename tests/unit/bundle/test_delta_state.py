"""What a delta leaves on a host that has its base, against what the full bundle leaves on a bare one."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from offline.bundle.verify import inspect
from tests.delta_host import Host, LackingError, unpacked
from tests.delta_releases import FIRST, ROLES, SECOND, Spec, made

THIRD = "20261103-000000"
Store = Literal["classic", "containerd"]
STORES: tuple[Store, ...] = ("classic", "containerd")
SLOW = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])

layers = st.lists(st.sampled_from(["base", "tools", "app", "newer"]), min_size=1, max_size=4)
specs = st.builds(
    Spec,
    layers=st.fixed_dictionaries(dict.fromkeys(ROLES, layers)),
    plugins=st.dictionaries(
        st.sampled_from(["one.py", "run.sh", "深/two.py", "model.pt"]),
        st.sampled_from(["1", "2", "#!/bin/sh\n"]),
        min_size=1,
    ),
    hot=st.booleans(),
    mode=st.sampled_from(["0755", "0644"]),
    elsewhere=st.booleans(),
)


@SLOW
@given(first=specs, second=specs)
def test_a_delta_leaves_byte_for_byte_what_the_full_bundle_leaves(first: Spec, second: Spec) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        base = made(folder, first, FIRST).bundle()
        release = made(folder, second, SECOND)
        whole, part = release.bundle(), release.bundle([base])
        with part.open("rb") as file:
            assert inspect(file, part.name).bad == ()
        for store in STORES:
            updated = Host(store)
            updated.deploy(base)
            assert updated.deploy(part) == Host(store).deploy(whole)


@SLOW
@given(first=specs, second=specs, third=specs)
def test_a_delta_of_two_releases_goes_onto_either(first: Spec, second: Spec, third: Spec) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bases = [made(folder, spec, identity).bundle() for spec, identity in ((first, FIRST), (second, SECOND))]
        release = made(folder, third, THIRD)
        whole, part = release.bundle(), release.bundle(bases)
        for store in STORES:
            for base in bases:
                updated = Host(store)
                updated.deploy(base)
                assert updated.deploy(part) == Host(store).deploy(whole)


@pytest.mark.parametrize("store", STORES)
def test_without_its_base_a_delta_leaves_nothing(tmp_path: Path, store: Store) -> None:
    base = made(tmp_path, Spec(layers=dict.fromkeys(ROLES, ("base",))), FIRST).bundle()
    part = made(tmp_path, Spec(layers=dict.fromkeys(ROLES, ("base", "app"))), SECOND).bundle([base])
    assert "images/manifest.json" in unpacked(part)
    with pytest.raises(LackingError):
        Host(store).deploy(part)
