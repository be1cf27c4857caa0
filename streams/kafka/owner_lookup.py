"""Which member of the group has a stream task now? Asked of the coordinator, which is the only one to know."""

import asyncio
from collections.abc import Mapping
from typing import Any

import aiokafka.errors as kafka_errors
from aiokafka.admin import AIOKafkaAdminClient

from streams.kafka.broker_access import ensure_access, unreachable
from streams.kafka.connection import client_options
from streams.kafka.group_description import described_group
from streams.monitoring.reading import MemberReading


class OwnerLookup:
    """Asks over one connection, made when it is first needed and again after a fault.

    Args:
        connection: Options of an aiokafka client.
        group_id: The workers' group.
    """

    def __init__(self, connection: Mapping[str, Any], group_id: str) -> None:
        self._connection = connection
        self._group_id = group_id
        self._admin: AIOKafkaAdminClient | None = None
        self._connecting = asyncio.Lock()

    async def owner_of(self, partition: int) -> MemberReading | None:
        """The member that has the task of *partition*; None while the group rebalances, or has no members.

        Raises:
            KafkaError: The brokers do not answer.
            BrokerUnreachableError: The same.
            AccessDeniedError: One does not let us in; `ensure_access` has more.
        """
        try:
            described = await described_group(await self._connected(), self._group_id)
        except kafka_errors.KafkaError:
            await self.close()
            raise
        return next((member for member in described.members if partition in member.partitions), None)

    async def close(self) -> None:
        """Let the connection go."""
        admin, self._admin = self._admin, None
        if admin is not None:
            await admin.close()

    async def _connected(self) -> AIOKafkaAdminClient:
        async with self._connecting:
            if self._admin is None:
                await ensure_access(self._connection)
                admin = AIOKafkaAdminClient(**client_options(self._connection))
                try:
                    await admin.start()
                except kafka_errors.KafkaError as error:
                    await admin.close()
                    raise unreachable(str(self._connection["bootstrap_servers"])) from error
                self._admin = admin
            return self._admin
