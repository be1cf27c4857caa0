"""What every simulated run needs."""

from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """The workers' log goes nowhere: a run is told by its timeline."""
    with structlog.testing.capture_logs():
        yield
