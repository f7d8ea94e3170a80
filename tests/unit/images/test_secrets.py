from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from offline.config.schema import Mirrors
from offline.errors import UsageError
from offline.images import secrets
from tests import builders

if TYPE_CHECKING:
    from pathlib import Path


def exported(*, certificates: bool = True, java: bool = False, **mirrors: str) -> str:
    return secrets.environment(Mirrors(**mirrors), certificates=certificates, java_certificates=java, retries=3)


def test_every_tool_is_told_of_the_certificates() -> None:
    text = exported()
    for name in ("PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "CURL_CA_BUNDLE"):
        assert f"export {name}=/run/secrets/offline_ca\n" in text


def test_without_certificates_nothing_points_to_a_file_that_is_empty() -> None:
    assert "offline_ca" not in exported(certificates=False)


def test_mirrors_are_exported_quoted_and_only_those_that_are_configured() -> None:
    text = exported(pip="https://me:a'b@mirror/simple?x&y", npm="https://npm/")
    assert """export PIP_INDEX_URL='https://me:a'"'"'b@mirror/simple?x&y'\n""" in text
    assert "export NPM_CONFIG_REGISTRY=https://npm/\n" in text
    for word in ("OFFLINE_TORCH_INDEX", "PIP_TRUSTED_HOST", "offline.list", "maven", "keytool"):
        assert word not in text


def test_a_pip_mirror_without_tls_is_named_as_trusted() -> None:
    assert "export PIP_TRUSTED_HOST=mirror\n" in exported(pip="http://mirror:8080/simple")


def test_torch_comes_from_its_own_index() -> None:
    assert "export OFFLINE_TORCH_INDEX=https://torch/cpu\n" in exported(torch="https://torch/cpu")


def test_apt_and_maven_are_told_in_memory_and_leave_no_file_in_a_layer() -> None:
    text = exported(apt="https://mirror/debian", maven="https://mirror/maven?a&b", java=True)
    assert "https://mirror/debian-security" in text
    assert "<url>https://mirror/maven?a&amp;b</url>" in text
    written = [line.rpartition(">")[2].split()[0] for line in text.splitlines() if line.strip().startswith("} >")]
    assert written
    assert all(path.startswith("/dev/shm/") for path in written)  # noqa: S108
    assert "/etc/apt/sources" not in text


def test_the_secret_files_are_for_this_user_alone(tmp_path: Path) -> None:
    certificate = tmp_path / "ca.pem"
    certificate.write_text("PEM\n")
    files = secrets.write(tmp_path / "build", builders.config(tmp_path), {"SSL_CERT_FILE": str(certificate)})
    assert {name: file.stat().st_mode & 0o777 for name, file in files.items()} == {
        "offline_env": 0o600,
        "offline_ca": 0o600,
    }
    assert files["offline_ca"].read_text() == "PEM\n"


def test_named_certificates_are_all_handed_in_and_found_beside_the_configuration(tmp_path: Path) -> None:
    config = builders.config(tmp_path, {"ca_certificates": ["a.pem", "b.pem"]})
    builders.tree(config.source, {"a.pem": "A\n", "b.pem": "B\n"})
    assert secrets.write(tmp_path / "build", config, {})["offline_ca"].read_text() == "A\n\nB\n"


def test_a_named_certificate_that_is_missing_is_refused(tmp_path: Path) -> None:
    config = builders.config(tmp_path, {"ca_certificates": ["a.pem"]})
    with pytest.raises(UsageError, match=r"ca_certificates: .*/a\.pem: there is no such file"):
        secrets.certificate_files(config, {})


def test_only_named_certificates_go_to_java(tmp_path: Path) -> None:
    config = builders.config(tmp_path, {"ca_certificates": ["a.pem"]})
    builders.tree(config.source, {"a.pem": "A\n"})
    assert "keytool" in secrets.write(tmp_path / "one", config, {})["offline_env"].read_text()
    automatic = builders.config(tmp_path)
    assert "keytool" not in secrets.write(tmp_path / "two", automatic, {})["offline_env"].read_text()
