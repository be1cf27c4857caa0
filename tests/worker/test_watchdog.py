"""The watchdog's thread: what it sees of loops that turn, of one that does not, and of time in which it slept."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable
from itertools import count

import pytest

from streams.worker.stall import ConsumerProgress
from streams.worker.task_progress import Phase, TaskProgress
from streams.worker.tuning import Tuning
from streams.worker.watchdog import Watchdog

PATIENT = Tuning(watch_interval_seconds=0.01)
EAGER = Tuning(watch_interval_seconds=0.01, loop_stall_seconds=1, rebalance_stall_seconds=1)
IDLE = TaskProgress(Phase.WORKING, assignments=1, records_restored=0, steps_committed=0, records_in_hand=False)
QUIET = ConsumerProgress(records_wait=False, rejoin_needed=False)


class Clock:
    """Each look at it is *step_seconds* later than the last."""

    def __init__(self, step_seconds: float) -> None:
        self._readings = (step_seconds * number for number in count())
        self.looked_at = 0

    def __call__(self) -> float:
        """The next reading."""
        self.looked_at += 1
        return next(self._readings)


class Watched:
    """A worker's loop and a consumer's, the latter in a thread, and what the watchdog said of them."""

    def __init__(
        self, tuning: Tuning, clock: Callable[[], float], tasks: Callable[[], TaskProgress] = lambda: IDLE
    ) -> None:
        self.stalls: list[Exception] = []
        self.bitten = threading.Event()
        self.consumer_loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.consumer_loop.run_forever)
        self._thread.start()
        self.watchdog = Watchdog(
            loop=asyncio.get_running_loop(),
            consumer_loop=lambda: self.consumer_loop,
            tasks=tasks,
            consumer=lambda: QUIET,
            on_stall=self._bite,
            tuning=tuning,
            clock=clock,
        )

    def _bite(self, stalled: Exception) -> None:
        self.stalls.append(stalled)
        self.bitten.set()

    def end(self) -> None:
        """Stop watching, and the consumer's thread."""
        self.watchdog.stop()
        self.consumer_loop.call_soon_threadsafe(self.consumer_loop.stop)
        self._thread.join()
        self.consumer_loop.close()


@pytest.fixture
async def watch() -> AsyncIterator[Callable[..., Watched]]:
    """Makes what is watched, and ends it with the test."""
    made: list[Watched] = []

    def make(tuning: Tuning, clock: Clock, tasks: Callable[[], TaskProgress] = lambda: IDLE) -> Watched:
        made.append(Watched(tuning, clock, tasks))
        made[-1].watchdog.start()
        return made[-1]

    yield make
    for watched in made:
        watched.end()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.001)


async def test_a_worker_that_turns_is_left_alone(watch: Callable[..., Watched]) -> None:
    """As long as both loops answer, any amount of time may pass."""
    clock = Clock(step_seconds=0.01)
    watched = watch(PATIENT, clock)
    await until(lambda: clock.looked_at > 200)
    assert watched.stalls == []


async def test_a_blocked_loop_is_found_out(watch: Callable[..., Watched]) -> None:
    """Nothing in the loop can keep the thread from it."""
    watched = watch(EAGER, Clock(step_seconds=0.01))
    assert watched.bitten.wait(60)  # blocks the event loop, on purpose
    assert str(watched.stalls[0]).startswith("event-loop-blocked, for 1 s. The event loop does not turn")


async def test_a_blocked_consumer_is_found_out(watch: Callable[..., Watched]) -> None:
    """Its loop is another, in another thread."""
    watched = watch(EAGER, Clock(step_seconds=0.01))
    watched.consumer_loop.call_soon_threadsafe(watched.bitten.wait, 60)
    await until(watched.bitten.is_set)
    assert str(watched.stalls[0]).startswith("consumer-loop-blocked, for 1 s.")


async def test_a_rebalance_without_end_is_found_out(watch: Callable[..., Watched]) -> None:
    """What the tasks say is asked anew each time."""
    phases = iter([Phase.WORKING])
    watched = watch(EAGER, Clock(step_seconds=0.01), lambda: IDLE._replace(phase=next(phases, Phase.REBALANCING)))
    await until(watched.bitten.is_set)
    assert str(watched.stalls[0]).startswith("rebalance-without-end, for 1 s.")


async def test_time_in_which_the_watchdog_slept_does_not_count(watch: Callable[..., Watched]) -> None:
    """A process that was frozen for an hour could not move: nothing is held against it when it wakes."""
    clock = Clock(step_seconds=3600)
    watched = watch(PATIENT, clock, lambda: IDLE._replace(phase=Phase.REBALANCING))
    await until(lambda: clock.looked_at > 100)
    assert watched.stalls == []


async def test_it_bites_once_and_not_after_it_was_stopped(watch: Callable[..., Watched]) -> None:
    """A worker that ends in good order is not ended a second time."""
    watched = watch(EAGER, Clock(step_seconds=0.01))
    watched.watchdog.stop()
    time.sleep(0.1)  # noqa: ASYNC251 - blocks the event loop, on purpose
    assert watched.stalls == []
