"""The best broker there is gets chosen, and the user is told which, and why no better one."""

import sys
from pathlib import Path

import pytest

from streams.local_kafka.available_broker import NoBrokerError, available_broker
from streams.local_kafka.in_process_broker import CANNOT_SHOW
from streams.local_kafka.loopback import broker_answers


@pytest.fixture
def no_programs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine with neither Java nor Maven."""
    monkeypatch.setenv("PATH", str(tmp_path))


def port_of(bootstrap_servers: str) -> int:
    return int(bootstrap_servers.rpartition(":")[2])


def test_given_one_is_used() -> None:
    """A Kafka that is named is taken as it is, and nothing is started."""
    said: list[str] = []

    with available_broker("kafka.example:9092", said.append) as broker:
        assert broker.kind == "given"
        assert broker.bootstrap_servers == "kafka.example:9092"
    assert said == []


@pytest.mark.kafka
def test_real_one_is_started_for_the_context() -> None:
    """With Java and Maven it is a real Kafka, which ends with the context."""
    with available_broker(None, lambda _: None) as broker:
        assert broker.kind == "kafka"
        assert broker_answers(port_of(broker.bootstrap_servers))

    assert not broker_answers(port_of(broker.bootstrap_servers))


@pytest.mark.usefixtures("no_programs")
def test_stand_in_where_there_is_no_java() -> None:
    """Without Java it is the stand-in; the user reads why, and what it cannot show."""
    said: list[str] = []

    with available_broker(None, said.append) as broker:
        assert broker.kind == "in-process"
        assert broker.description == CANNOT_SHOW
        assert broker_answers(port_of(broker.bootstrap_servers))
    assert ["no `java` on the PATH" in sentence for sentence in said] == [True]


@pytest.mark.usefixtures("no_programs")
def test_no_broker_at_all_names_every_way_to_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """With nothing to start, the user reads all that would help."""
    monkeypatch.setitem(sys.modules, "confluent_kafka", None)

    with pytest.raises(NoBrokerError) as raised, available_broker(None, lambda _: None):
        pass

    for way in ("Java 17", "G9603_BOOTSTRAP_SERVERS", "pip install 'g9603[demo]'"):
        assert way in str(raised.value)
