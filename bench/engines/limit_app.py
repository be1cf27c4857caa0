"""Reads runs of records and writes as many bytes as the worker would, in one transaction for each; parses nothing.

What Python and aiokafka leave to any engine built on them. It goes on until SIGTERM.
"""

import asyncio
import os
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition

_PARTITION_COUNT = 4
_BATCH_BYTES_MAX = 1 << 20
_RUN_RECORDS_MAX = 20_000
_POLL_MS = 500
# The broker asks for patience while the markers of the last transaction are being written.
_RETRY_BACKOFF_MS = 10


class Output(NamedTuple):
    """A topic, and the key and value of what is written to it."""

    topic: str
    value: bytes
    share: float
    """So many records for each one read."""


def main() -> None:
    """Run until the process is ended."""
    told = os.environ
    outputs = (
        Output(told["BENCH_STATE"], bytes(int(told["BENCH_STATE_BYTES"])), 1.0),
        Output(told["BENCH_CODES"], bytes(int(told["BENCH_CODE_BYTES"])), float(told["BENCH_CODE_SHARE"])),
    )
    inputs = (told["BENCH_SURVEYS"], told["BENCH_TREATMENTS"])
    asyncio.run(_pass_through(told["BENCH_BOOTSTRAP_SERVERS"], told["BENCH_APP_ID"], inputs, outputs))


async def _pass_through(bootstrap_servers: str, app_id: str, inputs: Iterable[str], outputs: Iterable[Output]) -> None:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap_servers,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        max_partition_fetch_bytes=4 << 20,
    )
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap_servers,
        transactional_id=app_id,
        max_batch_size=_BATCH_BYTES_MAX,
        retry_backoff_ms=_RETRY_BACKOFF_MS,
    )
    owed = _Owed(outputs)
    async with consumer, producer:
        consumer.assign([TopicPartition(topic, number) for topic in inputs for number in range(_PARTITION_COUNT)])
        while True:
            runs = await consumer.getmany(timeout_ms=_POLL_MS, max_records=_RUN_RECORDS_MAX)
            if not runs:
                continue
            async with producer.transaction():
                sent = []
                for partition, records in runs.items():
                    for output, passed_on in owed.after(records):
                        sent += await _send(producer, output, partition.partition, passed_on)
                offsets = {partition: records[-1].offset + 1 for partition, records in runs.items()}
                await asyncio.gather(*sent)
                await producer.send_offsets_to_transaction(offsets, app_id)


class _Owed:
    """How many records are to be written to each output, so that the shares come out over all."""

    def __init__(self, outputs: Iterable[Output]) -> None:
        self._outputs = tuple(outputs)
        self._read_count = 0
        self._written_counts = [0 for _ in self._outputs]

    def after(self, records: list[ConsumerRecord]) -> Iterator[tuple[Output, list[ConsumerRecord]]]:
        """The first of *records*, as many as are due now that they were read."""
        self._read_count += len(records)
        for number, output in enumerate(self._outputs):
            passed_on = records[: round(self._read_count * output.share) - self._written_counts[number]]
            self._written_counts[number] += len(passed_on)
            yield output, passed_on


async def _send(
    producer: AIOKafkaProducer, output: Output, partition: int, records: Iterable[ConsumerRecord]
) -> list[asyncio.Future[Any]]:
    sent = []
    batch = producer.create_batch()
    for record in records:
        if batch.append(key=record.key, value=output.value, timestamp=None) is None:
            batch.close()
            sent.append(await producer.send_batch(batch, output.topic, partition=partition))
            batch = producer.create_batch()
            batch.append(key=record.key, value=output.value, timestamp=None)
    if batch.record_count():
        batch.close()
        sent.append(await producer.send_batch(batch, output.topic, partition=partition))
    return sent


if __name__ == "__main__":
    main()
