"""What can happen to traffic between a client and a broker, and to whose?"""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from tests.chaos.kafka_wire import ApiKey


class Way(Enum):
    """Which way a message goes."""

    REQUEST = "to the broker"
    ANSWER = "to the client"


class Refuse:
    """New connections are reset at once, as by a machine without the broker; those that are open stay."""


class Hold:
    """Messages wait until the rule is lifted, as packets do that are lost and sent again; connections stay open."""


class Lose:
    """The message is dropped, and the connection reset."""


class LoseSilently:
    """The message is dropped, and so is everything behind it on its connection, which stays open."""


@dataclass(frozen=True, slots=True)
class Delay:
    """Messages come later, in the same order.

    Attributes:
        seconds: By at least so much.
        jitter_seconds: And by up to so much more, drawn from *seeded*.
        seeded: The scenario's own.
    """

    seconds: float
    jitter_seconds: float = 0.0
    seeded: random.Random = field(default_factory=lambda: random.Random(0))  # noqa: S311 - repeatable on purpose


@dataclass(frozen=True, slots=True)
class Throttle:
    """Each connection carries so many bytes a second, each way."""

    bytes_per_second: int


Effect = Refuse | Hold | Lose | LoseSilently | Delay | Throttle


class Client(Protocol):
    """The far end of a connection."""

    def is_process(self, process_id: int) -> bool:
        """Whether *process_id* has opened the connection."""


@dataclass(frozen=True, slots=True)
class Message:
    """What a rule looks at."""

    way: Way
    api_key: int
    """Of the request; an answer's is that of its request."""
    client: Client


def everyone(client: Client) -> bool:
    """Every client."""
    del client
    return True


def process(process_id: int) -> Callable[[Client], bool]:
    """The connections of one process."""
    return lambda client: client.is_process(process_id)


@dataclass(slots=True, eq=False)
class Rule:
    """What happens to which messages, from when a proxy is given it until it is lifted.

    Attributes:
        effect: What happens.
        api_key: To messages of this kind; None: to all.
        way: In this direction; None: in both.
        clients: Of these.
        skip: After so many that it spares.
        times: To so many; None: to all.
    """

    effect: Effect
    api_key: ApiKey | None = None
    way: Way | None = None
    clients: Callable[[Client], bool] = everyone
    skip: int = 0
    times: int | None = None
    hits: int = 0
    """How many messages (or connections) it has met so far."""
    lifted: asyncio.Event = field(default_factory=asyncio.Event)
    _seen: int = 0

    def meets(self, message: Message) -> bool:
        """Whether it applies to *message*; asked once for each."""
        if isinstance(self.effect, Refuse) or self.way not in (None, message.way):
            return False
        if self.api_key not in (None, message.api_key):
            return False
        return self.clients(message.client) and self._counted()

    def meets_connection(self, client: Client) -> bool:
        """Whether it applies to a new connection of *client*."""
        return isinstance(self.effect, Refuse) and self.clients(client) and self._counted()

    def _counted(self) -> bool:
        self._seen += 1
        over = self.times is not None and self._seen > self.skip + self.times
        if self._seen <= self.skip or over:
            return False
        self.hits += 1
        return True
