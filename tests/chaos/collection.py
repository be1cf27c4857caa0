"""Gathers the evidence of a trial."""

import asyncio
import re

from streams.processing.records import InputRecord
from streams.worker.restorer import ChangelogRestorer
from streams.worker.tuning import Tuning
from tests.chaos.evidence import Evidence
from tests.chaos.load import ids_of_people
from tests.chaos.observation import Ends, committed_offsets, read_all
from tests.chaos.trial import Trial

_SETTLE_SECONDS_MAX = 60.0
_POLL_SECONDS = 0.3
_WORD = re.compile(r"[A-Za-z0-9_-]+")


async def collect(trial: Trial) -> Evidence:
    """Everything that can be seen when the workers of *trial* have stopped."""
    topology, connection = trial.topology, trial.connection
    ends = Ends(connection)
    counts = {
        specification.name: specification.partition_count or trial.scenario.partitions
        for specification in topology.specifications
    }
    open_ends = await _open_ends(ends, counts)
    high = await ends.of(list(trial.billing.partitions))
    # A transaction that stays open keeps the reader from the end; that is told as such, and waited for no longer.
    if not open_ends:

        async def reached() -> bool:
            return trial.billing.has_reached(high)

        await trial.until(reached, "the reader that runs along sees everything")
    sources = {topic: await read_all(connection, [topic]) for topic in (*topology.kinds, topology.episodes_rekey)}
    restorer = ChangelogRestorer(
        connection, topic=topology.episodes_changelog, task_count=trial.scenario.partitions, tuning=Tuning()
    )
    return Evidence(
        topology=topology,
        policy=trial.policy,
        partition_counts=counts,
        inputs=_with_remembered(trial, [record for topic in topology.kinds for record in sources[topic]]),
        is_refused=trial.is_refused,
        rekeyed=sources[topology.episodes_rekey],
        changelog=await read_all(connection, [topology.episodes_changelog]),
        dead_letters=await read_all(connection, [topology.dead_letter]),
        events=await read_all(connection, [topology.coding_events]),
        events_as_they_came=trial.billing.records,
        committed=await committed_offsets(connection, trial.settings.app_id),
        open_ends=open_ends,
        restored=await restorer.restore(range(trial.scenario.partitions)),
        changelog_is_whole=trial.changelog_is_whole,
        canaries_in_logs=_canaries(trial),
        unbounded=trial.unbounded,
        faults_of_processes=trial.faults_of_processes,
    )


async def _open_ends(ends: Ends, counts: dict[str, int]) -> list[str]:
    """The partitions with an open transaction, after each had the time to end."""
    found = await ends.open_ends(counts)
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _SETTLE_SECONDS_MAX
    while found and loop.time() < deadline:
        await asyncio.sleep(_POLL_SECONDS)
        found = await ends.open_ends(counts)
    return found


def _with_remembered(trial: Trial, records: list[InputRecord]) -> list[InputRecord]:
    """*records*, and those that were there before some were deleted, in order of offset."""
    by_place = {(r.topic, r.partition, r.offset): r for r in (*trial.remembered_inputs, *records)}
    return [by_place[place] for place in sorted(by_place)]


def _canaries(trial: Trial) -> list[str]:
    ids = ids_of_people(trial.load)
    words = {word for text in trial.log_texts().values() for word in _WORD.findall(text)}
    return sorted(ids & words)
