"""What the workers tell each other: sent, and read from a minute ago on. None of it is needed to code."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

import aiokafka.errors as kafka_errors
import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from streams.kafka.broker_access import ensure_access, unreachable
from streams.kafka.connection import client_options
from streams.monitoring.worker_report import WorkerReport, decode_report, encode_report

_PARTITION = 0
_READ_BACK_MS = 60_000
_WAIT_MS = 100


class ReportTopic:
    """The topic of worker reports.

    Args:
        producer: None for one who only reads.
        consumer: Reads every report.
        topic: Its name; it has one partition.
    """

    def __init__(self, producer: AIOKafkaProducer | None, consumer: AIOKafkaConsumer, topic: str) -> None:
        self._producer = producer
        self._consumer = consumer
        self._topic = topic

    async def tell(self, report: WorkerReport) -> None:
        """Send *report*.

        Raises:
            KafkaError: It did not come through.
        """
        if self._producer is not None:
            key = report.place.encode()
            await self._producer.send_and_wait(self._topic, encode_report(report), key=key, partition=_PARTITION)

    async def heard(self) -> list[WorkerReport]:
        """All reports since the last time; what a later version wrote otherwise is passed over."""
        tp = TopicPartition(self._topic, _PARTITION)
        end = (await self._consumer.end_offsets([tp]))[tp]
        reports = []
        while await self._consumer.position(tp) < end:
            for record in (await self._consumer.getmany(tp, timeout_ms=_WAIT_MS)).get(tp, ()):
                with suppress(msgspec.DecodeError):
                    # By the brokers' clock: that of a worker may be wrong.
                    reports.append(msgspec.structs.replace(decode_report(record.value), told_at_ms=record.timestamp))
        return reports


@asynccontextmanager
async def report_topic(
    connection: Mapping[str, Any], topic: str, *, now_ms: int, tells: bool
) -> AsyncIterator[ReportTopic]:
    """A connected `ReportTopic`.

    Args:
        connection: Options of an aiokafka client.
        topic: It must exist.
        now_ms: Reports of the last minute before this are read, too.
        tells: Whether reports will be sent.

    Raises:
        BrokerUnreachableError: No broker answers.
        AccessDeniedError: One does not let us in; `ensure_access` has more.
    """
    await ensure_access(connection)
    consumer = AIOKafkaConsumer(**connection, enable_auto_commit=False)
    producer = AIOKafkaProducer(**client_options(connection), acks=1) if tells else None
    tp = TopicPartition(topic, _PARTITION)
    try:
        try:
            await consumer.start()
            if producer is not None:
                await producer.start()
        except kafka_errors.KafkaError as error:
            raise unreachable(str(connection["bootstrap_servers"])) from error
        consumer.assign([tp])
        found = (await consumer.offsets_for_times({tp: now_ms - _READ_BACK_MS}))[tp]
        if found is None:
            await consumer.seek_to_end(tp)
        else:
            consumer.seek(tp, found.offset)
        yield ReportTopic(producer, consumer, topic)
    finally:
        await consumer.stop()
        if producer is not None:
            await producer.stop()
