from __future__ import annotations

import jinja2
import pytest

from offline import templates
from offline.paths import TEMPLATES


def test_an_unknown_name_is_an_error_and_no_empty_string() -> None:
    with pytest.raises(jinja2.UndefinedError):
        templates.render("README.txt.j2")


def test_filters_quote_for_the_shell_and_for_yaml() -> None:
    made = templates._environment().from_string("{{ a | quote }} {{ a | json }} {{ 1500 | bytes }}").render(a="a'b\"名")
    assert made == """'a'"'"'b"名' "a'b\\"名" 1.5 kB"""


def test_every_template_has_lf_line_ends() -> None:
    assert [path.name for path in TEMPLATES.iterdir() if b"\r" in path.read_bytes()] == []
