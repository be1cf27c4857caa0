"""What can be chosen for a whole run of the tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import settings

from streams.local_kafka.kafka_jars import KAFKA_VERSION

# How long an example takes says more of the machine than of the code.
settings.register_profile("g9603", deadline=None)
settings.load_profile("g9603")


_LONGEST = Path(__file__).parent / "chaos" / "test_subset.py"


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--kafka 3.9.2``: run the tests that need a broker against another Kafka than usual; ``--crds``: see there."""
    parser.addoption("--kafka", default=KAFKA_VERSION, help="the Kafka to run the tests against")
    parser.addoption("--crds", help="a folder of definitions to hold the chart's custom resources against")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first: begun last, it would keep everybody waiting for it alone."""
    items.sort(key=lambda item: item.path != _LONGEST)


@pytest.fixture(autouse=True)
def logs_of_its_own() -> Iterator[None]:
    """A command that ran inside a test has set up logs on that test's own standard error: nobody else's."""
    yield
    structlog.reset_defaults()
