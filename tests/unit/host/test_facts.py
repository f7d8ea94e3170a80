from __future__ import annotations

import pytest

from offline.errors import FailedError
from offline.host.facts import parse

ANSWER = """Welcome to this host!
fact\thost\tweb1\tx86_64\t123456
fact\taddress\t10.0.0.7
fact\tstore\tclassic
fact\tchain\tsha256:a sha256:b
fact\tchain\tsha256:a
fact\tpart\tbb\t10
fact\trelease\t20261123-220000
fact\tfile\tdd\tpayload/web-1/a b/模型.pt
fact\tend
"""


def test_facts_are_read_past_what_a_host_says_of_its_own() -> None:
    found = parse(ANSWER)
    assert (found.name, found.machine, found.free) == ("web1", "x86_64", 123456)
    assert (found.address, found.store, found.release) == ("10.0.0.7", "classic", "20261123-220000")
    assert found.chains == {("sha256:a", "sha256:b"), ("sha256:a",)}
    assert found.parts == {"bb": 10}
    assert found.files == {"dd": "payload/web-1/a b/模型.pt"}


def test_a_bare_host_has_little_to_say() -> None:
    found = parse("fact\thost\tx\taarch64\t5\nfact\taddress\t\nfact\tstore\t\nfact\tend\n")
    assert (found.store, found.release, found.chains) == ("", "", frozenset())


@pytest.mark.parametrize("text", ["", ANSWER.replace("fact\tend\n", ""), "fact\tend\n"])
def test_a_cut_answer_is_no_answer(text: str) -> None:
    with pytest.raises(FailedError, match="could not be read"):
        parse(text)
