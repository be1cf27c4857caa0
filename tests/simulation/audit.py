"""The invariants of reliability.md 4.1, held against the broker's logs at every moment of a run.

I4 and I6 are about units of work: whose records became visible, all of them or none. The others are about
what the records say: see `Effects`.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from streams.processing.task_coder import Coder
from streams.worker.step import Step, TopicPartition
from tests.simulation.broker import Broker
from tests.simulation.effects import Effects
from tests.simulation.invariants import Invariant, require
from tests.simulation.partition_log import Entry, Unit
from tests.simulation.timeline import Timeline
from tests.tasks_in_memory import TOPOLOGY

WRITTEN = (
    TOPOLOGY.episodes_changelog,
    TOPOLOGY.coding_events,
    TOPOLOGY.dead_letter,
    TOPOLOGY.episodes_rekey,
)

_Content = tuple[bytes | None, bytes | None]


class Audit:
    """Looks on; what it needs to know besides the logs it is told by the simulated clients."""

    def __init__(self, broker: Broker, coder: Coder, timeline: Timeline) -> None:
        self._broker = broker
        self._timeline = timeline
        self._effects = Effects(broker, coder)
        self._steps: dict[Unit, Step] = {}
        self._ending: set[Unit] = set()
        self._visible: set[Unit] = set()
        self._oldest_process: dict[str, int] = {}
        """By transactional id: since InitProducerId was answered, nothing of an older one may become visible."""
        self._seen = 0

    def note_begun(self, unit: Unit, step: Step) -> None:
        """*unit* is to write *step*."""
        self._steps[unit] = step

    def note_ending(self, unit: Unit) -> None:
        """*unit* has written all, and asks for the commit."""
        self._ending.add(unit)

    def note_fenced(self, transactional_id: str, *, before: int) -> None:
        """The processes of *transactional_id* with a number less than *before* may not write any more."""
        self._oldest_process[transactional_id] = before

    def check(self) -> None:
        """Hold the invariants against what is decided by now.

        Raises:
            ViolationError: One does not hold.
        """
        decided = {topic: list(self._broker.decided(topic)) for topic in WRITTEN}
        seen = sum(len(entries) for entries in decided.values())
        if seen == self._seen:
            return
        self._seen = seen
        with self._timeline.told():
            self._check_units([entry for entries in decided.values() for entry in entries])
            self._effects.check(decided)

    def check_end(self, in_memory: Mapping[int, Mapping[bytes, bytes]]) -> None:
        """Hold them once more when everything has been read and nothing is on its way.

        Args:
            in_memory: The encoded episodes that the task of each partition holds.

        Raises:
            ViolationError: One does not hold.
        """
        self.check()
        decided = {topic: list(self._broker.decided(topic)) for topic in WRITTEN}
        with self._timeline.told():
            self._effects.check_end(decided, in_memory)

    def _check_units(self, entries: Sequence[Entry]) -> None:
        found: dict[Unit, dict[TopicPartition, list[_Content]]] = defaultdict(lambda: defaultdict(list))
        for entry in entries:
            if entry.unit is not None and entry.record is not None:
                tp = TopicPartition(entry.record.topic, entry.record.partition)
                found[entry.unit][tp].append((entry.record.key, entry.record.value))
        for unit, records in found.items():
            oldest, name = self._oldest_process.get(unit.transactional_id, 0), _name(unit)
            is_in_time = unit in self._visible or unit.process >= oldest
            require(is_in_time, Invariant.FENCING, f"{name} became visible after a later process had its id")
            was_ending = unit in self._ending
            require(was_ending, Invariant.NO_ABORTED_READ, f"{name} is visible, and was never to be committed")
            is_whole = records == _by_partition(self._steps[unit])
            require(is_whole, Invariant.NO_ABORTED_READ, f"{name} is visible in part, or more than once")
        self._visible.update(found)


def _by_partition(step: Step) -> dict[TopicPartition, list[_Content]]:
    written: dict[TopicPartition, list[_Content]] = defaultdict(list)
    for record in step.records:
        written[TopicPartition(record.topic, record.partition)].append((record.key, record.value))
    return written


def _name(unit: Unit) -> str:
    return f"step {unit.step + 1} of process {unit.process} in {unit.transactional_id}"
