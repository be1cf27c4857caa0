"""What a task knows of patients that became one. All tasks are told the same: a patient's episodes are anywhere."""

from collections.abc import Callable, Mapping
from hashlib import blake2b

import msgspec

from streams.domain.patient_merge import NOBODY_MERGED, PatientMerge, patient_identities
from streams.processing.changelog import ChangelogFormatError, merge_key
from streams.processing.stored_episode import patients_of

_DIGEST_BYTES = 16
_LOOKED_FOR_MAX = 8
"""To look for so many ids in an episode's bytes takes as long as to read it."""
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(PatientMerge).decode


class MergedPatients:
    """The merges that a task was told of.

    Args:
        stored: Their values in the changelog.

    Raises:
        ChangelogFormatError: One is of another version.
    """

    def __init__(self, stored: Mapping[bytes, bytes]) -> None:
        self._merges = {_decoded(value) for value in stored.values()}
        self.survivors: Mapping[str, str] = patient_identities(self._merges).survivors if stored else NOBODY_MERGED
        """By the id of a patient who was merged, as of the last `settle`."""
        self.newest_timestamp_ms = 0
        """The Kafka timestamp of the newest record that told of a merge since the start."""
        self._is_settled = True

    def take(self, merge: PatientMerge, timestamp_ms: int) -> tuple[bytes, bytes] | None:
        """Take *merge* in, of a record with *timestamp_ms*.

        Returns:
            Its key and value in the changelog; None where it is known.
        """
        if merge in self._merges:
            return None
        self._merges.add(merge)
        self.newest_timestamp_ms = max(self.newest_timestamp_ms, timestamp_ms)
        self._is_settled = False
        value = _encode(merge)
        return merge_key(blake2b(value, digest_size=_DIGEST_BYTES).digest()), value

    def settle(self) -> frozenset[str]:
        """Bring `survivors` up to what was taken in; the patients whose survivor is another now."""
        if self._is_settled:
            return frozenset()
        before, self.survivors = self.survivors, patient_identities(self._merges).survivors
        self._is_settled = True
        told = before.keys() | self.survivors.keys()
        return frozenset(patient for patient in told if before.get(patient) != self.survivors.get(patient))


def episodes_of(patient_ids: frozenset[str]) -> Callable[[bytes], bool]:
    """Whether an episode, as it is stored, may hold a fact of one of these patients: False only where it does not."""
    if len(patient_ids) > _LOOKED_FOR_MAX:
        return lambda value: not patient_ids.isdisjoint(patients_of(value))
    written = [_encode(patient_id) for patient_id in patient_ids]
    return lambda value: any(patient_id in value for patient_id in written)


def _decoded(value: bytes) -> PatientMerge:
    try:
        return _decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError):  # their texts show what was to be decoded
        message = "The changelog holds a merge in a format of another version: start a worker of that version."
        raise ChangelogFormatError(message) from None
