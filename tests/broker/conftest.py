"""A real Kafka for the tests in this folder: one for the session, and names of its own for each test."""

import itertools
import re
from collections.abc import Iterator

import pytest

from streams.kafka.kafka_jars import SUPPORTED_KAFKA_VERSIONS
from streams.kafka.local_broker import LocalKafka

_counter = itertools.count(1)


@pytest.fixture(scope="session")
def kafka(pytestconfig: pytest.Config) -> Iterator[LocalKafka]:
    """A Kafka that answers; a test that stops or freezes it leaves it answering."""
    with LocalKafka(version=pytestconfig.getoption("--kafka")) as broker:
        yield broker


@pytest.fixture(scope="module", params=SUPPORTED_KAFKA_VERSIONS)
def each_kafka(request: pytest.FixtureRequest) -> Iterator[LocalKafka]:
    """One after the other, a Kafka of every version that we hold ourselves to, for what must be seen on each."""
    if request.param == request.config.getoption("--kafka"):
        yield request.getfixturevalue("kafka")
        return
    with LocalKafka(version=request.param) as broker:
        yield broker


@pytest.fixture
def fresh_prefix(request: pytest.FixtureRequest) -> str:
    """A beginning for names of topics, groups and transactional ids, which no other test uses."""
    test = re.sub(r"[^a-zA-Z0-9]+", "-", request.node.name)[:60]
    return f"{test}-{next(_counter)}-"
