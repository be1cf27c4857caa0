"""Where a record goes that a task does not take in: to its home partition, or to the dead letters."""

from collections.abc import Mapping

from streams.intake.rejection import RejectedError
from streams.processing.dead_letter import dead_letter
from streams.processing.partitioning import home_partition
from streams.processing.records import FetchedRecord, OutputRecord
from streams.processing.rekeying import Origin, travelling_headers
from streams.processing.task_output import DeadLetterTold, TaskOutput
from streams.processing.topology import Topology


class Router:
    """Sends records on for one task.

    Args:
        partition: Of the task.
        topology: The application's topics.
        partition_counts: Of them.
    """

    def __init__(self, partition: int, topology: Topology, partition_counts: Mapping[str, int]) -> None:
        self._partition = partition
        self._task_count = partition_counts[topology.episodes_changelog]
        self._rekey = topology.episodes_rekey
        self._dead_letter = topology.dead_letter
        self._dead_letter_partition = partition % partition_counts[topology.dead_letter]

    def is_home(self, episode_id: str) -> bool:
        """Whether *episode_id* is at home in this task."""
        return home_partition(episode_id, self._task_count) == self._partition

    def forward(self, record: FetchedRecord, origin: Origin, episode_id: str, output: TaskOutput) -> None:
        """Send *record* to the home of *episode_id*."""
        self._send(record, origin, home_partition(episode_id, self._task_count), output)

    def tell_all(self, record: FetchedRecord, origin: Origin, output: TaskOutput) -> None:
        """Send *record* to every other task."""
        for partition in range(self._task_count):
            if partition != self._partition:
                self._send(record, origin, partition, output)

    def _send(self, record: FetchedRecord, origin: Origin, partition: int, output: TaskOutput) -> None:
        headers = travelling_headers(origin)
        output.records.append(OutputRecord(self._rekey, partition, record.key, record.value, headers))
        output.rekeyed += 1

    def reject(self, record: FetchedRecord, origin: Origin, rejected: RejectedError, output: TaskOutput) -> None:
        """Send *record* to the dead letters."""
        topic, partition = self._dead_letter, self._dead_letter_partition
        output.records.append(dead_letter(record, origin, rejected, topic=topic, partition=partition))
        told = DeadLetterTold(
            origin.topic, origin.partition, origin.offset, rejected.reason, rejected.detail, origin.timestamp_ms
        )
        output.dead_letters.append(told)
