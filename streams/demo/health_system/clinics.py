"""Where patients are seen, who pays, and how each region's systems write to the bus.

The clinics and their systems are invented; the payers are those that the default policy names, and a few
that it does not. Place of service codes are CMS's (HL7 UTG, CMS Place of Service, version 20240502).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from enum import StrEnum

# The offsets change in 2026 at 02:00 on 8 March and on 1 November (second Sunday, first Sunday).
DAYLIGHT_SAVING_STARTS = datetime(2026, 3, 8, 2)  # noqa: DTZ001 - the wall clock decides, whatever its offset
DAYLIGHT_SAVING_ENDS = datetime(2026, 11, 1, 2)  # noqa: DTZ001 - the same
YEAR_STARTS = datetime(2026, 1, 1)  # noqa: DTZ001 - midnight on every wall
YEAR_DAYS = 365


class SiteKind(StrEnum):
    """What kind of place a patient is seen in."""

    OUTPATIENT_CLINIC = "outpatient-clinic"
    SPECIALTY_CLINIC = "specialty-clinic"
    PHYSICAL_THERAPY = "physical-therapy"
    SURGERY_CENTER = "ambulatory-surgery-center"
    HOSPITAL_OUTPATIENT = "hospital-outpatient"
    BEHAVIORAL_HEALTH = "behavioral-health"


PLACE_OF_SERVICE = {
    SiteKind.OUTPATIENT_CLINIC: "11",
    SiteKind.SPECIALTY_CLINIC: "11",
    SiteKind.PHYSICAL_THERAPY: "11",
    SiteKind.SURGERY_CENTER: "24",
    SiteKind.HOSPITAL_OUTPATIENT: "22",
    SiteKind.BEHAVIORAL_HEALTH: "53",
}
TELEHEALTH_AT_HOME = "10"


class Envelope(StrEnum):
    """How a value is wrapped: not at all, or in one of the two modes of CloudEvents 1.0."""

    BARE = "bare"
    BINARY = "binary"
    STRUCTURED = "structured"


class KeyChoice(StrEnum):
    """What a system keys its records with."""

    EPISODE = "episode"
    PATIENT = "patient"
    NOTHING = "nothing"


class ScoreForm(StrEnum):
    """How a survey system writes a result."""

    ANSWERS = "answers"
    NUMBER = "number"
    TEXT = "text"
    NUMBER_AND_ANSWERS = "number-and-answers"


@dataclass(frozen=True, slots=True)
class SendingSystem:
    """One producer on the bus, with its habits."""

    source: str
    envelope: Envelope
    key: KeyChoice
    score_form: ScoreForm = ScoreForm.NUMBER
    knows_visits: bool = True
    """Whether it can name the encounter, the facility, the payer and the clinician."""


@dataclass(frozen=True, slots=True)
class Region:
    """Clinics that share a clock and their systems."""

    name: str
    standard_offset_hours: int
    saves_daylight: bool
    surveys_from: SendingSystem
    treatments_from: SendingSystem

    def local_time(self, day: int, minute: int) -> datetime:
        """Give the time on the region's wall, with its offset, `minute` minutes into `day` (0: 1 January)."""
        wall = YEAR_STARTS + timedelta(days=day, minutes=minute)
        saving = self.saves_daylight and DAYLIGHT_SAVING_STARTS <= wall < DAYLIGHT_SAVING_ENDS
        return wall.replace(tzinfo=timezone(timedelta(hours=self.standard_offset_hours + saving)))

    def facility_id(self, kind: SiteKind) -> str:
        """Name the region's site of this kind."""
        return f"{self.name}-{kind}"


EAST = Region(
    name="east",
    standard_offset_hours=-5,
    saves_daylight=True,
    surveys_from=SendingSystem("pro-portal.east", Envelope.BARE, KeyChoice.EPISODE, ScoreForm.ANSWERS),
    treatments_from=SendingSystem("ehr.east", Envelope.BINARY, KeyChoice.EPISODE),
)
CENTRAL = Region(
    name="central",
    standard_offset_hours=-6,
    saves_daylight=True,
    surveys_from=SendingSystem(
        "tablet-kiosk.central", Envelope.STRUCTURED, KeyChoice.PATIENT, ScoreForm.TEXT, knows_visits=False
    ),
    treatments_from=SendingSystem("charge-capture.central", Envelope.BARE, KeyChoice.EPISODE),
)
DESERT = Region(
    name="desert",
    standard_offset_hours=-7,
    saves_daylight=False,
    surveys_from=SendingSystem("ehr.desert", Envelope.BARE, KeyChoice.EPISODE, ScoreForm.NUMBER_AND_ANSWERS),
    treatments_from=SendingSystem("interface-engine.desert", Envelope.STRUCTURED, KeyChoice.NOTHING),
)
REGION_SHARES = {EAST: 50, CENTRAL: 30, DESERT: 20}

MEDICARE = "medicare"
PAYER_SHARES: dict[str | None, int] = {
    "aetna": 14,
    "blue-cross-blue-shield": 20,
    "cigna": 11,
    "unitedhealthcare": 18,
    MEDICARE: 22,
    "MEDICARE": 4,  # the same payer, as another registration desk types it
    "tricare": 3,  # no rule names it: its codes are held
    "workers-compensation": 3,
    None: 5,  # self-pay, or not yet registered
}
