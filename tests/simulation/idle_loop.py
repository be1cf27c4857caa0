"""An event loop that never waits: it runs until every task waits for somebody outside, then stops.

Between two rules of the simulation nothing runs by itself, so that a rule decides what happens next, and the
same choices give the same history every time. No clock is read: a timer fires as soon as nothing else can.
"""

import asyncio
import selectors
from collections.abc import Mapping
from typing import Any


class _IdleSelector(selectors.SelectSelector):
    """Instead of waiting for sockets it says that there is nothing to wait for."""

    loop: "IdleLoop"

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Nothing ever comes from outside: move the clock to the next timer, or stop where there is none."""
        if timeout is None:
            self.loop.stop()
        else:
            self.loop.now += timeout
        return []


class IdleLoop(asyncio.SelectorEventLoop):
    """A loop in virtual time."""

    def __init__(self) -> None:
        self.now = 0.0
        selector = _IdleSelector()
        selector.loop = self
        super().__init__(selector)
        self.set_exception_handler(_ignore)

    def time(self) -> float:
        """Seconds of virtual time."""
        return self.now

    def run_until_idle(self) -> None:
        """Run all that can run."""
        self.run_forever()

    def end(self) -> None:
        """Cancel what still waits, and close."""
        for task in asyncio.all_tasks(self):
            task.cancel()
        self.run_until_idle()
        self.close()


def _ignore(loop: asyncio.AbstractEventLoop, context: Mapping[str, Any]) -> None:
    """A process that ended takes its errors with it; it has told them to `on_failure` before."""
