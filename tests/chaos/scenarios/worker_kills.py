"""Workers that are killed: at random, and between any two acts of theirs."""

from tests.chaos.failpoint import STEP_POINTS, Failpoint, Moment, Point
from tests.chaos.scenario import Scenario, sentence_of
from tests.chaos.trial import Trial

_KILLS = 5
_PAUSE_SECONDS = (0.5, 4.0)


async def kill_at_random(trial: Trial) -> None:
    """Three workers; one of them is killed, and another started, again and again while the load comes in."""
    for _ in range(3):
        trial.start()
    await trial.send(trial.parts(_KILLS + 1)[0])
    await trial.until_begun()
    for part in trial.parts(_KILLS + 1)[1:]:
        await trial.send(part)
        await trial.pause(trial.random.uniform(*_PAUSE_SECONDS))
        trial.kill(trial.random.choice(trial.workers))
        trial.start()


async def all_killed(trial: Trial) -> None:
    """All are killed at once, in the middle of a backlog, twice: the log alone knows where they were."""
    for part in trial.parts(2):
        for _ in range(2):
            trial.start()
        await trial.send(part)
        await trial.until_begun()
        for worker in list(trial.workers):
            trial.kill(worker)
    trial.start()


def _in_a_step(point: Point, moment: Moment) -> Scenario:
    async def run(trial: Trial) -> None:
        await trial.send(trial.load)
        worker = trial.start(Failpoint(point, moment, input_count=len(trial.load)))
        await trial.until_killed_by_itself(worker)
        trial.start()

    return Scenario(
        f"killed-{point}-{moment}",
        f"A worker dies {point.replace('-', ' ')}, in its {moment} step.",
        run,
        in_subset=point is Point.END_SENT and moment is Moment.MIDDLE,
    )


def _before_work(point: Point, moment: Moment) -> Scenario:
    async def run(trial: Trial) -> None:
        first, second = trial.parts(2)
        former = trial.start()
        await trial.send(first)
        await trial.until_done()
        former.stop()
        trial.dismiss(former)
        await trial.send(second)
        worker = trial.start(Failpoint(point, moment))
        await trial.until_killed_by_itself(worker)
        trial.start()

    return Scenario(f"killed-{point}-{moment}", f"A worker dies {point.replace('-', ' ')}, at the {moment} of it.", run)


def _in_revocation(moment: Moment) -> Scenario:
    async def run(trial: Trial) -> None:
        worker = trial.start(Failpoint(Point.IN_REVOCATION, moment))
        await trial.send(trial.load)
        await trial.until_begun()
        trial.start()  # which makes the group revoke everything
        await trial.until_killed_by_itself(worker)

    return Scenario(f"killed-in-revocation-{moment}", f"A worker dies while it gives up its tasks, {moment}.", run)


SCENARIOS = (
    Scenario("worker-killed-at-random", sentence_of(kill_at_random), kill_at_random, in_subset=True),
    Scenario("all-workers-killed", sentence_of(all_killed), all_killed),
    *(_in_a_step(point, moment) for point in STEP_POINTS for moment in Moment),
    *(_before_work(point, moment) for point in (Point.IN_RESTORE, Point.IN_ASSIGNMENT) for moment in Moment),
    *(_in_revocation(moment) for moment in Moment),
)
