"""What one run of one engine came to."""

from dataclasses import dataclass

from bench.processor_time import ProcessorTime
from bench.workload import Workload


@dataclass(frozen=True, slots=True)
class Figures:
    """What was done and used between the first commit that the broker told of and the one behind the last record.

    Start-up is left out this way, the same for every engine, and none keeps its own time.
    """

    event_count: int
    """Committed between the two."""
    seconds: float
    processor_time: ProcessorTime
    start_up_seconds: float
    """From the start of the process to the first commit."""
    peak_resident_mib: float
    """Over the whole life of the process."""

    @property
    def events_per_second(self) -> float:
        """The rate."""
        return self.event_count / self.seconds

    @property
    def cpu_seconds_per_million(self) -> float:
        """Processor time of the engine for a million events: less moved by a busy machine than the rate."""
        return self.processor_time.engine / self.event_count * 1e6

    @property
    def broker_cpu_seconds_per_million(self) -> float:
        """Processor time of the broker for a million events."""
        return self.processor_time.broker / self.event_count * 1e6

    @property
    def cores_taken_by_others(self) -> float:
        """How many cores, on average, programs used that have no part in the run."""
        return self.processor_time.others / self.seconds


@dataclass(frozen=True, slots=True)
class Measurement:
    """One run."""

    engine: str
    family: str
    """The same for one engine with different numbers of threads or processes."""
    workload: Workload
    round_number: int | None
    """None outside the rounds."""
    figures: Figures | None
    """None where the run did not reach its end."""
    faults: tuple[str, ...] = ()
    """What is wrong with the outcome; a run with a fault does not count."""
    bytes_per_event: float | None = None
    """Written to topics for a record read, from start to end."""
    restart_seconds: float | None = None
    """From a start on an empty machine until what came in meanwhile was coded; None where that was not tried."""
