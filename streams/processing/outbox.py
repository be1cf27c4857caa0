"""What a task sends to others: a record home, a dead letter, word to billing; and its positions."""

from collections.abc import Mapping
from typing import Any

from streams.domain.policy import Policy
from streams.intake.rejection import RejectedError
from streams.processing.arrivals import Gathering
from streams.processing.changelog import POSITIONS_KEY, Positions, encode_positions
from streams.processing.coding_record import coding_record
from streams.processing.dead_letter import dead_letter
from streams.processing.partitioning import home_partition
from streams.processing.records import FetchedRecord, OutputRecord
from streams.processing.rekeying import Origin, travelling_headers
from streams.processing.task_output import CodingTold, DeadLetterTold, TaskOutput
from streams.processing.topology import Topology
from streams.processing.trace_context import coding_span


class Outbox:
    """Puts the records of one task into what it adds to a step.

    Args:
        partition: The task's.
        policy: Names the payers.
        topology: The application's topics.
        partition_counts: Of every topic.
    """

    def __init__(self, partition: int, policy: Policy, topology: Topology, partition_counts: Mapping[str, int]) -> None:
        self._partition = partition
        self._policy = policy
        self._rekey, self._changelog = topology.episodes_rekey, topology.episodes_changelog
        self._dead_letter, self._coding_events = topology.dead_letter, topology.coding_events
        self._dead_letter_count = partition_counts[self._dead_letter]
        self._coding_events_count = partition_counts[self._coding_events]
        self._task_count = partition_counts[self._changelog]

    def set_aside(self, record: FetchedRecord, origin: Origin, rejected: RejectedError, output: TaskOutput) -> None:
        """Make a dead letter of *record*, which was first read at *origin*."""
        partition = self._partition % self._dead_letter_count
        output.records.append(dead_letter(record, origin, rejected, topic=self._dead_letter, partition=partition))
        told = DeadLetterTold(
            origin.topic, origin.partition, origin.offset, rejected.reason, rejected.detail, origin.timestamp_ms
        )
        output.dead_letters.append(told)

    def send_home(self, record: FetchedRecord, origin: Origin, episode_id: str, output: TaskOutput) -> None:
        """Send *record* to the home of an episode."""
        self.forward(record, origin, home_partition(episode_id, self._task_count), output)

    def forward(self, record: FetchedRecord, origin: Origin, partition: int, output: TaskOutput) -> None:
        """Send *record* to the task of *partition*."""
        headers = travelling_headers(origin)
        output.records.append(OutputRecord(self._rekey, partition, record.key, record.value, headers))
        output.rekeyed += 1

    def tell_billing(self, event: dict[str, Any], gathering: Gathering, output: TaskOutput) -> None:
        """Publish a coding *event*, which came of what was gathered."""
        cause = gathering.cause
        span = coding_span(cause, event["event_id"]) if cause is not None else None
        partition = self._billing_partition(event["episode_id"])
        output.records.append(coding_record(event, topic=self._coding_events, partition=partition, span=span))
        payer = self._policy.payer_rule(event["payer_id"]).id
        instrument, program = event["instrument"]["id"], event["program"] or ""
        at_ms = gathering.newest_timestamp_ms
        told = CodingTold(event["action"], event["code"], instrument, payer, program, at_ms, cause, span)
        output.codings.append(told)

    def positions(self, next_offsets: Mapping[str, int]) -> OutputRecord:
        """The record of the task's positions."""
        value = encode_positions(Positions(self._task_count, dict(next_offsets)))
        return OutputRecord(self._changelog, self._partition, POSITIONS_KEY, value)

    def _billing_partition(self, episode_id: str) -> int:
        count = self._coding_events_count
        return self._partition if count == self._task_count else home_partition(episode_id, count)
