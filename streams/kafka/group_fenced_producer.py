"""A transactional producer that a consumer group can fence (KIP-447), and that never guesses.

aiokafka 0.14 commits offsets in a transaction with TxnOffsetCommit version 0, which does not say in whose
name: a worker that was paused past its session would commit for partitions that another owns by now.
Version 3 carries the member and the generation, and the group coordinator refuses a stale one. And aiokafka
repeats EndTxn after a lost answer; under the same producer epoch the late first request may then end the
*next* transaction (KIP-890). Here it is tried once, and doubt is an error.

Both are done by replacing private parts of the sender, which is why the version of aiokafka is pinned.
"""

import collections
from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple

import aiokafka.errors as kafka_errors
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.producer import sender as aiokafka_sender
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import (
    CompactArray,
    CompactString,
    Int16,
    Int32,
    Int64,
    Schema,
    TaggedFields,
)
from aiokafka.structs import OffsetAndMetadata

from streams.kafka.group_member import FENCED_INSTANCE_ID

_NO_LEADER_EPOCH = -1
_FENCED = (
    kafka_errors.IllegalGenerationError.errno,
    kafka_errors.UnknownMemberIdError.errno,
    FENCED_INSTANCE_ID,
)


class GroupMetadata(NamedTuple):
    """In whose name offsets are committed."""

    generation: int
    member_id: str
    group_instance_id: str | None = None


class _TxnOffsetCommitResponseV3(Response):
    API_KEY = 28
    API_VERSION = 3
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "errors",
            CompactArray(
                ("topic", CompactString("utf-8")),
                (
                    "partition_errors",
                    CompactArray(("partition", Int32), ("error_code", Int16), ("tags", TaggedFields)),
                ),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class _TxnOffsetCommitRequestV3(RequestStruct):
    API_KEY = 28
    API_VERSION = 3
    RESPONSE_TYPE = _TxnOffsetCommitResponseV3
    FLEXIBLE_VERSION = True
    SCHEMA = Schema(
        ("transactional_id", CompactString("utf-8")),
        ("group_id", CompactString("utf-8")),
        ("producer_id", Int64),
        ("producer_epoch", Int16),
        ("generation_id", Int32),
        ("member_id", CompactString("utf-8")),
        ("group_instance_id", CompactString("utf-8")),
        (
            "topics",
            CompactArray(
                ("topic", CompactString("utf-8")),
                (
                    "partitions",
                    CompactArray(
                        ("partition", Int32),
                        ("offset", Int64),
                        ("leader_epoch", Int32),
                        ("metadata", CompactString("utf-8")),
                        ("tags", TaggedFields),
                    ),
                ),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class _TxnOffsetCommitRequest(Request[_TxnOffsetCommitRequestV3]):
    API_KEY = 28

    def __init__(self, *fields: Any) -> None:  # noqa: ANN401 - the fields of a wire struct
        self._fields = fields

    def build(self, request_struct_class: type[_TxnOffsetCommitRequestV3]) -> _TxnOffsetCommitRequestV3:
        return request_struct_class(*self._fields)


class _VersionZeroShape(NamedTuple):
    """What aiokafka's own handler reads of a response."""

    errors: list[tuple[str, list[tuple[int, int]]]]


class _TxnOffsetCommitHandler(aiokafka_sender.TxnOffsetCommitHandler):
    def create_request(self) -> _TxnOffsetCommitRequest:
        transaction = self._sender._txn_manager  # noqa: SLF001
        metadata: GroupMetadata = self._sender.group_metadata()
        partitions_by_topic: dict[str, list[Any]] = collections.defaultdict(list)
        for tp, committed in sorted(self._offsets.items()):
            partitions_by_topic[tp.topic].append(
                (tp.partition, committed.offset, _NO_LEADER_EPOCH, committed.metadata, {})
            )
        return _TxnOffsetCommitRequest(
            transaction.transactional_id,
            self._group_id,
            transaction.producer_id,
            transaction.producer_epoch,
            metadata.generation,
            metadata.member_id,
            metadata.group_instance_id,
            [(topic, partitions, {}) for topic, partitions in partitions_by_topic.items()],
            {},
        )

    def handle_response(self, response: _TxnOffsetCommitResponseV3) -> float | None:
        shape = _VersionZeroShape(
            [(topic, [(p, code) for p, code, _ in partitions]) for topic, partitions, _ in response.errors]
        )
        for _topic, partitions in shape.errors:
            for _partition, code in partitions:
                if code in _FENCED:
                    self._sender._txn_manager.error_transaction(FencedByGroupError())  # noqa: SLF001
                    return None
        backoff: float | None = super().handle_response(shape)
        return backoff


class _AddPartitionsToTxnHandler(aiokafka_sender.AddPartitionsToTxnHandler):
    def handle_response(self, response: Any) -> float | None:  # noqa: ANN401 - aiokafka has no types
        """Give up where a topic may not be written.

        aiokafka gives up the transaction, but still sends the batches of its partitions, which belong to none now; what
        the broker says of that would hide what has really happened.
        """
        for topic, partitions in response.errors:
            if any(code == kafka_errors.TopicAuthorizationFailedError.errno for _partition, code in partitions):
                raise kafka_errors.TopicAuthorizationFailedError(topic)
        backoff: float | None = super().handle_response(response)
        return backoff


class _EndTxnHandler(aiokafka_sender.EndTxnHandler):
    async def do(self, node_id: int) -> bool:
        """Send EndTxn once; a broker's "not now" may be tried again, silence may not."""
        try:
            response = await self._sender.client.send(node_id, self.create_request(), group=self.group)
        except kafka_errors.KafkaError as error:
            raise OutcomeUnknownError from error
        backoff = self.handle_response(response)
        if backoff is None:
            return True
        await aiokafka_sender.asyncio.sleep(backoff)
        return False


class _Sender(aiokafka_sender.Sender):
    group_metadata: Callable[[], GroupMetadata]

    async def _do_add_partitions_to_txn(self, tps: Collection[TopicPartition]) -> bool:
        node_id = await self._find_coordinator(
            aiokafka_sender.CoordinationType.TRANSACTION, self._txn_manager.transactional_id
        )
        done: bool = await _AddPartitionsToTxnHandler(self, tps).do(node_id)
        return done

    async def _do_txn_offset_commit(self, offsets: Mapping[TopicPartition, OffsetAndMetadata], group_id: str) -> bool:
        node_id = await self._find_coordinator(aiokafka_sender.CoordinationType.GROUP, group_id)
        done: bool = await _TxnOffsetCommitHandler(self, offsets, group_id).do(node_id)
        return done

    async def _do_txn_commit(self, commit_result: int) -> None:
        await self._message_accumulator.flush_for_commit()
        transaction = self._txn_manager
        if transaction.is_empty_transaction():
            transaction.complete_transaction()
            return
        node_id = await self._find_coordinator(
            aiokafka_sender.CoordinationType.TRANSACTION, transaction.transactional_id
        )
        await _EndTxnHandler(self, commit_result).do(node_id)


class FencedByGroupError(kafka_errors.KafkaError):
    """The group has moved on: another worker owns these partitions, and this transaction must not commit."""

    def __init__(self) -> None:
        super().__init__(
            "The group has given this worker's partitions to others, because it was silent for too long; its last step "
            "was not committed."
        )


class OutcomeUnknownError(kafka_errors.KafkaError):
    """No answer came to EndTxn."""

    def __init__(self) -> None:
        super().__init__("No answer came to EndTxn: only the brokers know whether the last step was committed.")


def group_fenced(producer: AIOKafkaProducer, group_metadata: Callable[[], GroupMetadata]) -> AIOKafkaProducer:
    """Make *producer*, not yet started, commit offsets in the name of *group_metadata*'s member.

    Args:
        producer: With a transactional id.
        group_metadata: Asked at each commit; must answer with the generation under which the records of
            the transaction were fetched, not with the current one.
    """
    sender = producer._sender  # noqa: SLF001 - see the module's first lines
    sender.__class__ = _Sender
    sender.group_metadata = group_metadata
    return producer


def sender_failure(producer: AIOKafkaProducer) -> BaseException | None:
    """What has ended the producer's own task; None while it runs. What fails after it only hints at it."""
    task = producer._sender.sender_task  # noqa: SLF001
    if task is None or not task.done() or task.cancelled():
        return None
    failure: BaseException | None = task.exception()
    # aiokafka wraps it into a word that fits all.
    return failure and (failure.__cause__ or failure)
