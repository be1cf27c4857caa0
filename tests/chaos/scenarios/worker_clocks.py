"""Workers whose own clock is wrong: ahead, behind, and jumping. No decision may depend on it."""

import sys
from collections.abc import Sequence
from pathlib import Path

from tests.chaos.scenario import Scenario, sentence_of
from tests.chaos.trial import Trial, TrialFailedError

_LIBRARIES = tuple(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
_JUMPS = ("-1h", "+3d", "-400d", "+0")


async def _under_kills(trial: Trial, offsets: Sequence[str]) -> None:
    """A worker for each of *offsets*; one is killed after each part of the load."""
    commands = [_command(f"FAKETIME={offset}") for offset in offsets]
    for command, offset in zip(commands, offsets, strict=True):
        trial.fault(f"the clock of {trial.start(command=command).name} is {offset} astray")
    for part in trial.parts(3):
        await trial.send(part)
        await trial.until_begun()
        victim = trial.random.choice(trial.workers)
        trial.kill(victim)
        trial.start(command=victim.restart_command)


async def ahead(trial: Trial) -> None:
    """The clock of one worker is two hours ahead, that of the other ten days: brokers take no such timestamps."""
    await _under_kills(trial, ("+2h", "+10d"))


async def behind(trial: Trial) -> None:
    """The clock of one worker is an hour behind, that of the other ten years: what it writes is not old."""
    await _under_kills(trial, ("-1h", "-3650d"))


async def jumping(trial: Trial) -> None:
    """The clock of a worker jumps while it works, an hour back, days ahead, a year back, and to what it should be."""
    clock = trial.folder / "clock"
    clock.write_text("+0\n", encoding="ascii")
    trial.start(command=_command(f"FAKETIME_TIMESTAMP_FILE={clock}", "FAKETIME_NO_CACHE=1"))
    for offset, part in zip(_JUMPS, trial.parts(len(_JUMPS)), strict=True):
        await trial.send(part)
        await trial.until_begun()
        clock.write_text(f"{offset}\n", encoding="ascii")
        trial.fault(f"the clock jumps to {offset}")
        await trial.until_done()


def _command(*environment: str) -> Sequence[str]:
    library = next(iter(_LIBRARIES), None)
    if library is None:
        message = "libfaketime is not installed: apt-get install libfaketime"
        raise TrialFailedError(message)
    told = (f"LD_PRELOAD={library}", "FAKETIME_DONT_FAKE_MONOTONIC=1", *environment)
    return ("env", *told, sys.executable, "-m", "streams", "worker")


SCENARIOS = (
    Scenario("clock-ahead", sentence_of(ahead), ahead),
    Scenario("clock-behind", sentence_of(behind), behind),
    Scenario("clock-jumps", sentence_of(jumping), jumping),
)
