"""What the added headers of a dead letter tell: where its record was first read, and why it was rejected."""

from collections.abc import Sequence
from typing import NamedTuple

from streams.processing.dead_letter import ADDED, ERROR, OFFSET, PARTITION, REASON, TOPIC
from streams.processing.records import Header


class LetterSource(NamedTuple):
    """Where the record of a dead letter was first read, and why it was rejected."""

    topic: str
    partition: int
    offset: int
    reason: str
    detail: str
    """A sentence without values."""

    def __str__(self) -> str:
        return f"{self.topic}-{self.partition}@{self.offset}"


def letter_source(headers: Sequence[Header]) -> LetterSource | None:
    """What the headers of a dead letter tell, opened or sealed; None where no worker wrote it."""
    # Those received may have the same names: a worker's own stand behind them.
    added = dict(headers)
    try:
        return LetterSource(
            added[TOPIC].decode(),
            int(added[PARTITION]),
            int(added[OFFSET]),
            added[REASON].decode(),
            added.get(ERROR, b"").decode(),
        )
    except (KeyError, ValueError, AttributeError):
        return None


def received_headers(headers: Sequence[Header]) -> Sequence[Header]:
    """The headers of an opened dead letter as the record had them."""
    return headers[: -len(ADDED)]
