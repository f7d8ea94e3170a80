# Imports every module of a package, which registers the functions in it.
from __future__ import annotations

import pkgutil
from importlib import import_module


def auto_import_modules(package: str) -> tuple[str, ...]:
    """Names of the modules loaded. One that cannot be imported stops the start: half a set of functions is none."""
    names = sorted(f"{package}.{found.name}" for found in pkgutil.iter_modules(import_module(package).__path__))
    for name in names:
        import_module(name)
    return tuple(names)
