"""Kafka Streams, exactly once: ``bench/peers/kafka-streams``."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from bench.engines import java_program
from bench.engines.engine import Launch, Run
from bench.engines.peer_environment import codes_topic, peer_environment

_MODULE = "kafka-streams"


@dataclass(frozen=True, slots=True)
class KafkaStreams:
    """One process with one store of episodes for each partition."""

    store: Literal["rocksdb", "memory"]
    thread_count: int
    event_count_max = None
    has_state = True
    events_per_second_expected = 50_000

    @property
    def name(self) -> str:
        """With the number of threads, if there are more."""
        return self.family if self.thread_count == 1 else f"{self.family}-{self.thread_count}"

    @property
    def family(self) -> str:
        """One store."""
        return f"{_MODULE}-{self.store}"

    def prepare(self, on_progress: Callable[[str], None]) -> None:
        """Build it."""
        java_program.build(_MODULE, on_progress)

    def launch(self, run: Run) -> Launch:
        """It creates the topic of its store itself."""
        codes = codes_topic(run)
        return Launch(
            command=java_program.command(_MODULE, "g9603.bench.kafkastreams.CodingStreams"),
            environment=peer_environment(run, store=self.store, threads=self.thread_count),
            group_id=run.id,
            topics=[codes],
            output_topic=codes.name,
            state_topic=f"{run.id}-episodes-changelog",
        )
