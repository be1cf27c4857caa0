"""How a task tells billing of a code: the record of the billing topic, and an account of it."""

from collections.abc import Mapping
from typing import Any

from streams.domain.policy import Policy
from streams.processing.coding_record import coding_record
from streams.processing.partitioning import home_partition
from streams.processing.task_output import CodingTold, TaskOutput
from streams.processing.topology import Topology
from streams.processing.trace_context import TraceContext, coding_span


class Teller:
    """Tells billing for one task.

    Args:
        partition: Of the task.
        policy: Whose payers are counted by.
        topology: The application's topics.
        partition_counts: Of them.
    """

    def __init__(self, partition: int, policy: Policy, topology: Topology, partition_counts: Mapping[str, int]) -> None:
        self._policy = policy
        self._topic = topology.coding_events
        self._count = partition_counts[self._topic]
        self._home = partition if self._count == partition_counts[topology.episodes_changelog] else None
        """The task's own partition, where the billing topic is as wide as the changelog."""

    def tell(self, event: dict[str, Any], *, cause: TraceContext | None, caused_at_ms: int, output: TaskOutput) -> None:
        """Put *event* into *output*.

        Args:
            event: As JSON values.
            cause: The trace that it continues.
            caused_at_ms: Kafka timestamp of the newest record that led to it.
            output: Of the task.
        """
        span = coding_span(cause, event["event_id"]) if cause is not None else None
        partition = self._home if self._home is not None else home_partition(event["episode_id"], self._count)
        output.records.append(coding_record(event, topic=self._topic, partition=partition, span=span))
        payer = self._policy.payer_rule(event["payer_id"]).id
        instrument, program = event["instrument"]["id"], event["program"] or ""
        told = CodingTold(event["action"], event["code"], instrument, payer, program, caused_at_ms, cause, span)
        output.codings.append(told)
