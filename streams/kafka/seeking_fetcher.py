"""A fetcher that reads where it is told to, and nowhere else.

aiokafka moves a reader whose position the broker does not have (retention has overtaken it, the topic was made anew)
to the begin or the end of the log, and says so in a log line. Records would be skipped, or read twice. Its other way,
`auto_offset_reset="none"`, is an error for partitions of which nothing was committed yet, also where the reader is
about to be told where to read. So two private parts of its fetcher are replaced, which is why its version is pinned.
"""

import asyncio
from collections.abc import Callable, Collection
from contextlib import suppress

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.consumer.fetcher import Fetcher, OffsetResetStrategy
from aiokafka.consumer.subscription_state import Assignment

_POLL_SECONDS = 0.02


class _SeekingFetcher(Fetcher):
    on_failure: Callable[[Exception], None]

    async def _update_fetch_positions(
        self, assignment: Assignment, node_id: int, tps: Collection[TopicPartition]
    ) -> bool:
        """Called for partitions without a position: leave them so until somebody seeks."""
        del assignment, node_id, tps
        with suppress(asyncio.CancelledError):  # the fetcher awaits what it has cancelled
            await asyncio.sleep(_POLL_SECONDS)
        return False

    def _set_error(self, tp: TopicPartition, error: Exception) -> None:
        """Called where a partition cannot be read: out of range, no right to it, a record too large."""
        self.on_failure(error)
        super()._set_error(tp, error)


def only_seeking(consumer: AIOKafkaConsumer, *, on_failure: Callable[[Exception], None]) -> AIOKafkaConsumer:
    """Make *consumer* read only from where it was told to seek.

    Args:
        consumer: Started, not yet subscribed.
        on_failure: Called where a partition cannot be read on; it should end the process.
    """
    fetcher = consumer._fetcher  # noqa: SLF001 - see the module's first lines
    fetcher.__class__ = _SeekingFetcher
    fetcher._default_reset_strategy = OffsetResetStrategy.NONE  # noqa: SLF001
    fetcher.on_failure = on_failure
    return consumer
