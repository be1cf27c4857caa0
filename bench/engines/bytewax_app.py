"""G9603 on Bytewax: keyed state over both topics, snapshots in SQLite, at least once.

Bytewax keeps its place in its snapshots and tells no broker of it. Here its source also commits it to a consumer
group, as one would for lag tools: at each snapshot the place of the one before, whose events have then gone through.
"""

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import bytewax.operators as op
import orjson
from bytewax.connectors.kafka import KafkaSink, KafkaSinkMessage, KafkaSource
from bytewax.dataflow import Dataflow
from bytewax.inputs import StatefulSourcePartition
from bytewax.recovery import RecoveryConfig, init_db_dir
from bytewax.run import cli_main
from confluent_kafka import Consumer, TopicPartition

from bench.engines.toy_coding import Episode, code_if_new, with_event

# The end of a run is seen by its last commit; by default it would be waited for up to 20 s.
_EPOCH = timedelta(seconds=1)


class CommittingPartition(StatefulSourcePartition[Any, int]):
    """A partition of Bytewax's own source, whose place is also told to the group."""

    def __init__(self, partition: Any, place: TopicPartition, committer: Consumer) -> None:  # noqa: ANN401 - its class is private
        self._partition = partition
        self._place = place
        self._committer = committer

    def next_batch(self) -> Any:  # noqa: ANN401 - passed on
        """Its next records."""
        return self._partition.next_batch()

    def next_awake(self) -> Any:  # noqa: ANN401 - passed on
        """When to ask it again."""
        return self._partition.next_awake()

    def snapshot(self) -> int:
        """Its place, for Bytewax; the place of the last snapshot is committed."""
        if self._place.offset > 0:
            self._committer.commit(offsets=[self._place], asynchronous=True)
        offset: int = self._partition.snapshot()
        self._place = TopicPartition(self._place.topic, self._place.partition, offset)
        return offset

    def close(self) -> None:
        """Close it."""
        self._partition.close()


class CommittingSource(KafkaSource):
    """Bytewax's own source of Kafka records, in the name of a consumer group."""

    def __init__(self, brokers: list[str], topics: list[str], group_id: str) -> None:
        super().__init__(brokers, topics)
        self._committer = Consumer({"bootstrap.servers": ",".join(brokers), "group.id": group_id})

    def build_part(self, step_id: str, for_part: str, resume_state: int | None) -> CommittingPartition:
        """The partition with the name *for_part*: its number, a hyphen, the topic."""
        number, topic = for_part.split("-", 1)
        partition = super().build_part(step_id, for_part, resume_state)
        return CommittingPartition(partition, TopicPartition(topic, int(number), -1), self._committer)


def main() -> None:
    """Run until SIGTERM."""
    told = os.environ
    brokers = [told["BENCH_BOOTSTRAP_SERVERS"]]
    flow = Dataflow("g9603")
    source = CommittingSource(brokers, [told["BENCH_SURVEYS"], told["BENCH_TREATMENTS"]], told["BENCH_APP_ID"])
    events = op.map("read", op.input("events", flow, source), lambda record: (record.key.decode(), record.value))
    codes = op.filter_map("codes", op.stateful_map("coding", events, _coded), _record)
    op.output("out", codes, KafkaSink(brokers, told["BENCH_CODES"]))
    folder = Path(told["BENCH_DURABLE_FOLDER"])
    if not any(folder.iterdir()):
        init_db_dir(folder, 1)
    cli_main(flow, epoch_interval=_EPOCH, recovery_config=RecoveryConfig(folder))


def _coded(episode: Episode | None, value: bytes) -> tuple[Episode | None, dict[str, object] | None]:
    try:
        event = orjson.loads(value)
        # What is kept may still be waiting to be written to a snapshot, hence a copy of the parts that change.
        known = episode and {**episode, "surveys": {**episode["surveys"]}, "treatments": {**episode["treatments"]}}
        changed = with_event(known, event)
    except (KeyError, TypeError, ValueError):
        return episode, None
    return changed, code_if_new(event["episode_id"], changed)


def _record(coded: tuple[str, dict[str, object] | None]) -> KafkaSinkMessage[bytes, bytes] | None:
    key, code = coded
    return KafkaSinkMessage(key.encode(), orjson.dumps(code)) if code is not None else None


if __name__ == "__main__":
    main()
