"""What the bench must know of an engine to run it; all that is measured is measured the same for each."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Protocol

from streams.processing.topology import TopicSpecification


class EngineUnavailableError(Exception):
    """The engine cannot be made ready on this machine; the message says what to do."""


class Run(NamedTuple):
    """One run of an engine.

    Attributes:
        id: Another for each run: consumer group, transactional ids and internal topics are named by it.
        bootstrap_servers: Where the broker is.
        topic_prefix: Of the input topics, which are there and full.
        code_share: How many codes are to come out, per record.
        local_folder: Its own, empty; lost when it is started anew to measure how long it takes to restore its state.
        durable_folder: The same, but kept: for an engine whose state is not in Kafka, in the place of a shared store.
    """

    id: str
    bootstrap_servers: str
    topic_prefix: str
    code_share: float
    local_folder: Path
    durable_folder: Path


@dataclass(frozen=True, slots=True)
class Launch:
    """How an engine is started, and where its work can be seen.

    Attributes:
        command: The program; it ends at SIGTERM.
        environment: Added to the bench's own.
        process_count: So often it is started.
        group_id: The consumer group that commits offsets of the inputs.
        topics: Created before the start, with as many partitions as the inputs.
        output_topic: Where the codes come out, keyed by episode.
        state_topic: Where the changelog of its state is; None where it is no topic.
        is_episode: Whether a key in the state topic is an episode's.
        decides: Whether it decides who is coded. If not, as many records as there would be codes come out.
    """

    command: Sequence[str]
    group_id: str
    output_topic: str
    state_topic: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    process_count: int = 1
    topics: Sequence[TopicSpecification] = ()
    is_episode: Callable[[bytes], bool] = lambda _key: True
    decides: bool = True


class Engine(Protocol):
    """An engine that can be measured."""

    @property
    def name(self) -> str:
        """For the command line."""

    @property
    def family(self) -> str:
        """The same for one engine with different numbers of threads or processes: the fastest stands for all."""

    @property
    def event_count_max(self) -> int | None:
        """A slow engine is given the first so many events only; None: all."""

    @property
    def has_state(self) -> bool:
        """Whether there is anything to restore when it is started anew."""

    @property
    def events_per_second_expected(self) -> int:
        """About, on two cores: for the estimate of how long all takes."""

    def prepare(self, on_progress: Callable[[str], None]) -> None:
        """Make it ready to be started: build or install what is not there yet.

        Args:
            on_progress: Told, in a sentence, what takes time.

        Raises:
            EngineUnavailableError: That is not possible here.
        """

    def launch(self, run: Run) -> Launch:
        """How to start it for *run*."""
