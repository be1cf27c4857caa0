"""What a command says, and how it ends, where Kafka fails it in a way that is no refusal of ours."""

import pytest
import typer
from aiokafka.errors import GroupAuthorizationFailedError, KafkaError, NodeNotReadyError

from streams.cli.console import ExitCode, refusals
from streams.kafka.credentials import CredentialsRefusedError


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (NodeNotReadyError("node 1"), ExitCode.UNAVAILABLE, "(NodeNotReadyError: node 1). Try again"),
        (GroupAuthorizationFailedError("group"), ExitCode.DENIED, "GroupAuthorizationFailedError"),
        (CredentialsRefusedError("a file"), ExitCode.MISCONFIGURED, "a file"),
    ],
)
def test_an_error_of_kafka(capsys: pytest.CaptureFixture[str], error: KafkaError, code: ExitCode, words: str) -> None:
    """A sentence, and a code after which a supervisor starts a worker again where that may help."""
    with pytest.raises(typer.Exit) as ended, refusals():
        raise error

    assert ended.value.exit_code == code
    assert words in capsys.readouterr().err
