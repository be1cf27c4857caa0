"""Workers that are short of something: of time, of memory, of a place to write."""

import resource
from collections.abc import Sequence

from streams.cli.console import ExitCode
from streams.demo.health_system.wire import InputRecord
from streams.demo.source import DeliveredRecord
from tests.chaos.failpoint import Action, Failpoint, Moment, Point
from tests.chaos.scenario import Scenario, sentence_of
from tests.chaos.trial import Trial

_BLOCKED_SECONDS = 15.0
"""Longer than a session, and than a transaction."""
_STARVED = 3
_SPARE_BYTES = 4 * 1024 * 1024
_LARGE_BYTES = 200_000
_LARGE_EVERY = 20


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
    """A worker under load may take no more memory than it has: it ends, by itself or by the kernel, again and again."""
    for part in trial.parts(_STARVED):
        starved = trial.start()
        await trial.until_tasks(starved, trial.scenario.partitions)
        trial.dismiss(starved)  # the next one is started here
        starved.limit(resource.RLIMIT_AS, starved.address_bytes + _SPARE_BYTES)
        trial.fault(f"{starved.name} may take no more memory than it has")
        await trial.send(_padded(part))
        await trial.until_ended(starved)
        if starved.exit_code is not None and starved.exit_code >= 0:
            trial.expect(starved, ExitCode.DOUBT, '"event": "worker_failed"')
    trial.start()


def _padded(records: Sequence[DeliveredRecord]) -> list[DeliveredRecord]:
    """*records*, and now and then one between them that is large and that nobody can read."""
    padded: list[DeliveredRecord] = []
    for number, record in enumerate(records):
        if number % _LARGE_EVERY == 0:
            padded.append(InputRecord(record.topic, record.key, b"[" * _LARGE_BYTES, (), "garbage"))  # type: ignore[arg-type] # one of the two
        padded.append(record)
    return padded


async def log_disk_full(trial: Trial) -> None:
    """A worker can write nothing more to its log: it works on, ends where it must, and stops when it is told."""
    first, second, third = trial.parts(3)
    silenced = trial.start()
    await trial.until_tasks(silenced, trial.scenario.partitions)
    silenced.limit(resource.RLIMIT_FSIZE, 1)
    trial.fault(f"{silenced.name} can write to no file")
    await trial.send(first)
    await trial.until_done()
    other = trial.start()  # of which the silenced one would say something
    await trial.until_tasks(other, trial.scenario.partitions // 2)
    await trial.send(second)
    await trial.until_done()
    trial.fault(f"SIGSTOP {silenced.name}")
    silenced.freeze()
    await trial.until_tasks(other, trial.scenario.partitions)
    silenced.thaw()
    await trial.until_ended(silenced)
    trial.expect(silenced, ExitCode.DOUBT)
    other.limit(resource.RLIMIT_FSIZE, 1)
    trial.fault(f"{other.name} can write to no file")
    await trial.send(third)
    await trial.until_begun()
    other.terminate()
    await trial.until_ended(other)
    trial.expect(other, ExitCode.DONE)
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
    Scenario("log-disk-full", sentence_of(log_disk_full), log_disk_full),
    Scenario("no-place-for-state", sentence_of(no_place_for_state), no_place_for_state),
)
