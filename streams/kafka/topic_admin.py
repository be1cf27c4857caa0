"""What topics there are, and making those that are missing."""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import aiokafka.errors as kafka_errors
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from streams.kafka.broker_access import AccessDeniedError, ensure_access, unreachable
from streams.kafka.connection import client_options

_MAY_NOT_CREATE = (
    "A right is missing: Create on the topic {name}. Grant it, or have somebody create the topic who may; "
    "`g9603 topics --acls` prints the commands."
)
_VISIBLE_SECONDS_MAX = 30.0
_VISIBLE_POLL_SECONDS = 0.05


class TopicDescription(NamedTuple):
    """A topic as it is."""

    name: str
    partition_count: int
    replication: int


class TopicAdmin:
    """Looks at topics and creates them."""

    def __init__(self, client: AIOKafkaAdminClient) -> None:
        self._client = client

    async def describe(self, names: Collection[str]) -> dict[str, TopicDescription]:
        """Those of *names* that exist."""
        # To ask a broker for a topic is to create it, where it creates topics by itself, and then with settings
        # of its own. To ask for all of them is not.
        existing = set(await self._client.list_topics())
        wanted = [name for name in names if name in existing]
        described = await self._client.describe_topics(wanted) if wanted else []
        return {
            topic["topic"]: TopicDescription(
                topic["topic"], len(topic["partitions"]), min(len(p["replicas"]) for p in topic["partitions"])
            )
            for topic in described
            if topic["error_code"] == 0
        }

    async def config_of(self, name: str) -> dict[str, str] | None:
        """The settings of topic *name*; None where the broker cannot tell (an in-process one)."""
        resource = ConfigResource(ConfigResourceType.TOPIC, name)
        try:
            (response,) = await self._client.describe_configs([resource])
        except kafka_errors.IncompatibleBrokerVersion:
            return None
        settings: dict[str, str] = {}
        for error_code, error, *_, entries in response.resources:
            if error_code:
                message = f"The broker does not tell the settings of {name}: {error}"
                raise kafka_errors.for_code(error_code)(message)
            settings.update({entry[0]: entry[1] for entry in entries})
        return settings

    async def create(self, name: str, *, partition_count: int, replication: int, config: Mapping[str, str]) -> None:
        """Create topic *name*; fine where another has just done so. Returns when the brokers know of it.

        Raises:
            AccessDeniedError: We may not create it.
            KafkaError: The broker refuses.
            TimeoutError: The brokers do not learn of it from the controller.
        """
        topic = NewTopic(name, partition_count, replication, topic_configs=dict(config))
        response = await self._client.create_topics([topic])
        for _name, error_code, *rest in response.topic_errors:
            if error_code == kafka_errors.TopicAuthorizationFailedError.errno:
                raise AccessDeniedError(_MAY_NOT_CREATE.format(name=name))
            if error_code not in (0, kafka_errors.TopicAlreadyExistsError.errno):
                raise kafka_errors.for_code(error_code)(rest[0] if rest else name)
        async with asyncio.timeout(_VISIBLE_SECONDS_MAX):
            while not await self.describe([name]):  # noqa: ASYNC110 - brokers have no event for it
                await asyncio.sleep(_VISIBLE_POLL_SECONDS)


@asynccontextmanager
async def topic_admin(connection: Mapping[str, Any]) -> AsyncIterator[TopicAdmin]:
    """A connected admin.

    Raises:
        BrokerUnreachableError: No broker answers.
        AccessDeniedError: One does not let us in; `ensure_access` has more.
    """
    await ensure_access(connection)
    client = AIOKafkaAdminClient(**client_options(connection))
    try:
        await client.start()
    except kafka_errors.KafkaError as error:
        await client.close()
        raise unreachable(str(connection["bootstrap_servers"])) from error
    try:
        yield TopicAdmin(client)
    finally:
        await client.close()
