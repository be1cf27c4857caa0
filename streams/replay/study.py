"""What is to be found out about every episode, in the two halves in which it is found out."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple, Protocol, TypeVar

from streams.kafka.log_reader import Run

ResultT_co = TypeVar("ResultT_co", covariant=True)


class Study(Protocol[ResultT_co]):
    """Sorts records by episode, then examines some episodes at a time."""

    def sort(self, run: Run) -> Iterator[tuple[bytes, bytes]]:
        """What to keep of the records of *run*: a key, usually the episode, and one MessagePack value."""

    def examine(self, chunks: Iterable[bytes]) -> ResultT_co:
        """What is to be said of some of the keys.

        Args:
            chunks: MessagePack arrays of all entries of these keys; those of one partition in their order.
        """


class Progress(NamedTuple):
    """How far a study has come."""

    read: int = 0
    """Offsets."""
    to_read: int = 0
    examined: int = 0
    """Buckets."""
    to_examine: int = 0
