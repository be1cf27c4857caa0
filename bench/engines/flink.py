"""Flink, exactly once: ``bench/peers/flink``."""

from collections.abc import Callable
from dataclasses import dataclass

from bench.engines import java_program
from bench.engines.engine import Launch, Run
from bench.engines.peer_environment import codes_topic, peer_environment

_MODULE = "flink"
_CHECKPOINT_MS = 1_000
"""Less often would be cheaper, and codes come out no sooner."""
# What Flink's own start script opens to it on Java 17.
_OPENS = tuple(
    f"--add-opens=java.base/{package}=ALL-UNNAMED"
    for package in ("java.lang", "java.lang.reflect", "java.nio", "java.time", "java.util", "sun.nio.ch")
)


@dataclass(frozen=True, slots=True)
class Flink:
    """A cluster of one process; its offsets and its output are committed with a checkpoint."""

    parallelism: int
    family = _MODULE
    event_count_max = None
    has_state = True
    events_per_second_expected = 80_000

    @property
    def name(self) -> str:
        """With the number of tasks side by side, if there are more."""
        return self.family if self.parallelism == 1 else f"{self.family}-{self.parallelism}"

    def prepare(self, on_progress: Callable[[str], None]) -> None:
        """Build it."""
        java_program.build(_MODULE, on_progress)

    def launch(self, run: Run) -> Launch:
        """Its state is in files."""
        codes = codes_topic(run)
        return Launch(
            command=java_program.command(_MODULE, "g9603.bench.flink.CodingJob", *_OPENS),
            environment=peer_environment(run, parallelism=self.parallelism, checkpoint_ms=_CHECKPOINT_MS),
            group_id=run.id,
            topics=[codes],
            output_topic=codes.name,
        )
