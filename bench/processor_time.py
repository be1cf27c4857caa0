"""Who used the processors: the engine, the broker, or programs that have no part in the run."""

import os
from collections.abc import Collection
from typing import NamedTuple

from bench.process_tree import ProcessTree, machine_busy_seconds


class ProcessorTime(NamedTuple):
    """Seconds of processor time."""

    engine: float
    broker: float
    others: float

    def since(self, earlier: "ProcessorTime") -> "ProcessorTime":
        """What was used between *earlier* and this."""
        used = (now - then for now, then in zip(self, earlier, strict=True))
        return ProcessorTime(*(max(0.0, seconds) for seconds in used))


class ProcessorBooks:
    """Reads the processor time of one run, so far.

    Args:
        engine: The engine's processes.
        broker: The broker's.
    """

    def __init__(self, engine: Collection[ProcessTree], broker: Collection[ProcessTree]) -> None:
        self._engine = engine
        self._broker = broker
        self._all_of_ours = ProcessTree(os.getpid())

    def read(self) -> ProcessorTime:
        """The time as of now."""
        return ProcessorTime(
            engine=sum(tree.cpu_seconds() for tree in self._engine),
            broker=sum(tree.cpu_seconds() for tree in self._broker),
            others=machine_busy_seconds() - self._all_of_ours.cpu_seconds(),
        )
