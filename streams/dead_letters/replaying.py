"""Dead letters are sent again, each at most once, whatever happens on the way.

A letter goes back to the input that it came from, as it was received, with one more header; and in the same transaction
its id goes to a topic of ours. There is one transactional id for all who do this: to start is to end what an earlier
run left open, and only then is read what was sent before. So a letter is sent again and known to be, or neither.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiokafka.errors as kafka_errors
from aiokafka import AIOKafkaProducer

from streams.dead_letters.letters import Letter, Selection, read_letters, replayed_letters
from streams.kafka.connection import client_options
from streams.kafka.group_fenced_producer import GroupMetadata, group_fenced
from streams.kafka.sealing import Sealing
from streams.kafka.topic_admin import topic_admin
from streams.processing.access import replay_transactional_id
from streams.processing.dead_letter_source import received_headers
from streams.processing.topology import RECORD_BYTES_MAX, Topology

REPLAYED_FROM = "g9603-replayed-from"
"""The header that marks a record that was sent again: the topic, partition and offset of its dead letter."""

_LETTERS_PER_TRANSACTION = 200
_BYTES_PER_TRANSACTION = 8 * 1024 * 1024
_CONFIG = {"cleanup.policy": "compact", "message.timestamp.type": "LogAppendTime"}


class ReplayInDoubtError(Exception):
    """A transaction did not end as it should; the message says what to do."""


async def create_replays_topic(connection: Mapping[str, Any], topology: Topology) -> None:
    """Make the topic of what was sent again, where it is not there: as wide and as safe as the dead letters'.

    Raises:
        AccessDeniedError: We may not create it.
        BrokerUnreachableError: No broker answers.
    """
    async with topic_admin(connection) as admin:
        found = await admin.describe([topology.dead_letter, topology.dead_letter_replays])
        if topology.dead_letter_replays not in found:
            like = found[topology.dead_letter]
            await admin.create(
                topology.dead_letter_replays,
                partition_count=like.partition_count,
                replication=like.replication,
                config=_CONFIG,
            )


@asynccontextmanager
async def replayer(connection: Mapping[str, Any], topology: Topology, sealing: Sealing) -> AsyncIterator["Replayer"]:
    """A connected `Replayer`; what an earlier one left open has ended.

    Raises:
        KafkaError: The brokers do not let it write.
    """
    producer = group_fenced(
        AIOKafkaProducer(
            **client_options(connection),
            transactional_id=replay_transactional_id(topology),
            max_request_size=2 * RECORD_BYTES_MAX,
        ),
        _no_group,
    )
    await producer.start()
    try:
        yield Replayer(connection, topology, sealing, producer)
    finally:
        await producer.stop()


def _no_group() -> GroupMetadata:
    message = "No offsets are committed when a dead letter is sent again."
    raise AssertionError(message)


class Replayer:
    """Sends dead letters again; `replayer` makes it."""

    def __init__(
        self, connection: Mapping[str, Any], topology: Topology, sealing: Sealing, producer: AIOKafkaProducer
    ) -> None:
        self._connection = connection
        self._topology = topology
        self._sealing = sealing
        self._producer = producer

    async def replay(self, selection: Selection) -> AsyncIterator[Sequence[Letter]]:
        """Send those of *selection* again that are still dead; each transaction's letters, once it is committed.

        Raises:
            ReplayInDoubtError: A transaction did not end as it should.
            EncryptionError: A letter is sealed, and cannot be opened.
        """
        replayed = await replayed_letters(self._connection, self._topology)
        chosen: list[Letter] = []
        size = 0
        async for letter in read_letters(self._connection, self._topology, replayed):
            if not selection.means(letter) or not self._can_go_back(letter):
                continue
            chosen.append(letter)
            size += len(letter.record.value or b"")
            if len(chosen) >= _LETTERS_PER_TRANSACTION or size >= _BYTES_PER_TRANSACTION:
                await self._commit(chosen)
                yield chosen
                chosen, size = [], 0
        if chosen:
            await self._commit(chosen)
            yield chosen

    def _can_go_back(self, letter: Letter) -> bool:
        """Whether *letter* is still dead, and names an input: nobody is led to write anywhere else."""
        return letter.can_be_replayed and letter.source.topic in self._topology.kinds

    async def _commit(self, letters: Sequence[Letter]) -> None:
        opened = [self._sealing.opened_letter(letter.record) for letter in letters]
        try:
            await self._producer.begin_transaction()
            sent = []
            for letter, received in zip(letters, opened, strict=True):
                mark = (REPLAYED_FROM, f"{self._topology.dead_letter}-{letter.id}".encode())
                headers = [*received_headers(received.headers), mark]
                source = letter.source
                sent.append(
                    await self._producer.send(
                        source.topic, received.value, received.key, partition=source.partition, headers=headers
                    )
                )
                bookkeeping, name = self._topology.dead_letter_replays, str(letter.id).encode()
                sent.append(await self._producer.send(bookkeeping, str(source).encode(), name))
            await asyncio.gather(*sent)  # aiokafka would commit a transaction in which a batch failed
            await self._producer.commit_transaction()
        except kafka_errors.KafkaError as error:
            message = (
                f"Whether {len(letters)} dead letters were sent again is not known ({type(error).__name__}): "
                "run the same command again, which asks the brokers. If another one runs, let it finish first."
            )
            raise ReplayInDoubtError(message) from error
