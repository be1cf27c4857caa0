"""What can be chosen for a whole run of the tests."""

from collections.abc import Iterator

import pytest
import structlog
from hypothesis import settings

from streams.local_kafka.kafka_jars import KAFKA_VERSION

# How long an example takes says more of the machine than of the code.
settings.register_profile("g9603", deadline=None)
settings.load_profile("g9603")


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--kafka 3.9.2``: run the tests that need a broker against another Kafka than usual; ``--crds``: see there."""
    parser.addoption("--kafka", default=KAFKA_VERSION, help="the Kafka to run the tests against")
    parser.addoption("--crds", help="a folder of definitions to hold the chart's custom resources against")


@pytest.fixture(autouse=True)
def logs_of_its_own() -> Iterator[None]:
    """A command that ran inside a test has set up logs on that test's own standard error: nobody else's."""
    yield
    structlog.reset_defaults()
