"""What a worker has received and not yet processed, and how much of it may go into the next step.

Theory of operation. A task reads surveys and treatments from two topics, and Kafka promises no order between them: of a
backlog the smaller topic would be read to its end first, and codes be published that what is still to be read of the
other voids or replaces a moment later. So the records of a task are taken up to a common time, the *horizon*: the
newest Kafka timestamp at hand of the topic that is furthest behind. A topic whose log has no more to give holds nobody
back, so that nothing waits for records that may never come. Kafka Streams synchronises its stream time in the same way
(KIP-353, KIP-695, ``max.task.idle.ms``).

It is a matter of fewer corrections, not of a right outcome: a decision does not depend on the order of facts
(``tests/unit/test_laws.py``). Hence timestamps need not rise, and a topic that cannot be read is waited for some time
only. What comes home by the re-key topic has waited once, carries the time of its forwarding, and goes first.
"""

import math
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from operator import attrgetter
from typing import Protocol, TypeAlias

from streams.processing.records import Batch, FetchedRecord
from streams.worker.step import TopicPartition

_Run: TypeAlias = Sequence[FetchedRecord]
_timestamp: Callable[[FetchedRecord], int] = attrgetter("timestamp")


class Backlog(Protocol):
    """What the logs are known to hold beyond what was received."""

    def has_more(self, source: TopicPartition, next_offset: int) -> bool:
        """Whether *source* has records from *next_offset* on; also where nobody has looked yet."""


class Inbox:
    """Runs of records by task and topic.

    Args:
        in_step: The topics that are read in step.
        backlog: What there is beyond what was received.
        patience_seconds: For how long a task may hold records back for a topic that gives none.
    """

    def __init__(self, in_step: Collection[str], backlog: Backlog, *, patience_seconds: float) -> None:
        self._in_step = tuple(in_step)
        self._backlog = backlog
        self._patience_seconds = patience_seconds
        self._tasks: dict[int, dict[str, list[_Run]]] = {}
        self._next_offsets: dict[TopicPartition, int] = {}
        self._waiting_since: dict[int, float] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def begin(self, next_offsets: dict[TopicPartition, int]) -> None:
        """Forget everything, and expect each of the sources that there are now from its offset on."""
        self._tasks.clear()
        self._waiting_since.clear()
        self._next_offsets = dict(next_offsets)
        self._count = 0

    def put(self, source: TopicPartition, records: _Run) -> None:
        """Add a run of *source*; of what was received before, nothing."""
        expected = self._next_offsets.get(source, 0)
        fresh = records if records[0].offset >= expected else [r for r in records if r.offset >= expected]
        if fresh:
            self._next_offsets[source] = fresh[-1].offset + 1
            self._tasks.setdefault(source.partition, defaultdict(list))[source.topic].append(fresh)
            self._count += len(fresh)

    def sources_with(self, count: int) -> set[TopicPartition]:
        """The sources of which *count* records or more wait."""
        return {
            TopicPartition(topic, partition)
            for partition, queues in self._tasks.items()
            for topic, runs in queues.items()
            if sum(map(len, runs)) >= count
        }

    def is_ready(self) -> bool:
        """Whether any record may be taken now without more patience."""
        return any(
            self._batches(dict(queues), self._horizon(partition, queues)) for partition, queues in self._tasks.items()
        )

    def take(self, now: float) -> dict[int, list[Batch]]:
        """The records that may be processed now, by task; the rest stays.

        Args:
            now: Seconds on a clock that only goes forward.
        """
        taken: dict[int, list[Batch]] = {}
        for partition, queues in list(self._tasks.items()):
            batches = self._batches(queues, self._horizon(partition, queues))
            if not batches and now - self._waiting_since.setdefault(partition, now) >= self._patience_seconds:
                batches = self._batches(queues, math.inf)
            if batches:
                taken[partition] = batches
                self._waiting_since.pop(partition, None)
                self._count -= sum(len(batch.records) for batch in batches)
            if not queues:
                del self._tasks[partition]
        return taken

    def _horizon(self, partition: int, queues: dict[str, list[_Run]]) -> float:
        """Up to which timestamp a task may go; without an end where no topic holds it back."""
        horizon = math.inf
        for topic in self._in_step:
            source = TopicPartition(topic, partition)
            next_offset = self._next_offsets.get(source)
            if next_offset is not None and self._backlog.has_more(source, next_offset):
                runs = queues.get(topic)
                horizon = min(horizon, _newest(runs) if runs else -math.inf)
        return horizon

    def _batches(self, queues: dict[str, list[_Run]], horizon: float) -> list[Batch]:
        batches = []
        for topic in list(queues):
            whole = topic not in self._in_step or _newest(queues[topic]) <= horizon
            taken, left = (queues[topic], []) if whole else _split(queues[topic], horizon)
            batches += [Batch(topic, run) for run in taken]
            if left:
                queues[topic] = left
            else:
                del queues[topic]
        return batches


def _newest(runs: Sequence[_Run]) -> int:
    return runs[-1][-1].timestamp


def _split(runs: Sequence[_Run], horizon: float) -> tuple[list[_Run], list[_Run]]:
    """*runs* up to *horizon*, as if timestamps rose, and the rest; order and offsets stay as they are."""
    for number, run in enumerate(runs):
        end = bisect_right(run, horizon, key=_timestamp)
        if end < len(run):
            return [*runs[:number], *([run[:end]] if end else [])], [run[end:], *runs[number + 1 :]]
    return list(runs), []
