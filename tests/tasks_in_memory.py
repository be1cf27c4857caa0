"""Every stream task of an application, wired together by lists in place of topics.

Each step is what one transaction of a worker is: a task reads some records, and everything that it says to
write is appended before the next task reads. A restart forgets a task, and rebuilds it from its changelog.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import orjson

from streams.domain.coder import CodedEpisode
from streams.domain.policy import Policy
from streams.intake.decoder import Decoder
from streams.processing.changelog import episode_id_of, is_episode_key
from streams.processing.records import Batch, InputRecord, OutputRecord
from streams.processing.stored_episode import decode_episode
from streams.processing.stream_task import StreamTask
from streams.processing.task_coder import Coder
from streams.processing.task_output import TaskOutput
from streams.processing.topology import Topology
from streams.worker.restorer import RestoredPartition
from streams.worker.step import TopicPartition
from tests.policies_for_tests import INSTRUMENTS

TOPOLOGY = Topology()
FORWARDED_AT_MS = 1_999_999_999_999
"""The broker's clock when a record is forwarded: later than every record that was sent."""


class Record(NamedTuple):
    """A record as it lies in a topic."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]] = ()


class Sent(NamedTuple):
    """A record as a producer sends it, to any partition that it likes."""

    topic: str
    partition: int
    timestamp: int
    value: bytes | None
    headers: Sequence[tuple[str, bytes]] = ()


class NothingMore:
    """The `Backlog` of a reader that is never behind."""

    def has_more(self, source: TopicPartition, next_offset: int) -> bool:
        """Never."""
        del source, next_offset
        return False


class TasksInMemory:
    """The tasks of one application, and all of its topics."""

    def __init__(self, policy: Policy, *, task_count: int = 1) -> None:
        counts = {specification.name: task_count for specification in TOPOLOGY.specifications}
        counts |= {TOPOLOGY.coding_events: 2, TOPOLOGY.dead_letter: 1}
        self._coder = Coder(Decoder(INSTRUMENTS), policy, TOPOLOGY, counts)
        self._log: dict[tuple[str, int], list[Record]] = defaultdict(list)
        self.tasks = [StreamTask(partition, self._coder, {}) for partition in range(task_count)]

    def send(self, sent: Sent) -> None:
        """Append a producer's record."""
        self._append(sent.topic, sent.partition % len(self.tasks), sent.timestamp, sent.value, sent.headers)

    def records(self, topic: str) -> list[Record]:
        """All records of *topic*, each partition in order of offset."""
        return [record for (name, _), log in sorted(self._log.items()) if name == topic for record in log]

    def step(self, partition: int, records_max: int = 1_000_000) -> TaskOutput:
        """Let one task read up to *records_max* records of each of its topics."""
        task = self.tasks[partition]
        batches = []
        for topic in TOPOLOGY.sources:
            start = task.next_offsets.get(topic, 0)
            fetched: Sequence[InputRecord] = self._log[topic, partition][start : start + records_max]
            batches.append(Batch(topic, fetched))
        output = task.process(batches)
        for written in output.records:
            self._write(written)
        return output

    def drain(self) -> None:
        """Let all tasks read until nothing is left."""
        while any(self.step(task.partition).consumed or task.is_behind_time for task in self.tasks):
            pass

    def restart(self, partition: int) -> None:
        """Forget a task and make it anew from its compacted changelog."""
        state = RestoredPartition()
        for record in self.changelog(partition):
            state.take(record)
        self.tasks[partition] = StreamTask(
            partition, self._coder, state.episodes, state.positions, state.forgotten, state.merges
        )

    def switch(self, policy: Policy) -> None:
        """Restart every task under another policy."""
        self._coder = replace(self._coder, policy=policy)
        for partition in range(len(self.tasks)):
            self.restart(partition)

    def changelog(self, partition: int) -> list[Record]:
        """One partition of the changelog."""
        return self._log[TOPOLOGY.episodes_changelog, partition]

    def episodes(self) -> dict[str, CodedEpisode]:
        """What the tasks hold, by episode id."""
        held = [(key, value) for task in self.tasks for key, value in task.episodes.items()]
        return {episode_id_of(key): decode_episode(value) for key, value in held if is_episode_key(key)}

    def coding_events(self, episode_id: str) -> list[dict[str, Any]]:
        """What billing reads of one episode."""
        events = [orjson.loads(record.value or b"") for record in self.records(TOPOLOGY.coding_events)]
        return [event for event in events if event["episode_id"] == episode_id]

    def _write(self, written: OutputRecord) -> None:
        self._append(written.topic, written.partition, FORWARDED_AT_MS, written.value, written.headers, key=written.key)

    def _append(  # noqa: PLR0913 - the parts of one record
        self,
        topic: str,
        partition: int,
        timestamp: int,
        value: bytes | None,
        headers: Sequence[tuple[str, bytes]],
        *,
        key: bytes | None = b"any",
    ) -> None:
        log = self._log[topic, partition]
        log.append(Record(topic, partition, len(log), timestamp, key, value, headers))
