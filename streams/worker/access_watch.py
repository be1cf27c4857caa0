"""Does the worker still have the access that it started with?

Kafka looks at credentials when a connection is made, and not again: that a user was removed, or that a certificate has
run out, shows at the next connection, hours later perhaps, and then aiokafka tries for ever. So one connection is made
every few seconds to find out, and over another the rights are asked for.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping
from typing import Any

import aiokafka.errors as kafka_errors
import structlog

from streams.kafka.broker_access import AccessDeniedError, BrokerNotTrustedError, BrokerUnreachableError
from streams.kafka.granted_rights import ensure_rights
from streams.processing.access import Right

_log = structlog.get_logger(__name__)


async def watch_access(
    connection: Mapping[str, Any],
    rights: Collection[Right],
    *,
    every_seconds: float,
    on_denied: Callable[[AccessDeniedError], None],
) -> None:
    """Look again and again, until access is denied.

    A broker that does not answer, or whose own certificate is at fault, is none of our business here: it may come back.

    Args:
        connection: Options of the worker's clients; of the files behind them only a token is read anew.
        rights: What the worker needs.
        every_seconds: How long to wait in between.
        on_denied: Called once; it should end the process.
    """
    while True:
        await asyncio.sleep(every_seconds)
        try:
            await ensure_rights(connection, rights)
        except AccessDeniedError as error:
            on_denied(error)
            return
        except (BrokerUnreachableError, BrokerNotTrustedError, kafka_errors.KafkaError) as error:
            _log.warning("access_not_checked", reason=str(error))
