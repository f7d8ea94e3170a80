# The model files: read once at the start, looked at again by /health.
from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class ModelError(Exception):
    """A model file is missing or is not what it should be."""


def read_models(root: Path, names: Sequence[str]) -> dict[str, str]:
    """Path and sha256 of every model file. Raises ModelError for one that cannot be read or is empty."""
    digests = {}
    for name in names:
        try:
            content = (root / name).read_bytes()
        except OSError as error:
            message = f"{name} cannot be read: {error.strerror}"
            raise ModelError(message) from error
        if not content:
            message = f"{name} is empty"
            raise ModelError(message)
        digests[name] = hashlib.sha256(content).hexdigest()
    return digests


def load_weights(folder: Path) -> Sequence[float]:
    """What one pair of letters counts for, by bucket; little-endian float32 as configuration.json says."""
    try:
        facts: dict[str, Any] = json.loads((folder / "configuration.json").read_text(encoding="utf-8"))
        weights = np.fromfile(folder / facts["model"], dtype="<f4")
    except (OSError, ValueError, KeyError) as error:
        message = f"{folder.name}: {error}"
        raise ModelError(message) from error
    if weights.shape != (facts["buckets"],) or not np.isfinite(weights).all():
        message = f"{folder.name}/{facts['model']} does not hold {facts['buckets']} weights"
        raise ModelError(message)
    return [float(weight) for weight in weights]
