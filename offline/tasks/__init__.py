"""Invoke tasks by area, and the one collection that `tasks.py` shows."""

from __future__ import annotations

from invoke.collection import Collection

from offline.tasks import audit, backups, bundles, engine, hosts, hotupdates, images, release, restoring

namespace = Collection()
for _task in (
    release.release,
    release.config,
    audit.audit,
    images.build_base,
    images.build_offline,
    images.build_app,
    bundles.export,
    bundles.package,
    bundles.verify,
    bundles.diff,
    bundles.store_gc,
    engine.fetch_engine,
    hosts.deploy,
    hosts.status,
    hosts.logs,
    hosts.restart,
    hosts.rollback,
    hosts.uninstall,
    backups.backup,
    hotupdates.hot_update,
    restoring.restore,
    restoring.drill,
):
    namespace.add_task(_task)
