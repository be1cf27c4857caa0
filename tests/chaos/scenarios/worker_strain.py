"""Workers that are short of something: of time, of memory, of a place to write."""

import sys

from streams.cli.console import ExitCode
from tests.chaos.failpoint import Action, Failpoint, Moment, Point
from tests.chaos.scenario import Scenario, sentence_of
from tests.chaos.trial import Trial

_BLOCKED_SECONDS = 15.0
"""Longer than a session, and than a transaction."""
_TOO_LITTLE_KILOBYTES = 200_000
"""Of address space: enough to start, not enough to hold what it fetches."""


def _blocked(point: Point) -> Scenario:
    async def run(trial: Trial) -> None:
        await trial.send(trial.load)
        failpoint = Failpoint(point, Moment.MIDDLE, Action.BLOCK, len(trial.load), _BLOCKED_SECONDS)
        worker = trial.start(failpoint)
        await trial.until_said(worker, "failpoint")
        trial.fault(f"the event loop of {worker.name} is blocked for {_BLOCKED_SECONDS:.0f} s")
        await trial.pause(_BLOCKED_SECONDS)
        trial.healed(f"{worker.name} can go on")

    return Scenario(
        f"blocked-{point}",
        f"The event loop of a worker is blocked {point.replace('-', ' ')}, for longer than a transaction may take.",
        run,
    )


async def memory_limit(trial: Trial) -> None:
    """A worker that may have little memory; what it does at the limit must not cost a record."""
    command = ("sh", "-c", f"ulimit -v {_TOO_LITTLE_KILOBYTES}; exec {sys.executable} -m streams worker")
    await trial.send(trial.load)
    trial.fault(f"a worker may have {_TOO_LITTLE_KILOBYTES} kB")
    starved = trial.start(command=command)
    await trial.pause(20.0)
    trial.healed("and one may have all")
    if starved.running:
        starved.kill()
    trial.dismiss(starved)
    trial.note(f"{starved.name} ended with {starved.exit_code}")
    trial.start()


async def no_place_for_state(trial: Trial) -> None:
    """The folder for local state cannot be made: the worker says so, and does not begin."""
    file = trial.folder / "a-file"
    file.touch()
    await trial.send(trial.load)
    trial.fault("the folder for local state lies in a file")
    worker = trial.start(settings=trial.settings.model_copy(update={"data_dir": file / "state"}))
    await trial.until_ended(worker)
    trial.expect(worker, ExitCode.MISCONFIGURED, "G9603_DATA_DIR")
    trial.start()


SCENARIOS = (
    *(_blocked(point) for point in (Point.AFTER_FIRST_SEND, Point.AFTER_OFFSETS, Point.BEFORE_BEGIN)),
    Scenario("memory-limit", sentence_of(memory_limit), memory_limit),
    Scenario("no-place-for-state", sentence_of(no_place_for_state), no_place_for_state),
)
