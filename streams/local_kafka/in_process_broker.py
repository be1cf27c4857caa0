"""Runs a stand-in for Kafka inside this process, where there is neither Java nor a Kafka to use.

It is the mock cluster that librdkafka brings for its own tests.  It speaks enough of the protocol for the
worker, group and transactions included, and needs nothing but a wheel from pip.
"""

from collections.abc import Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from confluent_kafka import Producer

CANNOT_SHOW = (
    "This broker is a stand-in inside the process: it keeps nothing when the process ends, forgets all but "
    "the newest megabytes of a partition, and shows the records of aborted transactions to read_committed "
    "readers, so it proves nothing about exactly-once."
)

PARTITIONS = 4
"""How many partitions each topic has: the mock cluster's own number, which no setting changes."""

_ANSWER_SECONDS_MAX = 10.0
_LOG_ERRORS_ONLY = 3  # of syslog's levels


class InProcessBrokerUnavailableError(Exception):
    """The package with the in-process broker is not installed; the message says what to do."""


class InProcessBroker:
    """A stand-in for Kafka in this process, for as long as the context lasts; see `CANNOT_SHOW`.

    Raises:
        InProcessBrokerUnavailableError: On entry, where confluent-kafka is not installed.
    """

    def __init__(self) -> None:
        self._owner: Producer | None = None
        self._bootstrap_servers = ""

    def __enter__(self) -> Self:
        try:
            from confluent_kafka import Producer  # noqa: PLC0415 - an extra, needed by nobody else
        except ImportError as error:
            message = "The in-process broker is an extra: install it with `pip install 'g9603[demo]'`."
            raise InProcessBrokerUnavailableError(message) from error
        # The cluster belongs to this client, and lives as long.
        self._owner = Producer({"test.mock.num.brokers": 1, "log_level": _LOG_ERRORS_ONLY})
        brokers = self._owner.list_topics(timeout=_ANSWER_SECONDS_MAX).brokers.values()
        self._bootstrap_servers = ",".join(f"{broker.host}:{broker.port}" for broker in brokers)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._owner = None

    @property
    def bootstrap_servers(self) -> str:
        """Where clients connect; empty until the context is entered."""
        return self._bootstrap_servers

    def ensure_topics(self, names: Iterable[str]) -> None:
        """Have the topics *names* exist, with `PARTITIONS` partitions each.

        The mock cluster has no request to create a topic: to ask for one is to create it.
        """
        if self._owner is not None:
            for name in names:
                self._owner.list_topics(name, timeout=_ANSWER_SECONDS_MAX)
