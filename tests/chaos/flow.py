"""How does the load come in little by little, while something else happens?"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from random import Random

import aiokafka.errors as kafka_errors

from streams.demo.source import DeliveredRecord
from tests.chaos.trial import Trial

_PARTS = 40
_GAP_SECONDS = 0.25


@asynccontextmanager
async def flowing(trial: Trial) -> AsyncIterator[None]:
    """Send the load in small parts while the block runs, and what is left of it then.

    The worker's transactions are many and small, so that a fault in the block meets some of them. Where the load ends
    before the block does, parts of it come again, as from a sender that repeats itself.

    What the block draws from `Trial.random` it draws before: the sender draws from it, too.
    """
    begun, over = asyncio.Event(), asyncio.Event()
    parts = trial.parts(_PARTS)
    repeated = Random(f"{trial.scenario.name}-flow")  # noqa: S311 - repeatable on purpose

    async def flow_on() -> None:
        await flow(trial, trial.load, begun)
        trial.note("the whole load is sent")
        while not over.is_set():
            await _sent(trial, repeated.choice(parts))

    async with asyncio.TaskGroup() as group:
        group.create_task(flow_on())
        await begun.wait()
        await trial.until_working()
        try:
            yield
        finally:
            over.set()


async def flow(trial: Trial, records: Sequence[DeliveredRecord], begun: asyncio.Event | None = None) -> None:
    """Send *records* in small parts; *begun* is set when the first is sent."""
    size = -(-len(records) // _PARTS)
    for start in range(0, len(records), size):
        while not await _sent(trial, records[start : start + size]):
            pass
        if begun is not None:
            begun.set()


async def _sent(trial: Trial, part: Sequence[DeliveredRecord]) -> bool:
    """Whether the brokers have taken *part*. The sender may meet the fault, too, and then sends all of it again."""
    try:
        await trial.send(part, noted=False)
    except kafka_errors.KafkaError as error:
        trial.note(f"the sender tries again after {type(error).__name__}")
        return False
    finally:
        await asyncio.sleep(_GAP_SECONDS)
    return True
