"""A fetcher that reads where and what it is told to, and nothing else.

aiokafka moves a reader whose position the broker does not have (retention has overtaken it, the topic was made anew)
to the begin or the end of the log, and says so in a log line. Records would be skipped, or read twice. Its other way,
`auto_offset_reset="none"`, is an error for partitions of which nothing was committed yet, also where the reader is
about to be told where to read.

aiokafka also makes an object of eleven fields of each record, half of which all records of a partition share; that
takes longer than to read it. Here a record is what its batch holds.

And it asks a broker for nothing while a partition of that broker lies fetched and unclaimed, or while a fetch waits
there for a record to come: a reader that claims one topic and leaves another for later would wait without need.

So private parts of its fetcher are replaced, which is why its version is pinned.
"""

import asyncio
from collections.abc import Callable, Collection
from contextlib import suppress

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.consumer.fetcher import Fetcher, FetchResult, OffsetResetStrategy, PartitionRecords
from aiokafka.consumer.subscription_state import Assignment
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.record.default_records import DefaultRecord

_POLL_SECONDS = 0.02


class _RunOfRecords(PartitionRecords):
    def _consumer_record(self, tp: TopicPartition, record: DefaultRecord) -> DefaultRecord:
        """Called for each record; what a run has in common is not written into each."""
        del tp
        return record


class _SeekingFetcher(Fetcher):
    on_failure: Callable[[Exception], None]

    async def _proc_fetch_request(self, assignment: Assignment, node_id: int, request: FetchRequest) -> bool:
        """Called for each request; its answer is here when this returns, and not yet looked at."""
        needs_wakeup: bool = await super()._proc_fetch_request(assignment, node_id, request)
        for fetched in self._records.values():
            if isinstance(fetched, FetchResult) and fetched.has_more():
                fetched._partition_records.__class__ = _RunOfRecords  # noqa: SLF001
        return needs_wakeup

    async def _update_fetch_positions(
        self, assignment: Assignment, node_id: int, tps: Collection[TopicPartition]
    ) -> bool:
        """Called for partitions without a position: leave them so until somebody seeks."""
        del assignment, node_id, tps
        with suppress(asyncio.CancelledError):  # the fetcher awaits what it has cancelled
            await asyncio.sleep(_POLL_SECONDS)
        return False

    async def fetched_records(
        self,
        partitions: Collection[TopicPartition],
        timeout: float = 0,  # noqa: ASYNC109 - aiokafka's own signature
        max_records: int | None = None,
    ) -> dict[TopicPartition, list[DefaultRecord]]:
        """Called for the records of *partitions*: what lies here of others does not keep these from being fetched."""
        unclaimed = [fetched for tp, fetched in self._records.items() if partitions and tp not in partitions]
        for fetched in unclaimed:
            fetched._backoff = 0.0  # noqa: SLF001
        if unclaimed:
            self._notify(self._wait_consume_future)
        records: dict[TopicPartition, list[DefaultRecord]]
        records = await super().fetched_records(partitions, timeout=timeout, max_records=max_records)
        return records

    def _set_error(self, tp: TopicPartition, error: Exception) -> None:
        """Called where a partition cannot be read: out of range, no right to it, a record too large."""
        self.on_failure(error)
        super()._set_error(tp, error)


def only_seeking(
    consumer: AIOKafkaConsumer, *, on_failure: Callable[[Exception], None], fetch_wait_seconds_max: float
) -> AIOKafkaConsumer:
    """Make *consumer* read only from where it was told to seek, and what is claimed.

    Args:
        consumer: Started, not yet subscribed.
        on_failure: Called where a partition cannot be read on; it should end the process.
        fetch_wait_seconds_max: How long a broker that has nothing may wait before it answers.
    """
    fetcher = consumer._fetcher  # noqa: SLF001 - see the module's first lines
    fetcher.__class__ = _SeekingFetcher
    fetcher._default_reset_strategy = OffsetResetStrategy.NONE  # noqa: SLF001
    fetcher._fetch_max_wait_ms = int(fetch_wait_seconds_max * 1000)  # noqa: SLF001
    fetcher.on_failure = on_failure
    return consumer
