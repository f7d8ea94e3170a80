"""The face of the kit: `invoke --list` shows it. No logic here."""

from offline.tasks import namespace

__all__ = ["namespace"]
