"""A real Kafka for the tests in this folder: one for the session, and names of its own for each test."""

import itertools
import re
from collections.abc import Iterator

import pytest

from streams.kafka.local_broker import LocalKafka

_counter = itertools.count(1)


@pytest.fixture(scope="session")
def kafka() -> Iterator[LocalKafka]:
    """A Kafka that answers; a test that stops or freezes it leaves it answering."""
    with LocalKafka() as broker:
        yield broker


@pytest.fixture
def fresh_prefix(request: pytest.FixtureRequest) -> str:
    """A beginning for names of topics, groups and transactional ids, which no other test uses."""
    test = re.sub(r"[^a-zA-Z0-9]+", "-", request.node.name)[:60]
    return f"{test}-{next(_counter)}-"
