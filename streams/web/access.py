"""Who may ask? On loopback whoever is on the machine; from beyond it only over TLS, or who knows the token."""

import base64
import binascii
import hmac
import ipaddress
import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit

from streams.secret_text import read_secret
from streams.settings import PREFIX, Settings

_TOKEN_BYTES_MIN = 16
_LOCALHOST = "localhost"


class WebRefusedError(Exception):
    """The pages cannot be served as the settings say; the message says what to do."""


@dataclass(frozen=True, slots=True)
class WebAccess:
    """Where the pages are, and what who asks must bring."""

    host: str
    port: int
    token: bytes | None
    tls: ssl.SSLContext | None

    def admits(self, authorization: str | None) -> bool:
        """Whether the header ``Authorization`` holds the token, where there is one; in constant time.

        A program sends it as a bearer token (RFC 6750), a browser as the password of any name (RFC 7617): it asks
        its user once, and then sends it with all that the page asks for.
        """
        if self.token is None:
            return True
        return hmac.compare_digest(_given(authorization or ""), self.token)

    def answers_to(self, host: str | None) -> bool:
        """Whether a request for *host* is meant for these pages.

        A page from elsewhere, open in a browser on this machine, could give its own name the address of
        loopback and read what is there. Its requests still say its name.
        """
        if self.token is not None or not is_loopback(self.host):
            return True
        try:
            name = urlsplit(f"//{host or ''}").hostname
        except ValueError:
            return False
        return name is not None and is_loopback(name)


def _given(authorization: str) -> bytes:
    scheme, _, credentials = authorization.partition(" ")
    told = credentials.encode("utf-8", "surrogateescape")
    if scheme.lower() != "basic":
        return told if scheme.lower() == "bearer" else b""
    try:
        return base64.b64decode(told, validate=True).partition(b":")[2]
    except binascii.Error:
        return b""


def web_access(settings: Settings) -> WebAccess | None:
    """How the pages of *settings* may be asked for; None where there are none.

    Raises:
        WebRefusedError: They would be open to the network, or TLS cannot be had.
        SecretRefusedError: The token cannot be used.
    """
    if settings.web_port == 0:
        return None
    name = f"{PREFIX}WEB_TOKEN"
    token = read_secret(name, settings.web_token, settings.web_token_file, bytes_min=_TOKEN_BYTES_MIN)
    tls = _tls(settings)
    if token is None and tls is None and not is_loopback(settings.web_host):
        message = (
            f"{PREFIX}WEB_HOST={settings.web_host} would open the worker's pages to the network. Give them a "
            f"certificate ({PREFIX}WEB_TLS_CERTIFICATE_FILE and {PREFIX}WEB_TLS_KEY_FILE) or a token "
            f"({PREFIX}WEB_TOKEN_FILE), leave them on 127.0.0.1, or set {PREFIX}WEB_PORT=0 for none."
        )
        raise WebRefusedError(message)
    return WebAccess(settings.web_host, settings.web_port, token, tls)


def is_loopback(host: str) -> bool:
    """Whether *host* is this machine alone; a name that would have to be looked up is not."""
    if host == _LOCALHOST:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _tls(settings: Settings) -> ssl.SSLContext | None:
    certificate, key = settings.web_tls_certificate_file, settings.web_tls_key_file
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        message = f"{PREFIX}WEB_TLS_CERTIFICATE_FILE and {PREFIX}WEB_TLS_KEY_FILE belong together: set both."
        raise WebRefusedError(message)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, key, password=_no_password)
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or "it has a password"
        message = f"The certificate {certificate} and the key {key} cannot be used for TLS: {reason}."
        raise WebRefusedError(message) from None
    return context


def _no_password() -> str:
    # Without this OpenSSL would ask at the terminal, and the worker wait for ever.
    message = "The key has a password."
    raise ValueError(message)
