# Reads config.yaml and what data/.config.yaml changes of it.
from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from pathlib import Path

PLACEHOLDER = "你"  # upstream's way of marking a value that nobody has filled in yet


class ConfigError(Exception):
    """The configuration does not let the server run."""


@dataclass(frozen=True)
class ManagerApi:
    url: str
    secret: str


def read_yaml(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        message = f"{path.name} cannot be read: {error}"
        raise ConfigError(message) from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        message = f"{path.name} is not a mapping"
        raise ConfigError(message)
    return content


def merge(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Both mappings as one; where they disagree, `above` wins, key by key at every depth."""
    merged = dict(below)
    for key, value in above.items():
        former = merged.get(key)
        merged[key] = merge(former, value) if isinstance(former, dict) and isinstance(value, dict) else value
    return merged


def load_config(root: Path) -> dict[str, Any]:
    return merge(read_yaml(root / "config.yaml"), read_yaml(root / "data" / ".config.yaml"))


def manager_api(config: dict[str, Any]) -> ManagerApi | None:
    """Where manager-api is and what it is shown; None in single mode.

    Raises ConfigError where there is a url and no secret: a server that ran without one would serve nobody.
    """
    section = config.get("manager-api") or {}
    url = str(section.get("url") or "")
    if not url:
        return None
    secret = str(section.get("secret") or "")
    if not secret or PLACEHOLDER in secret:
        message = (
            "data/.config.yaml names manager-api.url but no manager-api.secret; "
            "copy the value of server.secret in table sys_params there, then start the server again"
        )
        raise ConfigError(message)
    return ManagerApi(url=url.rstrip("/"), secret=secret)
