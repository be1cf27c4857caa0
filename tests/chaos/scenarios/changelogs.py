"""Changelogs of every shape: compacted, ending in an open or an aborted transaction, refusing a large record."""

import sys

from streams.cli.console import ExitCode
from streams.processing.changelog import episode_key
from tests.chaos.scenario import Scenario, sentence_of
from tests.chaos.topic_surgery import SEEN_BY_CLEANER, configure, foreign_transaction, put, until_compacted
from tests.chaos.trial import Trial

_SMALL_BYTES = 2_000
_DOUBTS = 2
_OF_TOMORROW = episode_key("EP-of-tomorrow")
_NEWER = (sys.executable, "-m", "tests.chaos.controls.newer_worker")


async def compacted(trial: Trial) -> None:
    """The changelog is compacted, twice, and is all that a new worker has."""
    trial.changelog_is_whole = False
    for part in trial.parts(3):
        worker = trial.start()
        await trial.send(part)
        await trial.until_done()
        trial.kill(worker)
        await until_compacted(trial, trial.topology.episodes_changelog)
    trial.start()


async def ends_in_an_open_transaction(trial: Trial) -> None:
    """Somebody's transaction is open at the end of the changelog while a worker restores, and is aborted."""
    first, second = trial.parts(2)
    former = trial.start()
    await trial.send(first)
    await trial.until_done()
    trial.kill(former)
    await trial.send(second)
    async with foreign_transaction(trial, trial.topology.episodes_changelog, b"never to be restored", b"Eforeign"):
        trial.start()
        await trial.pause(trial.random.uniform(4.0, 8.0))


async def of_a_newer_version(trial: Trial) -> None:
    """The changelog holds an episode that a later version has written: this one refuses, until it is taken back."""
    trial.changelog_is_whole = False  # an episode that no input tells of comes and goes
    first, second = trial.parts(2)
    former = trial.start()
    await trial.send(first)
    await trial.until_done()
    trial.kill(former)
    await put(trial, trial.topology.episodes_changelog, _OF_TOMORROW, b"\x02" + bytes(100))
    trial.fault("a later version has written an episode")
    await trial.send(second)
    refused = trial.start()
    await trial.until_ended(refused)
    trial.expect(refused, ExitCode.MISCONFIGURED, "start a worker of that version")
    await put(trial, trial.topology.episodes_changelog, _OF_TOMORROW, None)
    trial.healed("and taken it back")
    trial.start()


async def versions_mixed(trial: Trial) -> None:
    """Workers of this version and of one whose facts have a field more, killed in turns: an upgrade, and back."""
    commands = [None, _NEWER] * 3
    trial.start()
    trial.start(command=_NEWER)
    for command, part in zip(commands, trial.parts(len(commands)), strict=True):
        await trial.send(part)
        await trial.until_begun()
        trial.kill(trial.random.choice(trial.workers))
        trial.start(command=command)


async def state_too_large(trial: Trial) -> None:
    """The changelog refuses an episode: nothing of that step is committed, until an operator allows it."""
    await trial.send(trial.load)
    trial.fault(f"the changelog takes records of {_SMALL_BYTES} bytes at most")
    trial.start()

    async def in_doubt() -> bool:
        return trial.restart_count >= _DOUBTS

    await trial.until(in_doubt, f"a worker has ended in doubt {_DOUBTS} times")
    specification = next(s for s in trial.topology.specifications if s.name == trial.topology.episodes_changelog)
    await configure(trial, specification.name, specification.config)
    trial.healed("the changelog takes large records again")


SCENARIOS = (
    Scenario("changelog-compacted", sentence_of(compacted), compacted, changelog_config=SEEN_BY_CLEANER),
    Scenario("changelog-of-a-newer-version", sentence_of(of_a_newer_version), of_a_newer_version),
    Scenario("changelog-versions-mixed", sentence_of(versions_mixed), versions_mixed),
    Scenario("changelog-open-transaction", sentence_of(ends_in_an_open_transaction), ends_in_an_open_transaction),
    Scenario(
        "changelog-refuses-large-records",
        sentence_of(state_too_large),
        state_too_large,
        changelog_config={"max.message.bytes": str(_SMALL_BYTES)},
    ),
)
