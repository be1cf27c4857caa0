"""Does a broker let us in, and if not, why?

aiokafka says of a connection that failed only that it failed, and tries again for ever. So a client asks here before it
connects: one connection more, of which every fault is looked at.
"""

import asyncio
import ssl
from collections.abc import Mapping
from typing import Any

import aiokafka.errors as kafka_errors
from aiokafka.conn import AIOKafkaConnection, collect_hosts
from aiokafka.protocol.metadata import MetadataRequest

from streams.kafka.client_credentials import TokenDeniedError, TokenEndpointSilentError
from streams.kafka.connection import client_options
from streams.kafka.credentials import CredentialsRefusedError
from streams.redaction import causes

_ANSWER_SECONDS_MAX = 10.0
_CLOSED_SECONDS_MAX = 1.0

# What OpenSSL says of a broker's certificate (X509_V_ERR_…), and of a broker that hangs up on ours (RFC 8446, 6.2).
_EXPIRED = 10
_NAME_MISMATCHES = (62, 64)
_NOT_ACCEPTED = {
    "SSLV3_ALERT_BAD_CERTIFICATE",
    "SSLV3_ALERT_CERTIFICATE_EXPIRED",
    "SSLV3_ALERT_CERTIFICATE_REVOKED",
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN",
    "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE",
    "TLSV13_ALERT_CERTIFICATE_REQUIRED",
    "TLSV1_ALERT_ACCESS_DENIED",
    "TLSV1_ALERT_UNKNOWN_CA",
}


class BrokerUnreachableError(Exception):
    """No broker answers, or nobody gives us what to show to one; the message says where that was looked for."""


class AccessDeniedError(Exception):
    """The brokers do not let us in, or not do what we must; the message says what to ask for."""


class BrokerNotTrustedError(Exception):
    """What answers is not the broker that the settings describe; the message says what to look at."""


_DENIALS = (
    AccessDeniedError,
    kafka_errors.ClusterAuthorizationFailedError,
    kafka_errors.GroupAuthorizationFailedError,
    kafka_errors.SaslAuthenticationFailed,
    kafka_errors.TopicAuthorizationFailedError,
    kafka_errors.TransactionalIdAuthorizationFailed,
)

ConnectionFailure = BrokerUnreachableError | AccessDeniedError | BrokerNotTrustedError | CredentialsRefusedError


async def ensure_access(connection: Mapping[str, Any]) -> None:
    """Return where a broker lets us in.

    Args:
        connection: Options of an aiokafka client.

    Raises:
        BrokerUnreachableError: No broker answers.
        AccessDeniedError: One does not know us.
        BrokerNotTrustedError: What answers cannot be trusted, or is met in the wrong way.
        CredentialsRefusedError: The token's file is gone, or not fit.
    """
    silent = unreachable(connection["bootstrap_servers"])
    for host, port, _family in collect_hosts(connection["bootstrap_servers"], randomize=False):
        try:
            await _connect(connection, host, port)
        except (OSError, kafka_errors.KafkaError) as error:  # TimeoutError is an OSError
            failure = _failure(connection, f"{host}:{port}", error)
            if not isinstance(failure, BrokerUnreachableError):
                raise failure from error
            silent = failure
        else:
            return
    raise silent


def unreachable(bootstrap_servers: str, hint: str = "") -> BrokerUnreachableError:
    """The error for brokers that do not answer."""
    return BrokerUnreachableError(
        f"No Kafka broker answers at {bootstrap_servers}.{hint} Start one, or set G9603_BOOTSTRAP_SERVERS to where "
        "yours are; `g9603 demo` brings its own."
    )


def is_denial(error: BaseException) -> bool:
    """Whether *error* is, or was caused by, a broker that denies us access: trying again would not help."""
    return any(isinstance(cause, _DENIALS) for cause in causes(error))


async def _connect(connection: Mapping[str, Any], host: str, port: int) -> None:
    """Connect, authenticate, ask something, and go. What fails is what would fail a client."""
    options = {name: value for name, value in client_options(connection).items() if name != "bootstrap_servers"}
    broker = AIOKafkaConnection(host, port, **options)
    try:
        async with asyncio.timeout(_ANSWER_SECONDS_MAX):
            await broker.connect()
            await broker.send(MetadataRequest([]))
    except OSError:
        broker.close()  # of a connection that never was nobody would say that it is closed
        raise
    except kafka_errors.KafkaError:
        await _closed(broker)
        raise
    await _closed(broker)


async def _closed(broker: AIOKafkaConnection) -> None:
    await asyncio.wait([broker.close()], timeout=_CLOSED_SECONDS_MAX)


def _failure(connection: Mapping[str, Any], server: str, error: BaseException) -> ConnectionFailure:
    """What *error* stands for: the first of what has caused it that says more than that a connection failed."""
    told = (_token_failure(cause) or _failure_told(connection, server, cause) for cause in causes(error))
    return next((failure for failure in told if failure is not None), unreachable(connection["bootstrap_servers"]))


def _token_failure(cause: BaseException) -> ConnectionFailure | None:
    match cause:
        case TokenDeniedError():
            return AccessDeniedError(cause.args[0])  # without its class, which aiokafka's errors put before their text
        case TokenEndpointSilentError():
            return BrokerUnreachableError(cause.args[0])
        case _:
            return None


def _failure_told(connection: Mapping[str, Any], server: str, cause: BaseException) -> ConnectionFailure | None:
    match cause:
        case CredentialsRefusedError():
            return cause
        case ssl.SSLError():
            return _tls_failure(connection, server, cause)
        case kafka_errors.SaslAuthenticationFailed():
            return AccessDeniedError(_not_authenticated(server, connection))
        case kafka_errors.UnsupportedSaslMechanismError():
            return BrokerNotTrustedError(
                f"{server} does not offer {connection['sasl_mechanism']}: set G9603_SASL_MECHANISM to what it does."
            )
        case asyncio.IncompleteReadError() | ConnectionResetError():
            hint = (
                f" {server} hangs up at once: look whether it asks for another G9603_SECURITY_PROTOCOL than "
                f"{connection.get('security_protocol', 'PLAINTEXT')}."
            )
            return unreachable(connection["bootstrap_servers"], hint)
        case _:
            return None


def _tls_failure(connection: Mapping[str, Any], server: str, error: ssl.SSLError) -> ConnectionFailure:
    if isinstance(error, ssl.SSLCertVerificationError):
        return _broker_certificate_failure(server, error)
    if error.reason in _NOT_ACCEPTED:
        return AccessDeniedError(
            f"{server} does not accept our certificate ({_words(error)}): it has expired, or the broker does not know "
            "who has signed it, or there is none. Set G9603_TLS_CERTIFICATE_FILE to one that holds, and start again."
        )
    hint = f" What answers at {server} speaks no TLS of version 1.2 or newer ({_words(error)})."
    return unreachable(connection["bootstrap_servers"], hint)


def _broker_certificate_failure(
    server: str, error: ssl.SSLCertVerificationError
) -> BrokerNotTrustedError | BrokerUnreachableError:
    if error.verify_code in _NAME_MISMATCHES:
        return BrokerNotTrustedError(
            f"The certificate of {server} is for other names. Name the brokers in G9603_BOOTSTRAP_SERVERS as their "
            "certificates do; if you have, somebody else is answering."
        )
    if error.verify_code == _EXPIRED:
        return BrokerUnreachableError(f"The certificate of {server} has expired: have the broker's operator renew it.")
    return BrokerNotTrustedError(
        f"The certificate of {server} is signed by nobody whom we trust ({error.verify_message}): set "
        "G9603_TLS_CA_FILE to the authority of the brokers' certificates."
    )


def _not_authenticated(server: str, connection: Mapping[str, Any]) -> str:
    if "sasl_oauth_token_provider" in connection:
        return (
            f"{server} does not accept the token {connection['sasl_oauth_token_provider'].source}: it has expired, or "
            "is meant for another audience, or another authority has signed it. See that something renews it."
        )
    return (
        f"{server} does not let in {connection['sasl_plain_username']!r}: the user is not known there, or the password "
        "is wrong. Check G9603_SASL_USERNAME and G9603_SASL_PASSWORD_FILE."
    )


def _words(error: ssl.SSLError) -> str:
    return (error.reason or "no reason given").replace("_", " ").lower()
