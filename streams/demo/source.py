"""What the demonstration sends: records in order of delivery, and the policy to judge them by."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from streams.processing.records import Header

Progress = Callable[[str], None]


class DeliveredRecord(Protocol):
    """A record as an interface engine would put it on the bus."""

    @property
    def topic(self) -> str:
        """``survey-completed`` or ``treatment-recorded``, without prefix."""

    @property
    def key(self) -> bytes | None:
        """The key that the producer chose."""

    @property
    def value(self) -> bytes:
        """The value."""

    @property
    def headers(self) -> Sequence[Header]:
        """The headers."""

    @property
    def kind(self) -> str:
        """What it is for the statistics: survey, treatment, correction, void, duplicate, late, garbage."""


@dataclass(frozen=True, slots=True)
class DemoSource:
    """Everything that is sent.

    Attributes:
        description: A sentence for the audience.
        records: In order of delivery.
        policy: The policy file; the built-in one where None.
        featured_episode_id: Explained at the end.
    """

    description: str
    records: Sequence[DeliveredRecord]
    policy: Path | None
    featured_episode_id: str | None
