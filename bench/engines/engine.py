"""What the bench must know of an engine to run it; all that is measured is measured the same for each."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Protocol

from streams.processing.topology import TopicSpecification


class Run(NamedTuple):
    """One run of an engine.

    Attributes:
        id: Another for each run: consumer group, transactional ids and internal topics are named by it.
        bootstrap_servers: Where the broker is.
        topic_prefix: Of the input topics, which are there and full.
        folder: Its own, empty, gone afterwards.
    """

    id: str
    bootstrap_servers: str
    topic_prefix: str
    folder: Path


@dataclass(frozen=True, slots=True)
class Launch:
    """How an engine is started, and where its work can be seen.

    Attributes:
        command: The program; it ends at SIGTERM.
        environment: Added to the bench's own.
        group_id: The consumer group that commits offsets of the inputs.
        topics: Created before the start, with as many partitions as the inputs.
        output_topic: Where the codes come out, keyed by episode.
        state_topic: Where the changelog of its state is.
        is_episode: Whether a key in the state topic is an episode's.
    """

    command: Sequence[str]
    group_id: str
    output_topic: str
    state_topic: str
    environment: Mapping[str, str] = field(default_factory=dict)
    topics: Sequence[TopicSpecification] = ()
    is_episode: Callable[[bytes], bool] = lambda _key: True


class Engine(Protocol):
    """An engine that can be measured."""

    @property
    def name(self) -> str:
        """For the command line."""

    @property
    def description(self) -> str:
        """For the report: guarantee and state in a few words."""

    @property
    def event_count_max(self) -> int | None:
        """A slow engine is given the first so many events only; None: all."""

    def launch(self, run: Run) -> Launch:
        """How to start it for *run*."""
