"""Has a role the rights that it needs? The brokers are asked; nothing is tried out."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any

import aiokafka.errors as kafka_errors
from aiokafka.client import AIOKafkaClient, CoordinationType

from streams.kafka.authorized_operations import DescribeGroupsRequest, MetadataRequest
from streams.kafka.broker_access import AccessDeniedError, ensure_access, unreachable
from streams.kafka.connection import client_options
from streams.processing.access import Operation, ResourceType, Right
from streams.settings import SecurityProtocol

WHERE_RIGHTS_ARE = "`g9603 topics --acls` prints the commands that grant each role its rights."

_ANSWER_SECONDS_MAX = 20.0
_RETRY_SECONDS = 0.1
_TOPIC_DENIED = kafka_errors.TopicAuthorizationFailedError.errno
_GROUP_DENIED = kafka_errors.GroupAuthorizationFailedError.errno

# Kafka's numbers of operations, which are the bits of what is granted (KIP-430).
_BITS = {
    Operation.READ: 1 << 3,
    Operation.WRITE: 1 << 4,
    Operation.CREATE: 1 << 5,
    Operation.DESCRIBE: 1 << 8,
    Operation.DESCRIBE_CONFIGS: 1 << 10,
}

_WITH_DESCRIBE = {Operation.READ, Operation.WRITE, Operation.DESCRIBE}


async def ensure_rights(connection: Mapping[str, Any], rights: Collection[Right]) -> None:
    """Return where the brokers let us in and have granted us all *rights*.

    Without credentials nothing is asked: a cluster that lets in everybody has other things to mend first.

    Raises:
        AccessDeniedError: A right is missing; a sentence for each.
        BrokerUnreachableError: No broker answers; `ensure_access` has more.
    """
    await ensure_access(connection)
    if connection.get("security_protocol", SecurityProtocol.PLAINTEXT) == SecurityProtocol.PLAINTEXT:
        return
    missing = await missing_rights(connection, rights)
    if missing:
        raise AccessDeniedError("\n".join([*(_denied(connection, right) for right in missing), WHERE_RIGHTS_ARE]))


def _denied(connection: Mapping[str, Any], right: Right) -> str:
    who = connection.get("sasl_plain_username") or "the principal that we log in as"
    return f"A right is missing: {right}, for {who}."


async def missing_rights(connection: Mapping[str, Any], rights: Collection[Right]) -> list[Right]:
    """Those of *rights* that the brokers have not granted to whom *connection* logs in.

    A topic that is not there counts as granted, if it would be once it is. Of a transactional id only the right to look
    at it can be asked for; whoever may write it has that, too.

    Raises:
        BrokerUnreachableError: No broker answers.
    """
    client = AIOKafkaClient(**client_options(connection))
    ask: Mapping[ResourceType, Callable[[AIOKafkaClient, Right], Awaitable[bool]]] = {
        ResourceType.TOPIC: _topic_granted,
        ResourceType.GROUP: _group_granted,
        ResourceType.TRANSACTIONAL_ID: _transactional_id_granted,
    }
    try:
        async with asyncio.timeout(_ANSWER_SECONDS_MAX):
            await client.bootstrap()
            return [right for right in rights if not await ask[right.resource_type](client, right)]
    except (OSError, kafka_errors.KafkaError) as error:
        raise unreachable(str(connection["bootstrap_servers"])) from error
    finally:
        await client.close()


async def _topic_granted(client: AIOKafkaClient, right: Right) -> bool:
    response = await client.send(client.get_random_node(), MetadataRequest([right.name]))
    ((error_code, *_, operations),) = response.topics
    if error_code == _TOPIC_DENIED:  # not even Describe; of the other rights nothing is known
        return right.operation not in _WITH_DESCRIBE
    return error_code != 0 or bool(operations & _BITS[right.operation])


async def _group_granted(client: AIOKafkaClient, right: Right) -> bool:
    while True:
        try:
            coordinator = await client.coordinator_lookup(CoordinationType.GROUP, right.name)
        except kafka_errors.GroupAuthorizationFailedError:
            return False
        except kafka_errors.GroupCoordinatorNotAvailableError:
            await asyncio.sleep(_RETRY_SECONDS)  # the cluster's first group: its topic is being made
            continue
        response = await client.send(coordinator, DescribeGroupsRequest(right.name))
        ((error_code, *_, operations),) = response.groups
        if error_code in (0, _GROUP_DENIED):
            return error_code == 0 and bool(operations & _BITS[right.operation])
        await asyncio.sleep(_RETRY_SECONDS)  # the coordinator has just moved


async def _transactional_id_granted(client: AIOKafkaClient, right: Right) -> bool:
    try:
        await client.coordinator_lookup(CoordinationType.TRANSACTION, right.name)
    except kafka_errors.TransactionalIdAuthorizationFailed:
        return False
    except kafka_errors.GroupCoordinatorNotAvailableError:
        return True  # the cluster's first transaction; who may not look is told so before that
    return True
