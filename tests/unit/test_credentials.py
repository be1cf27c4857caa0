"""Files with secrets and certificates: which are taken, and in which words the others are refused."""

import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from streams.kafka.credentials import CredentialsRefusedError, TokenFile, security_options
from streams.settings import Settings
from tests.certificates import Authority
from tests.secret_files import secret_file


async def test_a_token_is_read_anew_each_time(tmp_path: Path) -> None:
    """What a sidecar has renewed counts at the next connection."""
    path = secret_file(tmp_path, "first")
    tokens = TokenFile(path)
    before = await tokens.token()
    path.write_text("second")

    assert (before, await tokens.token()) == ("first", "second")


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """An authority of its own."""
    return Authority(tmp_path / "authority")


def test_tls_verifies_the_brokers_and_is_not_old(authority: Authority) -> None:
    """Certificate and name are verified against the authority named, and no other; TLS is 1.2 or newer."""
    context = security_options(Settings(security_protocol="SSL", tls_ca_file=authority.ca_file))["ssl_context"]

    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert len(context.get_ca_certs()) == 1


@pytest.mark.parametrize("password", ["", "of-the-key"])
def test_a_certificate_and_its_key_are_taken(authority: Authority, tmp_path: Path, password: str) -> None:
    """With an encrypted key, too."""
    files = authority.issue("worker", key_password=password.encode())
    told: dict[str, Any] = {"tls_certificate_file": files.certificate, "tls_key_file": files.key}
    if password:
        told["tls_key_password_file"] = secret_file(tmp_path, password)

    assert "ssl_context" in security_options(Settings(security_protocol="SSL", **told))


def _nowhere(told: dict[str, Any], folder: Path) -> None:
    told["tls_ca_file"] = folder / "nowhere"


def _no_certificates(told: dict[str, Any], folder: Path) -> None:
    told["tls_ca_file"] = secret_file(folder, "no PEM")


def _another_key(told: dict[str, Any], folder: Path) -> None:
    told["tls_key_file"] = Authority(folder / "other").issue("other").key


def _no_password(told: dict[str, Any], folder: Path) -> None:
    told["tls_key_file"] = Authority(folder / "other").issue("other", key_password=b"of-the-key").key


def _key_for_everybody(told: dict[str, Any], folder: Path) -> None:
    del folder
    told["tls_key_file"].chmod(0o644)


def _key_beside_certificate_for_everybody(told: dict[str, Any], folder: Path) -> None:
    both = secret_file(folder, told["tls_certificate_file"].read_text() + told.pop("tls_key_file").read_text(), 0o644)
    told["tls_certificate_file"] = both


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_nowhere, "G9603_TLS_CA_FILE: .*nowhere cannot be read as certificates"),
        (_no_certificates, "G9603_TLS_CA_FILE: .*cannot be read as certificates"),
        (_another_key, "are not a certificate and its key"),
        (_no_password, "the key is encrypted"),
        (_key_for_everybody, "G9603_TLS_KEY_FILE: everybody"),
        (_key_beside_certificate_for_everybody, "G9603_TLS_CERTIFICATE_FILE: everybody"),
    ],
)
def test_files_that_are_not_fit_are_refused(
    authority: Authority, tmp_path: Path, spoil: Callable[[dict[str, Any], Path], None], words: str
) -> None:
    """The sentence names the setting and the file, and no command waits for a password at the terminal."""
    files = authority.issue("worker")
    told: dict[str, Any] = {
        "tls_ca_file": authority.ca_file,
        "tls_certificate_file": files.certificate,
        "tls_key_file": files.key,
    }
    spoil(told, tmp_path)

    with pytest.raises(CredentialsRefusedError, match=words):
        security_options(Settings(security_protocol="SSL", **told))
