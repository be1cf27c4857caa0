"""Real Kafkas for the tests in this folder: an open one for the session, a secured one for a module; fresh names."""

import asyncio
import itertools
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from streams.local_kafka.kafka_jars import SUPPORTED_KAFKA_VERSIONS
from streams.local_kafka.local_broker import LocalKafka
from tests.fleet import Fleet
from tests.secured_kafka import SecuredKafka

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


@pytest.fixture(scope="module")
def secured_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredKafka]:
    """A Kafka with its door shut."""
    with SecuredKafka(tmp_path_factory.mktemp("secured")) as broker:
        yield broker


@pytest.fixture
async def fleet(kafka: LocalKafka, fresh_prefix: str, tmp_path: Path) -> AsyncIterator[Fleet]:
    """An application of its own, with its topics; its workers end with the test."""
    fleet = Fleet(kafka, fresh_prefix, tmp_path)
    await fleet.create_topics()
    yield fleet
    await asyncio.to_thread(fleet.stop_all)


@pytest.fixture
def fresh_prefix(request: pytest.FixtureRequest) -> str:
    """A beginning for names of topics, groups and transactional ids, which no other test uses."""
    test = re.sub(r"[^a-zA-Z0-9]+", "-", request.node.name)[:60]
    return f"{test}-{next(_counter)}-"
