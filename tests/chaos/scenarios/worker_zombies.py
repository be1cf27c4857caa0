"""Workers that are frozen past their session, and wake up while another has their work."""

from tests.chaos.failpoint import Action, Failpoint, Moment, Point
from tests.chaos.scenario import Scenario, sentence_of
from tests.chaos.trial import Trial

_STOPPED_AT = (Point.BEFORE_BEGIN, Point.AFTER_FIRST_SEND, Point.AFTER_ALL_SENDS, Point.AFTER_OFFSETS)


async def zombie(trial: Trial) -> None:
    """A worker is frozen under load; another takes over and commits; the first wakes up with work in its hands."""
    first, second, third = trial.parts(3)
    frozen, survivor = trial.start(), trial.start()
    await trial.until_tasks(frozen, 2)
    await trial.send(first)
    await trial.until_begun()
    trial.fault(f"SIGSTOP {frozen.name}")
    frozen.freeze()
    await trial.send(second)
    await trial.until_tasks(survivor, 4)
    await trial.until_done()
    frozen.thaw()
    trial.healed(f"SIGCONT {frozen.name}")
    await trial.send(third)


async def zombie_keeps_its_work(trial: Trial) -> None:
    """All workers are frozen until their sessions are over, and wake up together: nobody has taken over."""
    workers = [trial.start(), trial.start()]
    first, second = trial.parts(2)
    await trial.send(first)
    await trial.until_begun()
    for worker in workers:
        trial.fault(f"SIGSTOP {worker.name}")
        worker.freeze()
    await trial.send(second)
    await trial.pause(trial.random.uniform(11.0, 14.0))
    for worker in workers:
        worker.thaw()
        trial.healed(f"SIGCONT {worker.name}")


async def short_freezes(trial: Trial) -> None:
    """Many stalls that are shorter than the session, as a machine has that is short of processor time."""
    workers = [trial.start(), trial.start()]
    for part in trial.parts(8):
        await trial.send(part)
        worker = trial.random.choice(workers)
        if not worker.running:
            continue
        trial.fault(f"SIGSTOP {worker.name}")
        worker.freeze()
        await trial.pause(trial.random.uniform(0.2, 2.0))
        worker.thaw()
        trial.healed(f"SIGCONT {worker.name}")


def _stopped_in_a_step(point: Point) -> Scenario:
    async def run(trial: Trial) -> None:
        """The transaction is open, or about to be, while another takes over."""
        count = len(trial.load)
        first, second = trial.load[: count // 2], trial.load[count // 2 :]
        await trial.send(first)
        frozen = trial.start(Failpoint(point, Moment.MIDDLE, Action.STOP, input_count=len(first)))
        await trial.until_frozen(frozen)
        survivor = trial.start()
        await trial.until_tasks(survivor, trial.scenario.partitions)
        await trial.until_done()
        frozen.thaw()
        trial.healed(f"SIGCONT {frozen.name}")
        await trial.send(second)

    return Scenario(
        f"zombie-{point}",
        f"A worker is frozen {point.replace('-', ' ')} in the middle of the load, and wakes up when another is done.",
        run,
        in_subset=point is Point.AFTER_OFFSETS,
    )


SCENARIOS = (
    Scenario("zombie", sentence_of(zombie), zombie, in_subset=True),
    Scenario("zombies-nobody-took-over", sentence_of(zombie_keeps_its_work), zombie_keeps_its_work),
    Scenario("short-freezes", sentence_of(short_freezes), short_freezes),
    *(_stopped_in_a_step(point) for point in _STOPPED_AT),
)
