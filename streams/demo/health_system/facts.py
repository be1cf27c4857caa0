"""What happened to a patient, as the clinic knows it, before any system writes it down."""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Literal, TypeAlias

from streams.demo.health_system.clinics import PLACE_OF_SERVICE, TELEHEALTH_AT_HOME, Region, SiteKind
from streams.demo.health_system.identifiers import Numbering
from streams.demo.health_system.lines_of_care import LineOfCare, Presentation
from streams.demo.health_system.survey_instruments import Instrument

Status: TypeAlias = Literal["completed", "amended", "entered-in-error"]
Respondent: TypeAlias = Literal["patient", "proxy"]


@dataclass(frozen=True, slots=True)
class Visit:
    """Where a patient was seen."""

    encounter_id: str
    site: SiteKind
    place_of_service: str


@dataclass(frozen=True, slots=True)
class Patient:
    """A patient in one episode of care: what stays the same for its length."""

    episode_id: str
    patient_id: str
    region: Region
    line_of_care: LineOfCare
    presentation: Presentation
    payer_id: str | None
    npi: str
    intake_day: int
    numbering: Numbering
    """Where the records of the episode get their ids."""

    def visit(self, site: SiteKind, *, remote: bool = False) -> Visit:
        """Open an encounter."""
        place_of_service = TELEHEALTH_AT_HOME if remote else PLACE_OF_SERVICE[site]
        return Visit(self.numbering.next_id("ENC"), site, place_of_service)


@dataclass(frozen=True, slots=True)
class Survey:
    """One version of one survey result."""

    survey_id: str
    patient: Patient
    instrument: Instrument
    level: int
    answers: tuple[int | None, ...] | None
    completed_at: datetime
    visit: Visit
    instrument_version: str | None
    respondent: Respondent = "patient"
    version: int = 1
    status: Status = "completed"

    @property
    def happened_at(self) -> datetime:
        """When the patient answered."""
        return self.completed_at

    @property
    def score(self) -> Decimal | None:
        """The score, or None where items were left out and only the instrument's rule can tell it."""
        skipped = self.answers is not None and None in self.answers
        return None if skipped else self.instrument.score(self.level)

    def with_unanswered(self, count: int) -> "Survey":
        """Leave out the `count` items with the lowest answers: the mean of the rest is no lower."""
        answers = list(self.answers or ())
        for item in sorted(range(len(answers)), key=lambda item: answers[item] or 0)[:count]:
            answers[item] = None
        return replace(self, answers=tuple(answers))


@dataclass(frozen=True, slots=True)
class Treatment:
    """One version of one treatment."""

    treatment_id: str
    patient: Patient
    code: str
    code_system: str
    modifiers: tuple[str, ...]
    performed_at: datetime
    visit: Visit
    version: int = 1
    status: Status = "completed"

    @property
    def happened_at(self) -> datetime:
        """When it was given."""
        return self.performed_at


Fact: TypeAlias = Survey | Treatment
