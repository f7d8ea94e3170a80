"""Rendering of the files in templates/: an unknown name is an error, nothing is escaped behind anyone's back."""

from __future__ import annotations

import shlex
from functools import lru_cache
from typing import TYPE_CHECKING

from offline.console import human_bytes
from offline.paths import TEMPLATES

if TYPE_CHECKING:
    from jinja2 import Environment


def render(name: str, /, **values: object) -> str:
    """Render one template with LF line ends; raises jinja2.UndefinedError for a name that is not given."""
    return _environment().get_template(name).render(**values)


@lru_cache(maxsize=1)
def _environment() -> Environment:
    import json

    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES, encoding="utf-8"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        newline_sequence="\n",
        autoescape=False,  # noqa: S701 - shell, YAML and Markdown; what needs quoting says so with a filter
    )
    environment.filters["bytes"] = human_bytes
    environment.filters["quote"] = shlex.quote
    environment.filters["json"] = lambda value: json.dumps(value, ensure_ascii=False)
    return environment
