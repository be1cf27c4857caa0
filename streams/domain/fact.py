"""What is known of an episode: each survey and each treatment, in every version that was sent.

Facts are msgspec structs written as arrays: typed like a dataclass, and small enough in the changelog
to hold a hundred thousand episodes in memory. Fields may be added at the end, with a default; never
moved (the changelog of an older worker must still read).
"""

from decimal import Decimal
from typing import TypeAlias

import msgspec
from msgspec.structs import replace

from schemas.vocabulary import RecordStatus, Respondent, TreatmentCodeSystem
from streams.domain.instant import Instant


class Survey(msgspec.Struct, frozen=True, array_like=True, tag="S", gc=False):
    """One version of one survey result; ``score`` is None where too few items were answered."""

    source: str
    event_id: str
    survey_id: str
    version: int
    status: RecordStatus
    patient_id: str
    instrument: str
    instrument_version: str | None
    score: Decimal | None
    completed_at: Instant
    respondent: Respondent = Respondent.PATIENT
    encounter_id: str | None = None
    facility_id: str | None = None
    payer_id: str | None = None
    rendering_npi: str | None = None
    place_of_service: str | None = None
    moved_from_episode_id: str | None = None
    """The episode that it was linked to before."""
    moved_to_episode_id: str | None = None
    """In the episode that it was linked to before: where it is linked to now."""

    @property
    def identity(self) -> tuple[str, str]:
        """What its corrections share with it."""
        return "S", self.survey_id

    @property
    def occurred_at(self) -> Instant:
        """When the patient answered."""
        return self.completed_at


class Treatment(msgspec.Struct, frozen=True, array_like=True, tag="T", gc=False):
    """One version of one treatment."""

    source: str
    event_id: str
    treatment_id: str
    version: int
    status: RecordStatus
    patient_id: str
    code: str
    code_system: TreatmentCodeSystem
    performed_at: Instant
    modifiers: tuple[str, ...] = ()
    encounter_id: str | None = None
    facility_id: str | None = None
    payer_id: str | None = None
    rendering_npi: str | None = None
    place_of_service: str | None = None
    diagnoses: tuple[str, ...] = ()
    moved_from_episode_id: str | None = None
    """The episode that it was linked to before."""
    moved_to_episode_id: str | None = None
    """In the episode that it was linked to before: where it is linked to now."""

    @property
    def identity(self) -> tuple[str, str]:
        """What its corrections share with it."""
        return "T", self.treatment_id

    @property
    def occurred_at(self) -> Instant:
        """When it was given."""
        return self.performed_at


Fact: TypeAlias = Survey | Treatment

_STATUS_RANK = {RecordStatus.COMPLETED: 0, RecordStatus.AMENDED: 1, RecordStatus.ENTERED_IN_ERROR: 2}
_encode = msgspec.msgpack.Encoder().encode


def precedence(fact: Fact) -> tuple[int, int, bytes]:
    """Which of two facts of one identity counts: the greater.

    The highest version, as the contract says. Two contents under one version are a fault of the sender,
    and are settled without regard to arrival: what was entered in error is never billed on, an amendment
    outranks what it amends, and after that the canonical bytes decide.
    """
    return fact.version, _STATUS_RANK[fact.status], _encode(fact)


def left_behind(fact: Fact, episode_id: str) -> tuple[str, Fact] | None:
    """The episode that *fact*, linked to *episode_id*, was linked to before, and what it is there; None if to no other.

    There it is a version that was entered in error: it displaces the versions before it, and any later one displaces
    it. So a record that moves to and fro stands in the one episode that its highest version names.
    """
    left = fact.moved_from_episode_id
    if left is None or left == episode_id:
        return None
    in_error = RecordStatus.ENTERED_IN_ERROR
    return left, replace(fact, status=in_error, moved_from_episode_id=None, moved_to_episode_id=episode_id)
