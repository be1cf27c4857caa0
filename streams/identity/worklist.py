"""Which merges of patients must a person look at, and which episodes hold facts of these patients?"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from streams.domain.patient_merge import Concern, PatientMerge, patient_identities
from streams.intake.decoder import Decoder
from streams.intake.rejection import RejectedError
from streams.kafka.log_reader import read_log
from streams.kafka.sealing import sealing
from streams.processing.topology import Topology
from streams.replay.changelog_study import ChangelogStudy, KnownEpisodes
from streams.replay.replaying import OnProgress, Ranges, replay
from streams.settings import Settings

_Episodes = Mapping[str, Collection[str]]
"""Ids of episodes by patient."""

_TO_DO: Mapping[Concern, str] = {
    Concern.UNMERGED: (
        "{merged} is not {surviving}, it is said. If so, send `separate`, and have corrected what was told under "
        "{surviving} and is not theirs; if not, send `merge` again."
    ),
    Concern.MERGED_ELSEWHERE: (
        "{merged} was merged into {into} before, which holds. If that is right, send `separate` for {merged} and "
        "{surviving}; if not, for {merged} and {into}, then `merge` again."
    ),
    Concern.CYCLE: (
        "{surviving} was merged into {merged} before, which holds. If that is right, send that `merge` again; if not, "
        "`separate` the two, then `merge` them the other way."
    ),
}


class WorkItem(NamedTuple):
    """A merge that a person must look at."""

    merge: PatientMerge
    concern: Concern
    into: str | None
    """What the merged patient was merged into; None where into nobody."""
    episodes: Sequence[str]
    """Those with facts of either patient, or of that one."""

    @property
    def to_do(self) -> str:
        """What it comes to, and what to do."""
        merge = self.merge
        return _TO_DO[self.concern].format(
            merged=merge.merged_patient_id, surviving=merge.surviving_patient_id, into=self.into
        )

    def as_json(self) -> dict[str, Any]:
        """The same as JSON values."""
        merge = self.merge
        return {
            "concern": self.concern.value,
            "merged_patient_id": merge.merged_patient_id,
            "surviving_patient_id": merge.surviving_patient_id,
            "merged_into": self.into,
            "merged_at": str(merge.merged_at),
            "source": merge.source,
            "event_id": merge.event_id,
            "to_do": self.to_do,
            "episodes": list(self.episodes),
        }


async def read_merges(connection: Mapping[str, Any], topology: Topology) -> list[PatientMerge]:
    """All merges that were sent, as of now; what cannot be read is a dead letter, and none.

    Args:
        connection: Options of an aiokafka client.
        topology: The application's topics.
    """
    decode, merges = Decoder({}).decode_merge, []
    async for records in read_log(connection, [topology.patient_merged]):
        for record in records:
            try:
                merges.append(decode(record.value, record.headers))
            except RejectedError:
                continue
    return merges


def patients_of_concern(merges: Iterable[PatientMerge]) -> frozenset[str]:
    """The patients that a person must look at."""
    return frozenset(patient_id for item in worklist(merges, {}) for patient_id in _patients(item))


def worklist(merges: Iterable[PatientMerge], episodes: _Episodes) -> tuple[WorkItem, ...]:
    """What a person must look at, in the order in which it happened.

    Args:
        merges: All that were sent.
        episodes: What `episodes_of` found.
    """
    identities = patient_identities(merges)
    items = []
    for merge, concern in identities.concerns:
        item = WorkItem(merge, concern, identities.links.get(merge.merged_patient_id), ())
        touched = {episode for patient_id in _patients(item) for episode in episodes.get(patient_id, ())}
        items.append(item._replace(episodes=sorted(touched)))
    return tuple(items)


def _patients(item: WorkItem) -> set[str]:
    told = {item.merge.merged_patient_id, item.merge.surviving_patient_id}
    return told | {item.into} if item.into is not None else told


def episodes_of(
    settings: Settings, ranges: Ranges, patients: frozenset[str], *, on_progress: OnProgress
) -> dict[str, set[str]]:
    """The episodes of the changelog with facts of *patients*, by patient.

    Args:
        settings: Where the brokers are.
        ranges: The changelog.
        patients: Their ids, as they were told.
        on_progress: Told how far it has come.

    Raises:
        EncryptionError: An episode is sealed, and cannot be opened.
        EpisodeFormatError: One was written by another version.
    """
    found: dict[str, set[str]] = defaultdict(set)
    for part in replay(partial(_study, settings, patients), settings, ranges, on_progress=on_progress):
        for patient_id, episode_id in part:
            found[patient_id].add(episode_id)
    return found


def _study(settings: Settings, patients: frozenset[str]) -> ChangelogStudy[list[tuple[str, str]]]:
    topology = Topology(settings.app_id, settings.topic_prefix)
    return ChangelogStudy(sealing(settings, topology), partial(_told_of, patients))


def _told_of(patients: frozenset[str], known: KnownEpisodes) -> list[tuple[str, str]]:
    return [
        (patient_id, episode_id)
        for episode_id, coded in known
        for patient_id in patients & {fact.patient_id for fact in coded.episode.facts}
    ]
