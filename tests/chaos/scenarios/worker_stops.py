"""Workers that are asked to stop: under load, twice, while they restore, and while others come and go."""

import signal

from streams.cli.console import ExitCode
from tests.chaos.failpoint import Action, Failpoint, Moment, Point
from tests.chaos.scenario import Scenario, sentence_of
from tests.chaos.trial import Trial

_STORM_EVENTS = 14
_WORKERS_MAX = 8
_STARTS = 8
_STARTS_GAP_SECONDS = 0.5


async def stop_under_load(trial: Trial) -> None:
    """SIGTERM to a worker under load, again and again: the step in hand is committed, and it leaves."""
    trial.start()
    for part in trial.parts(3):
        leaving = trial.start()
        await trial.until_tasks(leaving, 2)
        await trial.send(part)
        await trial.until_begun()
        trial.fault(f"SIGTERM {leaving.name}")
        leaving.terminate()
        await trial.until_ended(leaving)
        trial.expect(leaving, ExitCode.DONE)


async def stop_twice(trial: Trial) -> None:
    """SIGTERM, and again before the first is done: impatience changes nothing."""
    for part in trial.parts(2):
        leaving = trial.start()
        await trial.until_tasks(leaving, trial.scenario.partitions)
        await trial.send(part)
        await trial.until_begun()
        for _ in range(3):
            trial.fault(f"SIGTERM {leaving.name}")
            leaving.terminate()
        await trial.until_ended(leaving)
        trial.expect(leaving, ExitCode.DONE)
    trial.start()


async def stop_in_restore(trial: Trial) -> None:
    """SIGTERM while the changelog is being read, which takes longer than a heartbeat."""
    first, second = trial.parts(2)
    former = trial.start()
    await trial.send(first)
    await trial.until_done()
    former.stop()
    trial.dismiss(former)
    await trial.send(second)
    restoring = trial.start(Failpoint(Point.IN_RESTORE, Moment.MIDDLE, Action.STOP))
    await trial.until_frozen(restoring)
    restoring.terminate()
    restoring.thaw()
    trial.healed(f"SIGTERM and SIGCONT {restoring.name}")
    await trial.until_ended(restoring)
    if restoring.exit_code != ExitCode.DOUBT:
        trial.expect(restoring, ExitCode.DONE)
    trial.start()


async def stop_while_starting(trial: Trial) -> None:
    """SIGTERM to workers that are about to start, each a little later in it, while another is at work."""
    trial.start()
    for number, part in enumerate(trial.parts(_STARTS)):
        starting = trial.start()
        await trial.send(part)
        await trial.until_listening(starting)
        await trial.pause(number * _STARTS_GAP_SECONDS)
        trial.fault(f"SIGTERM {starting.name}")
        starting.terminate()
        await trial.until_ended(starting)
        trial.expect(starting, ExitCode.DONE, '"event": "worker_stopped')


async def rebalance_storm(trial: Trial) -> None:
    """One to eight workers: one comes, leaves, or is killed, every few seconds, while the load comes in."""
    trial.start()
    for part in trial.parts(_STORM_EVENTS):
        await trial.send(part)
        await trial.pause(trial.random.uniform(0.5, 3.0))
        event = trial.random.choice(("comes", "comes", "leaves", "is killed"))
        if event == "comes" and len(trial.workers) < _WORKERS_MAX:
            trial.fault("a worker comes")
            trial.start()
        elif len(trial.workers) > 1:
            worker = trial.random.choice(trial.workers)
            if event == "is killed":
                trial.kill(worker)
            else:
                trial.fault(f"SIGTERM {worker.name}")
                trial.dismiss(worker)
                await trial.until_listening(worker)
                worker.terminate()
    if not trial.workers:
        trial.start()
    for worker in trial.former_workers:
        await trial.until_ended(worker)
        if worker.exit_code != -signal.SIGKILL:
            trial.expect(worker, ExitCode.DONE)


SCENARIOS = (
    Scenario("stop-under-load", sentence_of(stop_under_load), stop_under_load),
    Scenario("stop-twice", sentence_of(stop_twice), stop_twice),
    Scenario("stop-in-restore", sentence_of(stop_in_restore), stop_in_restore),
    Scenario("stop-while-starting", sentence_of(stop_while_starting), stop_while_starting),
    Scenario("rebalance-storm", sentence_of(rebalance_storm), rebalance_storm, partitions=8),
)
