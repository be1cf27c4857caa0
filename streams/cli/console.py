"""How commands speak: results on standard output, everything else on standard error."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path
from typing import Any, NoReturn

import orjson
import typer
from aiokafka.errors import KafkaError
from rich.console import Console
from rich.markup import escape

from streams.kafka.broker_access import (
    AccessDeniedError,
    BrokerNotTrustedError,
    BrokerUnreachableError,
    is_denial,
)
from streams.kafka.credentials import CredentialsRefusedError
from streams.kafka.provisioning import TopicsMissingError
from streams.policies.policy_file import PolicyRefusedError
from streams.processing.changelog import ChangelogFormatError
from streams.processing.encryption import EncryptionError
from streams.processing.encryption_keys import KeysRefusedError
from streams.processing.rekeying import ForeignRecordError
from streams.redaction import told_error
from streams.secret_text import SecretRefusedError
from streams.settings import Settings, SettingsRefusedError, load_settings
from streams.web.access import WebRefusedError
from streams.worker.ending import EXIT_DENIED, EXIT_DOUBT, EXIT_REFUSED
from streams.worker.refusal import RefusedError

out = Console()
err = Console(stderr=True)


class ExitCode(IntEnum):
    """What a script can learn from the exit code; the larger numbers are those of sysexits.h."""

    DONE = 0
    FAILED = 1
    """It worked, and the answer is bad: records were refused, the recount disagrees, nothing was found."""
    USAGE = 2
    BAD_INPUT = 65
    UNAVAILABLE = 69
    """No broker answers."""
    DOUBT = EXIT_DOUBT
    """A worker stopped because going on was not safe: start it again."""
    DENIED = EXIT_DENIED
    """The brokers do not let us in, or a right is missing."""
    MISCONFIGURED = EXIT_REFUSED


def print_json(value: Any) -> None:  # noqa: ANN401 - any JSON value
    """One JSON document on standard output."""
    out.file.write(orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode())


def write_document(path: Path, text: str, *, private: bool = False) -> None:
    """Write *text* to *path*, or end with a sentence; where it is *private*, only for its owner."""
    try:
        if private:
            path.touch(mode=0o600)
            path.chmod(0o600)
        path.write_text(text, "utf-8")
    except OSError as error:
        fail(f"{path} cannot be written ({error.strerror}): name a file in a folder that is there.", ExitCode.USAGE)
    err.print(f"wrote {path}", highlight=False, soft_wrap=True, markup=False)


def fail(sentence: str, code: ExitCode) -> NoReturn:
    """End with *sentence* on standard error."""
    for line in sentence.splitlines():
        err.print(f"[bold red]g9603:[/] {escape(line)}", highlight=False, soft_wrap=True)
    raise typer.Exit(code)


_MISCONFIGURED = (
    ChangelogFormatError,
    RefusedError,
    SettingsRefusedError,
    SecretRefusedError,
    KeysRefusedError,
    WebRefusedError,
    PolicyRefusedError,
    CredentialsRefusedError,
    BrokerNotTrustedError,
    TopicsMissingError,
    EncryptionError,
    ForeignRecordError,
)


@contextmanager
def refusals() -> Iterator[None]:
    """Turn what our own parts refuse into a sentence and an exit code."""
    try:
        yield
    except BrokerUnreachableError as error:
        fail(str(error), ExitCode.UNAVAILABLE)
    except AccessDeniedError as error:
        fail(str(error), ExitCode.DENIED)
    except _MISCONFIGURED as error:
        fail(str(error), ExitCode.MISCONFIGURED)
    except KafkaError as error:  # of a broker that goes while it is asked
        code = ExitCode.DENIED if is_denial(error) else ExitCode.UNAVAILABLE
        fail(f"The brokers do not do what they are asked ({told_error(error)}). Try again when all are up.", code)


def settings_of_environment() -> Settings:
    """The settings, or the end of the command with a sentence."""
    with refusals():
        return load_settings()
