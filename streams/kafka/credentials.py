"""How does a client prove who it is, and how does it know that the brokers are ours?"""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import aiokafka.errors as kafka_errors
from aiokafka.abc import AbstractTokenProvider

from streams.kafka.client_credentials import ClientCredentials
from streams.kafka.token_authentication import notice_refused_tokens
from streams.secret_text import SecretRefusedError, read_secret_file, require_private
from streams.settings import SaslMechanism, SecurityProtocol, Settings


class CredentialsRefusedError(kafka_errors.KafkaError):
    """A file of the credentials is missing, open to others, or not what it should be; the message says which.

    To aiokafka it is a connection that could not be made: a token file that is away for a moment, while it is being
    renewed, costs one attempt.
    """


class TokenFile(AbstractTokenProvider):
    """The token for OAUTHBEARER, read anew at each authentication: something else renews the file."""

    source = "in G9603_OAUTH_TOKEN_FILE"

    def __init__(self, path: Path) -> None:
        self._path = path

    async def token(self) -> str:
        """The token of now.

        Raises:
            CredentialsRefusedError: The file is missing, empty, or open to others.
        """
        return _secret("G9603_OAUTH_TOKEN_FILE", self._path)


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
        case SaslMechanism.OAUTHBEARER:
            notice_refused_tokens()
            options["sasl_oauth_token_provider"] = _token_provider(settings)
        case None:
            pass
    return options


def _token_provider(settings: Settings) -> AbstractTokenProvider:
    if settings.oauth_token_file is not None:
        _secret("G9603_OAUTH_TOKEN_FILE", settings.oauth_token_file)
        return TokenFile(settings.oauth_token_file)
    _client_secret(settings)
    return ClientCredentials(
        settings.oauth_token_endpoint or "",
        client_id=settings.oauth_client_id or "",
        secret=partial(_client_secret, settings),
        scope=settings.oauth_scope,
        tls=_trusting("G9603_OAUTH_CA_FILE", settings.oauth_ca_file),
    )


def _client_secret(settings: Settings) -> str:
    if settings.oauth_client_secret_file is not None:
        return _secret("G9603_OAUTH_CLIENT_SECRET_FILE", settings.oauth_client_secret_file)
    return settings.oauth_client_secret.get_secret_value() if settings.oauth_client_secret is not None else ""


def _secret(setting: str, path: Path) -> str:
    with _refusing():
        return read_secret_file(setting, path).decode()


@contextmanager
def _refusing() -> Iterator[None]:
    """Say of a file that is not fit what aiokafka understands."""
    try:
        yield
    except SecretRefusedError as error:
        raise CredentialsRefusedError(str(error)) from None
    except UnicodeDecodeError:
        message = "A file of the credentials is no text in UTF-8: look at the G9603_SASL_ and G9603_OAUTH_ settings."
        raise CredentialsRefusedError(message) from None


def _password(settings: Settings) -> str | None:
    if settings.sasl_password_file is not None:
        return _secret("G9603_SASL_PASSWORD_FILE", settings.sasl_password_file)
    return settings.sasl_password.get_secret_value() if settings.sasl_password is not None else None


def _tls_context(settings: Settings) -> ssl.SSLContext:
    context = _trusting("G9603_TLS_CA_FILE", settings.tls_ca_file)
    if settings.tls_certificate_file is not None:
        _load_certificate(context, settings.tls_certificate_file, settings)
    return context


def _trusting(setting: str, authorities: Path | None) -> ssl.SSLContext:
    """TLS 1.2 or newer; certificates and the names in them are verified."""
    try:
        context = ssl.create_default_context(cafile=authorities)
    except OSError as error:  # ssl.SSLError is one
        message = f"{setting}: {authorities} cannot be read as certificates in PEM ({_reason(error)})."
        raise CredentialsRefusedError(message) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _load_certificate(context: ssl.SSLContext, certificate: Path, settings: Settings) -> None:
    key, setting = settings.tls_key_file, "G9603_TLS_KEY_FILE"
    if key is None:
        key, setting = certificate, "G9603_TLS_CERTIFICATE_FILE"
    with _refusing():
        require_private(setting, key)
    password_file = settings.tls_key_password_file
    # Without a password OpenSSL would ask for one at the terminal.
    password = _secret("G9603_TLS_KEY_PASSWORD_FILE", password_file) if password_file is not None else ""
    try:
        context.load_cert_chain(certificate, key, password)
    except OSError as error:
        message = (
            f"{certificate} and {key} are not a certificate and its key in PEM, or the key is encrypted and "
            f"G9603_TLS_KEY_PASSWORD_FILE does not hold its password ({_reason(error)})."
        )
        raise CredentialsRefusedError(message) from error


def _reason(error: OSError) -> str:
    """In words, without the file's content."""
    if isinstance(error, ssl.SSLError):
        return (error.reason or "no PEM").replace("_", " ").lower()
    return (error.strerror or "no such file").lower()
