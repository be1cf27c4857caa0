"""What does the frame ask of the Kafka that is attacked?"""

from types import TracebackType
from typing import Protocol, Self

from streams.local_kafka.local_broker import LocalKafka


class KafkaUnderTest(Protocol):
    """One Kafka serves a whole run. Its methods block, and return when what they say is true."""

    @property
    def bootstrap_servers(self) -> str:
        """What workers are told: through the proxies, where there are any."""

    @property
    def direct_bootstrap_servers(self) -> str:
        """Past the proxies: for the harness's own clients."""

    @property
    def replication(self) -> int:
        """Of the topics that a scenario creates."""

    def start(self) -> None:
        """Start, and wait until it answers."""

    def stop(self) -> None:
        """Stop, and remove the data."""

    def heal(self) -> None:
        """Make everything answer again, whatever a scenario has left."""


class SingleBroker:
    """One broker without a proxy.

    Args:
        version: The Kafka to run; the default one where None.
    """

    def __init__(self, version: str | None = None) -> None:
        self._broker = LocalKafka() if version is None else LocalKafka(version=version)

    def __enter__(self) -> Self:
        """Start it."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it."""
        self.stop()

    @property
    def bootstrap_servers(self) -> str:
        """Its address."""
        return self._broker.bootstrap_servers

    @property
    def direct_bootstrap_servers(self) -> str:
        """The same: nothing stands in between."""
        return self._broker.bootstrap_servers

    @property
    def replication(self) -> int:
        """There is one broker."""
        return 1

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._broker.start()

    def stop(self) -> None:
        """Stop it, and remove its data."""
        self._broker.stop()

    def heal(self) -> None:
        """Start it again where it has ended."""
        self._broker.resume()
        self._broker.start()
