"""How does the load come in little by little, while something else happens?"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.chaos.trial import Trial

_PARTS = 40
_GAP_SECONDS = 0.25


@asynccontextmanager
async def flowing(trial: Trial) -> AsyncIterator[None]:
    """Send the load in small parts, over ten seconds at least; begins before the block, and is done after it.

    The worker's transactions are then many and small, so that a fault in the block meets some of them.
    """
    begun = asyncio.Event()

    async def flow() -> None:
        for part in trial.parts(_PARTS):
            await trial.send(part, noted=False)
            begun.set()
            await asyncio.sleep(_GAP_SECONDS)

    async with asyncio.TaskGroup() as group:
        group.create_task(flow())
        await begun.wait()
        await trial.until_working()
        yield
    trial.note(f"{len(trial.load)} records sent")
