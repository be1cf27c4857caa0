"""What can be chosen for a whole run of the tests."""

import pytest

from streams.kafka.kafka_jars import KAFKA_VERSION


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--kafka 3.9.2``: run the tests that need a broker against another Kafka than usual."""
    parser.addoption("--kafka", default=KAFKA_VERSION, help="the Kafka to run the tests against")
