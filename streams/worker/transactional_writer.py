"""Writes each step as one Kafka transaction."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import aiokafka.errors as kafka_errors
from aiokafka import AIOKafkaProducer
from aiokafka import TopicPartition as KafkaTopicPartition
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.structs import RecordMetadata

from streams.kafka.broker_access import AccessDeniedError
from streams.kafka.connection import client_options
from streams.kafka.group_fenced_producer import GroupMetadata, OutcomeUnknownError, group_fenced, sender_failure
from streams.worker.observer import TransactionPart, Unobserved, WorkObserver
from streams.worker.step import Step
from streams.worker.tuning import Tuning


class StepFailedError(Exception):
    """The last step was not committed; the message says why."""


class PlaceTakenError(StepFailedError):
    """The brokers take nothing more from this producer."""


class TransactionalWriter:
    """The worker's only producer.

    Args:
        connection: Client options: where the brokers are, and how to log in.
        group_id: The consumer group in whose name offsets are committed.
        transactional_id: Stable per worker slot, so that a restart ends what the last run left open.
        tuning: Time-outs and batch size.
        observer: Times the parts of a transaction.
    """

    def __init__(
        self,
        connection: Mapping[str, Any],
        *,
        group_id: str,
        transactional_id: str,
        tuning: Tuning,
        observer: WorkObserver | None = None,
    ) -> None:
        self._connection = connection
        self._group_id = group_id
        self._transactional_id = transactional_id
        self._tuning = tuning
        self._timing = (observer or Unobserved()).timing
        self._step: Step | None = None
        self._producer: AIOKafkaProducer | None = None
        self._is_ending = False
        """Whether the end of the transaction has been asked for."""

    async def open(self) -> None:
        """Start the producer: InitProducerId fences the former holder of the transactional id."""
        producer = AIOKafkaProducer(
            **client_options(self._connection),
            transactional_id=self._transactional_id,
            transaction_timeout_ms=int(self._tuning.transaction_timeout_seconds * 1000),
            request_timeout_ms=int(self._tuning.request_timeout_seconds * 1000),
            max_batch_size=self._tuning.batch_bytes_max,
            # While the markers of the last transaction are being written the broker says "not yet";
            # waiting 100 ms, the default, would halve the throughput of small steps (design.md).
            retry_backoff_ms=10,
        )
        self._producer = group_fenced(producer, self._group_metadata)
        await self._producer.start()

    async def write(self, step: Step) -> None:
        """Commit *step*: its records, then the offsets behind them, and the transaction's end.

        Every send is awaited before the offsets: aiokafka would commit a transaction in which a batch failed.

        Raises:
            Exception: The outcome is not known; the process must end, and the next one ask the broker.
        """
        if self._producer is None:
            message = "The writer is not open."
            raise RuntimeError(message)
        self._step = step
        self._is_ending = False
        try:
            async with asyncio.timeout(self._tuning.transaction_timeout_seconds):
                await self._commit(self._producer, step)
        except Exception as error:  # noqa: BLE001 - raised again, whatever it is
            failure = sender_failure(self._producer) or error
            told = self._told(failure)
            raise told from (failure.__cause__ if told is failure else failure)

    async def _commit(self, producer: AIOKafkaProducer, step: Step) -> None:
        with self._timing(TransactionPart.BEGIN):
            await producer.begin_transaction()
        with self._timing(TransactionPart.SEND):
            await _send(producer, step)
        with self._timing(TransactionPart.OFFSETS):
            offsets = {KafkaTopicPartition(*tp): offset for tp, offset in step.next_offsets.items()}
            await producer.send_offsets_to_transaction(offsets, self._group_id)
        self._is_ending = True
        with self._timing(TransactionPart.END):
            await producer.commit_transaction()

    def _told(self, failure: BaseException) -> BaseException:
        """*failure*, or what it means."""
        match failure:
            case kafka_errors.TransactionalIdAuthorizationFailed():
                return AccessDeniedError(
                    f"The brokers do not let us write under the transactional id {self._transactional_id}."
                )
            case kafka_errors.ProducerFenced() | kafka_errors.InvalidProducerEpoch():
                return PlaceTakenError(
                    f"Another worker has taken the place {self._transactional_id}, or the brokers have given up a "
                    "transaction that took too long; the last step was not committed."
                )
            case kafka_errors.InvalidTimestampError():
                return StepFailedError(
                    "The brokers refuse the timestamps of this machine: its clock is wrong. Set it right, or set "
                    "message.timestamp.type=LogAppendTime on the topics that workers write to, as `g9603 topics` does."
                )
            case TimeoutError() if self._is_ending:
                return OutcomeUnknownError()
            case TimeoutError():
                seconds = self._tuning.transaction_timeout_seconds
                return StepFailedError(
                    f"The brokers did not take the last step within {seconds:.0f} s; it was not committed."
                )
            case _:
                return failure

    async def close(self) -> None:
        """Stop the producer."""
        if self._producer is not None:
            await self._producer.stop()

    def _group_metadata(self) -> GroupMetadata:
        if self._step is None:
            message = "Offsets are committed in a step."
            raise RuntimeError(message)
        return GroupMetadata(*self._step.generation)


async def _send(producer: AIOKafkaProducer, step: Step) -> None:
    """Send the step's records, a batch per partition as far as they fit, and await every one."""
    batches: dict[tuple[str, int], BatchBuilder] = defaultdict(producer.create_batch)
    sent = []
    for record in step.records:
        place, headers = (record.topic, record.partition), list(record.headers)
        appended = batches[place].append(timestamp=None, key=record.key, value=record.value, headers=headers)
        if appended is None:
            sent.append(await _sent(producer, batches.pop(place), place))
            # An empty batch takes a record of any size; the topic's own limit decides.
            batches[place].append(timestamp=None, key=record.key, value=record.value, headers=headers)
    for place, batch in batches.items():
        sent.append(await _sent(producer, batch, place))
    await asyncio.gather(*sent)


async def _sent(
    producer: AIOKafkaProducer, batch: BatchBuilder, place: tuple[str, int]
) -> asyncio.Future[RecordMetadata]:
    batch.close()
    topic, partition = place
    future: asyncio.Future[RecordMetadata] = await producer.send_batch(batch, topic, partition=partition)
    return future
