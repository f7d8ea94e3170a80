"""`scripts/facts.tsv`: what the host scripts need of release.json, for a bash that has no JSON. Pure.

The first seven record kinds are those that `verify` reads (bundle.layout.RECORDS); the others are for the deploy. An
empty field is `-`; lists within a field are joined by commas.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from offline.bundle import layout, manifest
from offline.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from offline.bundle.manifest import ReleaseFacts
    from offline.config.schema import Probe

Record = tuple[str, ...]


def render(facts: ReleaseFacts) -> bytes:
    """The whole file. UsageError for a value that no line of it can hold."""
    return "".join(f"{_line(record)}\n" for record in records(facts)).encode()


def records(facts: ReleaseFacts) -> Iterator[Record]:
    """All records in the order of the file."""
    release = facts.release
    yield ("format", str(layout.FORMAT))
    yield ("stack", release.stack)
    yield ("bundle", release.bundle)
    yield ("id", facts.id)
    yield ("platform", release.platform)
    for image in facts.images:
        yield ("image", image.role, image.tag, image.familiar or "", image.stored.config, image.stored.manifest)
        for number, layer in enumerate(image.stored.layers):
            yield ("layer", image.role, str(number), layer.diff_id, layer.digest, str(layer.size))
    for diff_id, size in manifest.raw_sizes(facts).items():
        yield ("raw", diff_id, str(size))
    for mode, services in facts.modes.items():
        yield ("mode", mode, ",".join(services))
    for name in facts.services:
        yield from _service(facts, name)
    for mount in facts.mounts:
        flags = [flag for flag in ("read_only", "hot", "single") if getattr(mount, flag)]
        where = (mount.bundle, mount.source, mount.target)
        yield ("mount", mount.service, mount.owner, *where, mount.user, mount.mode, ",".join(flags), mount.backup)
    yield from _host(facts)


def _service(facts: ReleaseFacts, name: str) -> Iterator[Record]:
    service = facts.release.services[name]
    yield ("service", name, service.image, ",".join(service.modes), str(service.stop_grace))
    for port in service.ports:
        numbers, _, protocol = port.partition("/")
        host, colon, container = numbers.partition(":")
        yield ("port", name, host if colon else "", container or host, protocol or "tcp")
    for probe in service.probes:
        yield ("probe", name, *_probe(probe))
    if service.version_probe:
        yield ("version_probe", name, *_probe(service.version_probe))


def _probe(probe: Probe) -> Record:
    return (probe.type, str(probe.port), probe.path, str(probe.status), probe.contains, ",".join(probe.modes))


def _host(facts: ReleaseFacts) -> Iterator[Record]:
    release = facts.release
    for name, data in release.data.items():
        if data.service in facts.services:
            yield ("data", name, data.service, data.family, data.series, data.folder)
    for secret in manifest.used_secrets(facts):
        yield ("secret", secret)
    for value in manifest.first_runs(facts):
        yield ("first_run", value.after, value.query_in, value.file, value.key, value.before, *value.query)
        for key, text in value.also.items():
            yield ("first_run_also", value.file, key, text)
    yield ("subnet", release.network.subnet)
    yield ("root", release.host.root)
    yield ("minimum_engine", release.host.minimum_engine)
    yield ("memory", release.host.memory)
    yield ("cpus", str(release.host.cpus))
    yield ("cpu_level", release.host.cpu_level)
    yield ("start_limit", str(release.host.start_limit))
    yield ("disk", str(manifest.disk_need(facts)))
    if release.engine:
        yield ("engine", release.engine.version, release.engine.compose_version)
    for file in facts.engine:
        yield ("engine_file", file.name.rpartition("/")[2], file.sha256)


def _line(record: Iterable[str]) -> str:
    fields = [field or layout.EMPTY_FIELD for field in record]
    for field in fields:
        if any(character in field for character in "\t\n\r\0"):
            raise UsageError(f"{field!r}: a value for the host scripts cannot hold a tab or a line end")
    return "\t".join(fields)
