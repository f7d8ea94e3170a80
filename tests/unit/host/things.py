"""A bundle and a host as values, for tests of what is decided on them."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from offline.bundle import layout
from offline.bundle.contents import File
from offline.host.bundle import Bundle, parse
from offline.host.facts import HostFacts

BASE, APP, WEB = ("sha256:" + letter * 64 for letter in "123")
BIG_BASE, BIG_APP, BIG_WEB = ("sha256:" + letter * 64 for letter in "abc")
MODEL = hashlib.sha256(b"model").hexdigest()

FACTS = f"""format\t1
stack\tmini
bundle\tmini
id\t20261123-220000
platform\tlinux/amd64
root\t/opt/mini
image\tserver\tmini/server:1\t-\tsha256:{"d" * 64}\tsha256:{"e" * 64}
layer\tserver\t0\t{BASE}\t{BIG_BASE}\t5000000
layer\tserver\t1\t{APP}\t{BIG_APP}\t6000000
image\tweb\tmini/web:1\t-\tsha256:{"f" * 64}\tsha256:{"0" * 64}
layer\tweb\t0\t{BASE}\t{BIG_BASE}\t5000000
layer\tweb\t1\t{WEB}\t{BIG_WEB}\t7000000
mode\tsingle\tserver
mode\tall\tweb,server
service\tserver\tserver\tall,single\t10
port\tserver\t8000\t8000\ttcp
port\tserver\t-\t9000\ttcp
probe\tserver\twebsocket\t8000\t/ws/\t200\t-\t-
probe\tserver\thttp\t8000\t/alone\t200\t-\tsingle
probe\tserver\thttp\t9000\t/inside\t200\t-\t-
port\tweb\t8002\t8002\ttcp
probe\tweb\thttp\t8002\t/\t200\t-\t-
mount\tserver\thost\tdata\tshared/data\t/data\t0:0\t0700\t-
mount\tserver\trelease\tmodels\tpayload/server-1/models\t/models\t0:0\t0755\tread_only
"""


def file(size: int, content: str) -> File:
    return File(sha256=hashlib.sha256(content.encode()).hexdigest(), size=size)


def bundle(**more: File) -> Bundle:
    """Two images on one base, a model of 2 MB, two small files."""
    files = {
        layout.SUMS: file(100, "sums"),
        layout.RELEASE: file(3000, "release"),
        "scripts/lib/say.sh": file(2000, "say"),
        "data/config.yaml": file(10, "config"),
        "models/model.pt": File(sha256=MODEL, size=2_000_000),
        **{layout.blob(digest): File(sha256=digest[7:], size=size) for digest, size in _blobs().items()},
        **more,
    }
    return Bundle(archive=Path("mini.tar.gz"), top="mini-20261123-220000", files=files, records=parse(FACTS))


def _blobs() -> dict[str, int]:
    configs = {f"sha256:{letter * 64}": 2000 for letter in "def0"}
    return {BIG_BASE: 5_000_000, BIG_APP: 6_000_000, BIG_WEB: 7_000_000, **configs}


def host(**facts: Any) -> HostFacts:
    return HostFacts(**{"name": "h", "machine": "x86_64", "free": 10**9, "store": "classic", **facts})
