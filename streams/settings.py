"""What the environment says: the only reader of ``G9603_…`` variables."""

import os
from pathlib import Path
from typing import Annotated

import platformdirs
from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "G9603_"


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
    web_token: Annotated[SecretStr | None, Field(description="Who asks must know it; a file is better.")] = None
    web_token_file: Annotated[Path | None, Field(description="Holds that token.")] = None
    web_tls_certificate_file: Annotated[Path | None, Field(description="PEM: the certificate of the pages.")] = None
    web_tls_key_file: Annotated[Path | None, Field(description="PEM: its key.")] = None

    def environment(self) -> dict[str, str]:
        """The variables that say the same to a process of ours, secrets included: never print them."""
        told = self.model_dump(mode="json", exclude_none=True)
        secrets = {name: getattr(self, name) for name in told if isinstance(getattr(self, name), SecretStr)}
        told |= {name: secret.get_secret_value() for name, secret in secrets.items()}
        return {f"{PREFIX}{name.upper()}": str(value) for name, value in told.items() if value != ""}


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
        faults = "; ".join(
            f"{PREFIX}{str(fault['loc'][0]).upper()}: {fault['msg']}" for fault in error.errors(include_input=False)
        )
        raise SettingsRefusedError(faults) from None
