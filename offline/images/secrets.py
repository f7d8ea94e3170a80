"""What a build may see and must not keep: mirrors, certificates, and where to find them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from offline.errors import UsageError
from offline.paths import write_text
from offline.templates import render

if TYPE_CHECKING:
    from collections.abc import Mapping

    from offline.config.load import Config
    from offline.config.schema import Mirrors

_CA = "/run/secrets/offline_ca"
_CA_VARIABLES = (
    "SSL_CERT_FILE",
    "PIP_CERT",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "GIT_SSL_CAINFO",
    "NODE_EXTRA_CA_CERTS",
    "NPM_CONFIG_CAFILE",
)
_SYSTEM_STORES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)


def environment(mirrors: Mirrors, *, certificates: bool, java_certificates: bool, retries: int) -> str:
    """The shell snippet that every RUN reads first; it exports mirrors and certificates for that RUN only."""
    variables = {"PIP_RETRIES": str(retries), "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_ROOT_USER_ACTION": "ignore"}
    if certificates:
        variables |= dict.fromkeys(_CA_VARIABLES, _CA)
    optional = {
        "PIP_INDEX_URL": mirrors.pip,
        "PIP_TRUSTED_HOST": _plain_http_host(mirrors.pip),
        "OFFLINE_TORCH_INDEX": mirrors.torch,
        "NPM_CONFIG_REGISTRY": mirrors.npm,
    }
    variables |= {name: value for name, value in optional.items() if value}
    return render(
        "build-env.sh.j2",
        variables=dict(sorted(variables.items())),
        apt=mirrors.apt,
        apt_security=mirrors.apt_security or f"{(mirrors.apt or '').rstrip('/')}-security",
        maven=mirrors.maven,
        certificates=java_certificates,
    )


def _plain_http_host(url: str | None) -> str | None:
    """pip wants a host without TLS to be named as trusted."""
    parts = urlsplit(url or "")
    return parts.hostname if parts.scheme == "http" else None


def certificate_files(config: Config, environ: Mapping[str, str]) -> list[Path]:
    """The PEM files to hand to builds; UsageError where a named one is missing."""
    wanted = config.release.ca_certificates
    if wanted == "auto":
        named = environ.get("SSL_CERT_FILE")
        found = [Path(name) for name in ((named, *_SYSTEM_STORES) if named else _SYSTEM_STORES)]
        return [file for file in found if file.is_file()][:1]
    files = [config.beside(name) for name in wanted]
    for file in files:
        if not file.is_file():
            raise UsageError(f"ca_certificates: {file}: there is no such file")
    return files


def write(folder: Path, config: Config, environ: Mapping[str, str] | None = None) -> dict[str, Path]:
    """Write the two secret files of a build, readable by this user alone; by secret id."""
    files = certificate_files(config, os.environ if environ is None else environ)
    snippet, bundle = folder / "offline_env", folder / "offline_ca"
    release = config.release
    text = environment(
        release.mirrors,
        certificates=bool(files),
        # One certificate goes into a Java trust store at a time: named ones do, a whole system store does not.
        java_certificates=release.ca_certificates != "auto",
        retries=release.timeouts.retries,
    )
    write_text(snippet, text, mode=0o600)
    write_text(bundle, "\n".join(file.read_text(encoding="utf-8") for file in files), mode=0o600)
    return {"offline_env": snippet, "offline_ca": bundle}
