"""Ends a worker that is stuck, from a thread that nothing in the worker can block.

It posts a tick to the worker's event loop and to the consumer's, and looks at what they answered; `stall` judges. What
holds the interpreter itself (a C extension that keeps the GIL) stops this thread too, but also the heartbeats, so that
the group takes the partitions away.
"""

import asyncio
import faulthandler
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from streams.worker.stall import ConsumerProgress, Observation, Stall, Verdict, Waiting, signals, verdict, waited
from streams.worker.task_progress import TaskProgress
from streams.worker.tuning import Tuning

_LAST_WORD_SECONDS_MAX = 5.0
_PLACES_MAX = 20
_TROUBLE_RATIO = 0.5
"""Half of the patience gone: whoever supervises the worker hears of it before the watchdog ends it."""


class StalledError(Exception):
    """The worker is alive and does nothing; the message says what does not move."""

    def __init__(self, found: Verdict) -> None:
        super().__init__(f"{found.stall}, for {found.seconds:.0f} s. {found.stall.sentence}")


class _Ticker:
    """Counts how often a loop has answered, and takes a sample there, where nothing changes meanwhile."""

    def __init__(self) -> None:
        self.ticks = 0
        self._asked = 0

    def ask(self, loop: asyncio.AbstractEventLoop | None, sample: Callable[[], object]) -> None:
        if loop is None or self._asked > self.ticks:
            return  # one question at a time: a blocked loop must not collect them
        self._asked += 1
        with suppress(RuntimeError):  # the loop is closed: it will not tick
            loop.call_soon_threadsafe(self._answer, sample)

    def _answer(self, sample: Callable[[], object]) -> None:
        sample()
        self.ticks += 1


class Watchdog:
    """Watches one worker.

    Args:
        loop: The worker's event loop.
        consumer_loop: The consumer's, None while there is none.
        tasks: How far the tasks are; asked on *loop*.
        consumer: How far the consumer is; asked on *consumer_loop*.
        on_stall: Called, once, on the watchdog's thread; it should end the process. With a `StalledError`, or with
            what keeps the watchdog from watching.
        tuning: How patient it is.
        clock: Seconds that never go back.
    """

    def __init__(  # noqa: PLR0913 - a watchdog sees all parts
        self,
        *,
        loop: asyncio.AbstractEventLoop,
        consumer_loop: Callable[[], asyncio.AbstractEventLoop | None],
        tasks: Callable[[], TaskProgress],
        consumer: Callable[[], ConsumerProgress | None],
        on_stall: Callable[[Exception], None],
        tuning: Tuning,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._loop = loop
        self._consumer_loop = consumer_loop
        self._ask_tasks, self._ask_consumer = tasks, consumer
        self._on_stall = on_stall
        self._interval_seconds = tuning.watch_interval_seconds
        self._patience_seconds = patience(tuning)
        self._clock = clock
        self._main, self._consuming = _Ticker(), _Ticker()
        self._tasks, self._consumer = tasks(), consumer()
        self._waiting: Mapping[Stall, Waiting] = {}
        self._stopped = threading.Event()

    @property
    def wait_ratios(self) -> dict[str, float]:
        """For how long nothing has moved that should, as a part of the patience."""
        waiting = self._waiting
        return {
            str(stall): waiting[stall].seconds / patience if stall in waiting else 0.0
            for stall, patience in self._patience_seconds.items()
        }

    @property
    def trouble(self) -> str | None:
        """What has stood still for too long already, in a sentence."""
        name, ratio = max(self.wait_ratios.items(), key=lambda item: item[1])
        if ratio < _TROUBLE_RATIO:
            return None
        stall = Stall(name)
        return f"{stall}, for {ratio * self._patience_seconds[stall]:.0f} s. {stall.sentence}"

    def start(self) -> None:
        """Watch until the process ends, or until `stop`."""
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()

    def stop(self) -> None:
        """Look away: the worker ends in good order."""
        self._stopped.set()

    def _watch(self) -> None:
        try:
            self._look_on()
        except Exception as error:  # noqa: BLE001 - nobody would watch the worker any more
            self._on_stall(error)

    def _look_on(self) -> None:
        seen_at = self._clock()
        while not self._stopped.wait(self._interval_seconds):
            self._main.ask(self._loop, self._sample_tasks)
            self._consuming.ask(self._consumer_loop(), self._sample_consumer)
            # A process that was frozen (SIGSTOP, a sleeping machine) could not move, and is not to blame.
            elapsed = min(self._clock() - seen_at, 2 * self._interval_seconds)
            seen_at = self._clock()
            self._waiting = waited(self._waiting, signals(self._seen()), elapsed)
            found = verdict(self._waiting, self._patience_seconds)
            if found is not None and not self._stopped.is_set():
                self._on_stall(StalledError(found))
                return

    def _seen(self) -> Observation:
        return Observation(self._main.ticks, self._consuming.ticks, self._tasks, self._consumer)

    def _sample_tasks(self) -> None:
        self._tasks = self._ask_tasks()

    def _sample_consumer(self) -> None:
        self._consumer = self._ask_consumer()


def patience(tuning: Tuning) -> dict[Stall, float]:
    """For how many seconds each may stand still."""
    return {
        Stall.EVENT_LOOP: tuning.loop_stall_seconds,
        Stall.CONSUMER_LOOP: tuning.loop_stall_seconds,
        Stall.STEP: tuning.step_stall_seconds,
        # The restorer itself gives up before, in a sentence that says more; this is for where it cannot.
        Stall.RESTORE: tuning.restore_stall_seconds + tuning.loop_stall_seconds,
        Stall.REBALANCE: tuning.rebalance_stall_seconds,
        Stall.REJOIN: tuning.rejoin_stall_seconds,
    }


def print_stacks(loop: asyncio.AbstractEventLoop) -> None:
    """Print where every thread and every coroutine of *loop* stands to standard error: places in the code, no values.

    The process ends within some seconds, also where nobody reads standard error and printing blocks.
    """
    stuck = threading.Timer(_LAST_WORD_SECONDS_MAX, os._exit, [os.EX_SOFTWARE])
    stuck.daemon = True
    stuck.start()
    faulthandler.dump_traceback(file=sys.stderr, all_threads=True)
    with suppress(Exception):  # the loop may be changing its tasks, and the last line matters more
        for task in asyncio.all_tasks(loop):
            sys.stderr.write("\n  ".join(["Coroutine:", *_places(task)]) + "\n")
    sys.stderr.flush()


def _places(task: "asyncio.Task[object]") -> list[str]:
    """Where *task* waits, outermost first."""
    places: list[str] = []
    coroutine: Any = task.get_coro()
    while len(places) < _PLACES_MAX:
        frame = getattr(coroutine, "cr_frame", None)
        if frame is None:
            break
        places.append(f"{frame.f_code.co_filename}:{frame.f_lineno} in {frame.f_code.co_qualname}")
        coroutine = coroutine.cr_await
    return places
