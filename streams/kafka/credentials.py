"""How does a client prove who it is, and how does it know that the brokers are ours?"""

import ssl
import stat
from pathlib import Path
from typing import Any

import aiokafka.errors as kafka_errors
from aiokafka.abc import AbstractTokenProvider

from streams.kafka.token_authentication import notice_refused_tokens
from streams.settings import SaslMechanism, SecurityProtocol, Settings

_READABLE_BY_OTHERS = stat.S_IROTH | stat.S_IWOTH
_SECRET_CHARACTERS_MAX = 64 * 1024


class CredentialsRefusedError(kafka_errors.KafkaError):
    """A file of the credentials is missing, open to others, or not what it should be; the message says which.

    To aiokafka it is a connection that could not be made: a token file that is away for a moment, while it is being
    renewed, costs one attempt.
    """


class TokenFile(AbstractTokenProvider):
    """The token for OAUTHBEARER, read anew at each authentication: something else renews the file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def token(self) -> str:
        """The token of now.

        Raises:
            CredentialsRefusedError: The file is missing, empty, or open to others.
        """
        return read_secret(self._path, "G9603_OAUTH_TOKEN_FILE")


def security_options(settings: Settings) -> dict[str, Any]:
    """What an aiokafka client must be given to be let in.

    Raises:
        CredentialsRefusedError: A file is missing, open to others, or not what it should be.
    """
    if settings.security_protocol is SecurityProtocol.PLAINTEXT:
        return {"security_protocol": str(SecurityProtocol.PLAINTEXT)}
    options = {"security_protocol": str(settings.security_protocol), "ssl_context": _tls_context(settings)}
    if settings.sasl_mechanism is not None:
        options["sasl_mechanism"] = str(settings.sasl_mechanism)
    match settings.sasl_mechanism:
        case SaslMechanism.SCRAM_SHA_512:
            options |= {"sasl_plain_username": settings.sasl_username, "sasl_plain_password": _password(settings)}
        case SaslMechanism.OAUTHBEARER if settings.oauth_token_file is not None:
            notice_refused_tokens()
            read_secret(settings.oauth_token_file, "G9603_OAUTH_TOKEN_FILE")
            options["sasl_oauth_token_provider"] = TokenFile(settings.oauth_token_file)
    return options


def read_secret(path: Path, setting: str) -> str:
    """The secret in the file *path*, which *setting* names; space around it is dropped.

    Raises:
        CredentialsRefusedError: It is missing, empty, or open to others.
    """
    check_private(path, setting)
    try:
        with path.open(encoding="utf-8") as file:
            secret = file.read(_SECRET_CHARACTERS_MAX).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise CredentialsRefusedError(_unreadable(path, setting, error)) from error
    if not secret:
        message = f"{setting}: {path} is empty."
        raise CredentialsRefusedError(message)
    return secret


def check_private(path: Path, setting: str) -> None:
    """Refuse a secret that everybody on the machine could read.

    Its group may: that is how an orchestrator hands a secret to a process that is not root.

    Raises:
        CredentialsRefusedError: Others than owner and group may read or write it, or it is not there.
    """
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise CredentialsRefusedError(_unreadable(path, setting, error)) from error
    if mode & _READABLE_BY_OTHERS:
        message = f"{setting}: everybody on this machine may read or change {path}. Take that away: chmod o-rw {path}"
        raise CredentialsRefusedError(message)


def _password(settings: Settings) -> str | None:
    if settings.sasl_password_file is not None:
        return read_secret(settings.sasl_password_file, "G9603_SASL_PASSWORD_FILE")
    return settings.sasl_password.get_secret_value() if settings.sasl_password is not None else None


def _tls_context(settings: Settings) -> ssl.SSLContext:
    """TLS 1.2 or newer; the brokers' certificates and the names in them are verified."""
    try:
        context = ssl.create_default_context(cafile=settings.tls_ca_file)
    except OSError as error:  # ssl.SSLError is one
        path = settings.tls_ca_file
        message = f"G9603_TLS_CA_FILE: {path} cannot be read as certificates in PEM ({_reason(error)})."
        raise CredentialsRefusedError(message) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if settings.tls_certificate_file is not None:
        _load_certificate(context, settings.tls_certificate_file, settings)
    return context


def _load_certificate(context: ssl.SSLContext, certificate: Path, settings: Settings) -> None:
    key, setting = settings.tls_key_file, "G9603_TLS_KEY_FILE"
    if key is None:
        key, setting = certificate, "G9603_TLS_CERTIFICATE_FILE"
    check_private(key, setting)
    password_file = settings.tls_key_password_file
    # Without a password OpenSSL would ask for one at the terminal.
    password = read_secret(password_file, "G9603_TLS_KEY_PASSWORD_FILE") if password_file is not None else ""
    try:
        context.load_cert_chain(certificate, key, password)
    except OSError as error:
        message = (
            f"{certificate} and {key} are not a certificate and its key in PEM, or the key is encrypted and "
            f"G9603_TLS_KEY_PASSWORD_FILE does not hold its password ({_reason(error)})."
        )
        raise CredentialsRefusedError(message) from error


def _unreadable(path: Path, setting: str, error: Exception) -> str:
    return f"{setting}: {path} cannot be read ({_reason(error)})."


def _reason(error: Exception) -> str:
    """In words, without the file's content."""
    if isinstance(error, ssl.SSLError):
        return (error.reason or "no PEM").replace("_", " ").lower()
    if isinstance(error, OSError):
        return (error.strerror or "no such file").lower()
    return "no UTF-8"
