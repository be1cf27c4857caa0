"""What a task knows of patients that became one. All tasks are told the same: a patient's episodes are anywhere."""

from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence

import msgspec

from streams.domain.fact import Fact
from streams.domain.patient_merge import NOBODY_MERGED, PatientMerge, patient_identities
from streams.intake.decoder import Decoder
from streams.intake.rejection import RejectedError
from streams.processing.arrivals import Gathering
from streams.processing.changelog import ChangelogFormatError, merge_key
from streams.processing.records import FetchedRecord, OutputRecord, PlacedRecord
from streams.processing.rekeying import Origin, origin_of
from streams.processing.routing import Router
from streams.processing.stored_episode import patients_of
from streams.processing.task_output import TaskOutput
from streams.processing.topology import InputKind

_LOOKED_FOR_MAX = 8
"""To look for so many ids in an episode's bytes takes as long as to read it."""
_EPISODES_A_TURN = 512
_encode = msgspec.msgpack.Encoder().encode
_decode_msgpack = msgspec.msgpack.Decoder(PatientMerge).decode


class MergedPatients:
    """The merges that a task was told of.

    Args:
        stored: Their values in the changelog, by key.
        decoder: Reads them in records.
        router: Sends those that are new to the other tasks.
        changelog: The topic and the partition in which they are kept.

    Raises:
        ChangelogFormatError: One is of another version.
    """

    def __init__(
        self, stored: Mapping[bytes, bytes], decoder: Decoder, router: Router, changelog: tuple[str, int]
    ) -> None:
        self._merges = {decode_merge(value) for value in stored.values()}
        self.survivors: Mapping[str, str] = patient_identities(self._merges).survivors if stored else NOBODY_MERGED
        """By the id of a patient who was merged, as of the last step."""
        self._told_at_ms = 0
        """The Kafka timestamp of the newest record that told of a merge since the start."""
        self._is_settled = True
        self._decode = decoder.decode_merge
        self._router = router
        self._changelog = changelog

    def take_input(self, topic: str, records: Sequence[FetchedRecord], output: TaskOutput) -> None:
        """Take merges in, and tell every other task of those that were not known."""
        for fetched in records:
            record = PlacedRecord.of(fetched, topic, self._changelog[1])
            origin = origin_of(record, InputKind.PATIENT_MERGE)
            try:
                is_new = self.take(record, origin, output)
            except RejectedError as rejected:
                self._router.reject(record, origin, rejected, output)
                continue
            if is_new:
                self._router.tell_all(record, origin, output)

    def take(self, record: FetchedRecord, origin: Origin, output: TaskOutput) -> bool:
        """Take in the merge that *record* tells of; whether it was not known.

        Raises:
            RejectedError: It tells of none.
        """
        merge = self._decode(record.value, origin.headers)
        if merge in self._merges:
            return False
        self._merges.add(merge)
        self._is_settled = False
        self._told_at_ms = max(self._told_at_ms, origin.timestamp_ms)
        value = encode_merge(merge)
        output.records.append(OutputRecord(*self._changelog, merge_key(value), value))
        return True

    def mark(self, gathering: Gathering, fact: Fact, timestamp_ms: int) -> None:
        """Have an episode decided where *fact*, which has arrived for it, is about somebody who was merged."""
        if fact.patient_id in self.survivors:
            gathering.merged_at_ms = timestamp_ms

    def touching(self, arrivals: MutableMapping[bytes, Gathering], episodes: Mapping[bytes, bytes]) -> Iterator[None]:
        """Bring `survivors` up to what was taken in, and have the episodes decided, in turns, that this may change.

        Args:
            arrivals: What has arrived in the step, by episode.
            episodes: Those of the task.
        """
        changed = self._changed()
        if not changed:
            return
        for gathering in arrivals.values():
            gathering.merged_at_ms = self._told_at_ms
        names = _named(changed)
        for number, (key, value) in enumerate(episodes.items(), start=1):
            if names(value):
                arrivals.setdefault(key, Gathering(value)).merged_at_ms = self._told_at_ms
            if number % _EPISODES_A_TURN == 0:
                yield

    def _changed(self) -> frozenset[str]:
        """The patients who go by another id now."""
        if self._is_settled:
            return frozenset()
        before, self.survivors = self.survivors, patient_identities(self._merges).survivors
        self._is_settled = True
        told = before.keys() | self.survivors.keys()
        return frozenset(patient for patient in told if before.get(patient) != self.survivors.get(patient))


def _named(patient_ids: frozenset[str]) -> Callable[[bytes], bool]:
    """Whether an episode, as it is stored, may hold a fact of these patients: False only where it does not."""
    if len(patient_ids) > _LOOKED_FOR_MAX:
        return lambda value: not patient_ids.isdisjoint(patients_of(value))
    written = [_encode(patient_id) for patient_id in patient_ids]
    return lambda value: any(patient_id in value for patient_id in written)


def encode_merge(merge: PatientMerge) -> bytes:
    """*merge* as it is kept in the changelog."""
    return _encode(merge)


def decode_merge(value: bytes) -> PatientMerge:
    """The merge in *value*.

    Raises:
        ChangelogFormatError: It is of another version.
    """
    try:
        return _decode_msgpack(value)
    except (msgspec.DecodeError, UnicodeDecodeError):  # their texts show what was to be decoded
        message = "The changelog holds a merge in a format of another version: start a worker of that version."
        raise ChangelogFormatError(message) from None
