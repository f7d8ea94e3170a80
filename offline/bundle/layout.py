"""Every name inside a bundle of format 1, and the records of `scripts/facts.tsv`.

The format for people, and why it is as it is: docs/bundle-format.md. Paths are relative to the one top folder.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

FORMAT = 1
ARCHIVE_SUFFIX = ".tar.gz"

# A bundle cut to a size: `<archive>.001 …`, and beside them what says which parts there are.
PARTS_SUFFIX = ".parts.json"
PARTS_LIST_SUFFIX = ".parts.sha256"
JOIN_SCRIPT = "join.sh"

# What says what the bundle is, and that it is whole.
SUMS = "SHA256SUMS"
RELEASE = "release.json"
FACTS = "scripts/facts.tsv"
OMITTED = "omitted.tsv"

# What people read and run.
README = "README.txt"
MANIFEST_TEXT = "DEPLOYMENT-MANIFEST.txt"
GUIDE_ZH = "离线部署-快速操作指南.md"
GUIDE_EN = "offline-deployment-guide.md"
COMPOSE = "docker-compose-offline.yml"
DEPLOY_SCRIPT = "offline-deploy.sh"
ENGINE_SCRIPT = "install-docker-centos.sh"
SCRIPTS = "scripts"
SCRIPT_LIB = "scripts/lib"
VERIFY_SCRIPT = "scripts/verify.sh"

# The images: an OCI layout and a docker-archive at once, both naming the same blobs.
IMAGES = "images"
OCI_LAYOUT = "images/oci-layout"
INDEX = "images/index.json"
IMAGE_MANIFEST = "images/manifest.json"
BLOBS = "images/blobs/sha256"

# The engine for a bare host, where the bundle brings one.
ENGINE = "engine"
ENGINE_DOCKER = "engine/docker.tgz"
ENGINE_COMPOSE = "engine/docker-compose"
ENGINE_UNIT = "engine/docker.service"

# What the kit itself puts at the top of a bundle: no payload may lie there.
OWN_NAMES = frozenset(
    {
        *(SUMS, RELEASE, OMITTED, README, MANIFEST_TEXT, GUIDE_ZH, GUIDE_EN, COMPOSE, DEPLOY_SCRIPT, ENGINE_SCRIPT),
        *(SCRIPTS, IMAGES, ENGINE),
    }
)

# Without these in SHA256SUMS a bundle is incomplete, a delta too.
REQUIRED = (RELEASE, FACTS, OCI_LAYOUT, INDEX, IMAGE_MANIFEST)

# The records of facts.tsv that say what the bundle is: kind, then its fields in order. `verify` reads these and
# passes over kinds that it does not know, so that a new kind needs no new format number.
RECORDS = {
    "format": ("number",),
    "stack": ("name",),
    "bundle": ("prefix",),
    "id": ("id",),
    "platform": ("platform",),
    "image": ("role", "tag", "familiar", "config", "manifest"),
    "layer": ("role", "number", "diff_id", "digest", "size"),
}
EMPTY_FIELD = "-"

# The kinds of omitted.tsv: a blob by its digest, any other file by its path.
OMITTED_BLOB = "blob"
OMITTED_FILE = "file"

# Where a host keeps the scripts of the releases that it has, below the stack's root.
RELEASES = "releases"


def top_folder(bundle: str, release: str, since: Sequence[str] = ()) -> str:
    """The one folder that a bundle unpacks to: `<bundle>-<id>`, of a delta `<bundle>-<id>-since-<id>…`."""
    return "-".join((bundle, release, *(("since", *since) if since else ())))


def part(archive: str, number: int) -> str:
    """A part of an archive, by its number from 1: `<archive>.001`."""
    return f"{archive}.{number:03d}"


def blob(digest: str) -> str:
    """Where the blob of a digest `sha256:<64 hex>` is."""
    return f"{IMAGES}/{blob_in_images(digest)}"


def blob_in_images(digest: str) -> str:
    """The same as images/manifest.json names it: that file stands in a `docker load` archive of its folder."""
    return f"blobs/sha256/{digest.removeprefix('sha256:')}"
