"""What the environment says: the only reader of ``G9603_…`` variables."""

import os
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self

import platformdirs
from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "G9603_"


class SecurityProtocol(StrEnum):
    """What stands between a client and a broker. Kafka's SASL_PLAINTEXT is left out: credentials in the clear."""

    PLAINTEXT = "PLAINTEXT"
    SSL = "SSL"
    SASL_SSL = "SASL_SSL"


class LogFormat(StrEnum):
    """For whom logs are written."""

    AUTO = "auto"
    JSON = "json"
    CONSOLE = "console"


class SaslMechanism(StrEnum):
    """How a client says who it is, where it does not say so by a certificate."""

    SCRAM_SHA_512 = "SCRAM-SHA-512"
    OAUTHBEARER = "OAUTHBEARER"


class SettingsRefusedError(Exception):
    """A setting is unknown or wrong; the message says which, and what it should be."""


class Settings(BaseSettings):
    """The settings of the contract, with their defaults."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore", env_ignore_empty=True)

    bootstrap_servers: Annotated[str, Field(description="The brokers: host:port, separated by commas.")] = (
        "localhost:9092"
    )
    app_id: Annotated[
        str,
        Field(
            pattern=r"^[A-Za-z0-9._-]{1,100}$",
            description="Consumer group, and prefix of internal topics and transactional ids.",
        ),
    ] = "g9603"
    topic_prefix: Annotated[
        str, Field(pattern=r"^[A-Za-z0-9._-]{0,100}$", description="Stands before every topic's name.")
    ] = ""
    policy: Annotated[Path | None, Field(description="A TOML policy; the built-in one where not set.")] = None
    data_dir: Annotated[
        Path,
        Field(
            default_factory=lambda: Path(platformdirs.user_state_dir("g9603")),
            description="Local state; may be deleted at any time while no worker runs.",
        ),
    ]
    check_crcs: Annotated[
        bool, Field(description="Verify the checksum of what is read; false only for the demo's in-process broker.")
    ] = True
    security_protocol: Annotated[
        SecurityProtocol, Field(description="PLAINTEXT, SSL (TLS), or SASL_SSL (credentials over TLS).")
    ] = SecurityProtocol.PLAINTEXT
    tls_ca_file: Annotated[
        Path | None, Field(description="PEM: who signs the brokers' certificates; those that the system trusts.")
    ] = None
    tls_certificate_file: Annotated[Path | None, Field(description="PEM: our certificate, for mutual TLS.")] = None
    tls_key_file: Annotated[
        Path | None, Field(description="PEM: its key; not needed where the certificate's file holds it, too.")
    ] = None
    tls_key_password_file: Annotated[Path | None, Field(description="Holds the password of an encrypted key.")] = None
    sasl_mechanism: Annotated[SaslMechanism | None, Field(description="SCRAM-SHA-512 or OAUTHBEARER.")] = None
    sasl_username: Annotated[str | None, Field(description="For SCRAM-SHA-512.")] = None
    sasl_password: Annotated[SecretStr | None, Field(description="For SCRAM-SHA-512; a file is better.")] = None
    sasl_password_file: Annotated[Path | None, Field(description="Holds the password for SCRAM-SHA-512.")] = None
    oauth_token_file: Annotated[
        Path | None, Field(description="Holds the token for OAUTHBEARER; read anew at each authentication.")
    ] = None
    oauth_token_endpoint: Annotated[
        str | None,
        Field(
            pattern=r"^https://\S+$", description="For OAUTHBEARER: the https URL that gives tokens (RFC 6749, 4.4)."
        ),
    ] = None
    oauth_client_id: Annotated[str | None, Field(description="Who we are there.")] = None
    oauth_client_secret: Annotated[
        SecretStr | None, Field(description="How that is proved to the endpoint; a file is better.")
    ] = None
    oauth_client_secret_file: Annotated[Path | None, Field(description="Holds that secret.")] = None
    oauth_scope: Annotated[str | None, Field(description="What tokens are to be good for, where one must say.")] = None
    oauth_ca_file: Annotated[
        Path | None, Field(description="PEM: who signs the endpoint's certificate; those that the system trusts.")
    ] = None
    leave_group: Annotated[
        bool,
        Field(
            description="Whether SIGTERM gives the worker's partitions to the others at once; false keeps its place "
            "for the session time-out, so that a rolling restart moves nothing."
        ),
    ] = True
    read_on: Annotated[
        str,
        Field(
            pattern=r"^([A-Za-z0-9._-]+-\d+:\d+-\d+(,\s*|$))*$",
            description="Where to go on although records are gone: topic-partition:from-to, separated by commas, as "
            "the worker's refusal says.",
        ),
    ] = ""
    billing_database: Annotated[
        SecretStr | None, Field(description="Of g9603 billing: sqlite:///FILE, or postgresql://USER@HOST/NAME.")
    ] = None
    billing_database_file: Annotated[Path | None, Field(description="Holds that, and a password.")] = None
    encryption_keys: Annotated[
        SecretStr | None, Field(description="Keys that seal episodes and dead letters; a file is better.")
    ] = None
    encryption_keys_file: Annotated[Path | None, Field(description="Holds those keys, a line each: id:base64.")] = None
    follow_traces: Annotated[
        bool, Field(description="Whether coding events continue the traces of the records that cause them.")
    ] = False
    log_format: Annotated[
        LogFormat, Field(description="json, console, or auto: for people where standard error is a terminal.")
    ] = LogFormat.AUTO
    log_hash_key: Annotated[
        SecretStr | None, Field(description="Key of the hashes that logs show in place of ids; a file is better.")
    ] = None
    log_hash_key_file: Annotated[Path | None, Field(description="Holds that key.")] = None
    web_host: Annotated[
        str, Field(description="Where the worker's pages are; beyond this machine only with TLS or a token.")
    ] = "127.0.0.1"
    web_port: Annotated[
        int, Field(ge=0, le=65535, description="Their port, or the next that is free; 0: no pages.")
    ] = 6066
    lag_seconds_high: Annotated[
        float, Field(gt=0, description="From this age of the oldest waiting record on the group counts as behind.")
    ] = 60.0
    ready_lag_seconds: Annotated[
        float | None, Field(gt=0, description="A worker that is further behind is not ready; none: however far.")
    ] = None
    web_token: Annotated[SecretStr | None, Field(description="Who asks must know it; a file is better.")] = None
    web_token_file: Annotated[Path | None, Field(description="Holds that token.")] = None
    web_advertised_url: Annotated[
        str | None,
        Field(
            pattern=r"^https?://[^/?#@\s]+$",
            description="Where other workers reach these pages: http(s)://host:port; by their host and port.",
        ),
    ] = None
    web_tls_ca_file: Annotated[
        Path | None, Field(description="PEM: who signs the certificates of the other workers' pages; the system's.")
    ] = None
    web_tls_certificate_file: Annotated[Path | None, Field(description="PEM: the certificate of the pages.")] = None
    web_tls_key_file: Annotated[Path | None, Field(description="PEM: its key.")] = None

    @model_validator(mode="after")
    def _check_security(self) -> Self:
        faults = list(_security_faults(self))
        if faults:
            raise ValueError(" ".join(faults))
        return self

    def environment(self) -> dict[str, str]:
        """The variables that say the same to a process of ours, secrets included: never print them."""
        told = self.model_dump(mode="json", exclude_none=True)
        secrets = {name: getattr(self, name) for name in told if isinstance(getattr(self, name), SecretStr)}
        told |= {name: secret.get_secret_value() for name, secret in secrets.items()}
        return {f"{PREFIX}{name.upper()}": str(value) for name, value in told.items() if value != ""}


_OF_TLS = ("tls_ca_file", "tls_certificate_file", "tls_key_file", "tls_key_password_file")
_OF_ENDPOINT = (
    "oauth_token_endpoint",
    "oauth_client_id",
    "oauth_client_secret",
    "oauth_client_secret_file",
    "oauth_scope",
    "oauth_ca_file",
)
_OF_SASL = (
    *("sasl_mechanism", "sasl_username", "sasl_password", "sasl_password_file", "oauth_token_file"),
    *_OF_ENDPOINT,
)


def without_security(settings: Settings) -> Settings:
    """*settings*, for brokers that let in everybody."""
    nothing = dict.fromkeys((*_OF_TLS, *_OF_SASL))
    return settings.model_copy(update={**nothing, "security_protocol": SecurityProtocol.PLAINTEXT})


def _security_faults(settings: Settings) -> Iterator[str]:
    """What is wrong with how the brokers are to be met, as sentences."""
    told = {name for name in (*_OF_TLS, *_OF_SASL) if getattr(settings, name) is not None}
    protocol = settings.security_protocol
    if protocol is not SecurityProtocol.SASL_SSL and told & set(_OF_SASL):
        yield (
            f"{_variables(told & set(_OF_SASL))} would send credentials over a connection that is {protocol}: set "
            "G9603_SECURITY_PROTOCOL=SASL_SSL. There is no SASL without TLS."
        )
    if protocol is SecurityProtocol.PLAINTEXT and told & set(_OF_TLS):
        yield (
            f"{_variables(told & set(_OF_TLS))} without TLS would protect nothing: set "
            "G9603_SECURITY_PROTOCOL=SSL or SASL_SSL."
        )
    if settings.tls_certificate_file is None and told & {"tls_key_file", "tls_key_password_file"}:
        yield "A key needs its certificate: set G9603_TLS_CERTIFICATE_FILE."
    if protocol is SecurityProtocol.SASL_SSL:
        yield from _mechanism_faults(settings, told)


def _mechanism_faults(settings: Settings, told: set[str]) -> Iterator[str]:
    passwords = told & {"sasl_password", "sasl_password_file"}
    match settings.sasl_mechanism:
        case None:
            yield "SASL_SSL needs G9603_SASL_MECHANISM: SCRAM-SHA-512 or OAUTHBEARER."
        case SaslMechanism.SCRAM_SHA_512 if "sasl_username" not in told or len(passwords) != 1:
            yield "SCRAM-SHA-512 needs G9603_SASL_USERNAME, and either G9603_SASL_PASSWORD_FILE or G9603_SASL_PASSWORD."
        case SaslMechanism.OAUTHBEARER:
            yield from _token_faults(told)
        case _:
            pass


def _token_faults(told: set[str]) -> Iterator[str]:
    of_endpoint = told & set(_OF_ENDPOINT)
    if ("oauth_token_file" in told) == bool(of_endpoint):
        yield (
            "OAUTHBEARER needs G9603_OAUTH_TOKEN_FILE, a file with the token, which something keeps fresh, or "
            "G9603_OAUTH_TOKEN_ENDPOINT, which gives us one; not both."
        )
    elif of_endpoint and (
        not {"oauth_token_endpoint", "oauth_client_id"} <= told
        or len(told & {"oauth_client_secret", "oauth_client_secret_file"}) != 1
    ):
        yield (
            "A token endpoint needs G9603_OAUTH_TOKEN_ENDPOINT, G9603_OAUTH_CLIENT_ID, and either "
            "G9603_OAUTH_CLIENT_SECRET_FILE or G9603_OAUTH_CLIENT_SECRET."
        )


def _variables(names: set[str]) -> str:
    return ", ".join(sorted(f"{PREFIX}{name.upper()}" for name in names))


def load_settings() -> Settings:
    """The settings of this process's environment.

    Raises:
        SettingsRefusedError: A ``G9603_`` variable is unknown or wrong. A misspelt setting that is quietly
            ignored would be found out much later.
    """
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    unknown = sorted(name for name in os.environ if name.upper().startswith(PREFIX) and name.upper() not in known)
    if unknown:
        message = f"{', '.join(unknown)}: no such setting. The settings are {', '.join(sorted(known))}."
        raise SettingsRefusedError(message)
    try:
        return Settings()
    except ValidationError as error:
        # Without the values: one of them may be a secret.
        faults = error.errors(include_input=False, include_url=False, include_context=False)
        raise SettingsRefusedError("\n".join(_sentence(fault["loc"], fault["msg"]) for fault in faults)) from None


def _sentence(location: tuple[int | str, ...], message: str) -> str:
    sentence = message.removeprefix("Value error, ")
    return f"{PREFIX}{str(location[0]).upper()}: {sentence}" if location else sentence
