"""Certificates for tests: an authority of ours, and what it signs, as files."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)


class CertificateFiles(NamedTuple):
    """A certificate and its key."""

    certificate: Path
    key: Path


class Authority:
    """A certificate authority that lives as long as a test.

    Args:
        folder: Where it puts its files.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._authority = trustme.CA()
        self.ca_file = folder / "ca.pem"
        self._authority.cert_pem.write_to_path(self.ca_file)

    def issue(
        self, name: str, *hosts: str, valid_for: timedelta = timedelta(days=1), key_password: bytes = b""
    ) -> CertificateFiles:
        """A certificate of *name*, for servers at *hosts* and for clients; it runs out *valid_for* from now.

        It takes the place of an earlier one of that name.
        """
        now = datetime.now(UTC)
        signed = self._authority.issue_cert(
            *(hosts or (f"{name}.test",)),
            common_name=name,
            not_before=now - timedelta(days=2),
            not_after=now + valid_for,
        )
        files = CertificateFiles(self._folder / f"{name}.pem", self._folder / f"{name}.key")
        files.certificate.write_bytes(b"".join(blob.bytes() for blob in signed.cert_chain_pems))
        files.key.touch(mode=0o600)
        key = load_pem_private_key(signed.private_key_pem.bytes(), password=None)
        encryption = BestAvailableEncryption(key_password) if key_password else NoEncryption()
        files.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption))  # Java reads no other
        return files
