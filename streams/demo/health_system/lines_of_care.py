"""What the health system treats, with what, and where: codes as data.

Treatment codes are of `CPT <https://www.ama-assn.org/practice-management/cpt>`_ (HCPCS Level I), by number
alone; diagnoses are of ICD-10-CM.
"""

from dataclasses import dataclass

from streams.demo.health_system.clinics import SiteKind
from streams.demo.health_system.survey_instruments import (
    AVVQ,
    GAD7,
    HOOS_JR,
    KOOS_JR,
    NDI,
    NPRS,
    ODI,
    PHQ9,
    PROMIS_PAIN_INTERFERENCE,
    VVSYMQ,
    Instrument,
)


@dataclass(frozen=True, slots=True)
class Service:
    """One code of a plan of care, and how often and where it is given."""

    code: str
    sites: tuple[SiteKind, ...]
    sessions: tuple[int, int] = (1, 1)
    first_day: int = 0
    every_days: int = 7
    modifiers: tuple[str, ...] = ()
    code_system: str = "HCPCS"
    names_side: bool = False
    may_be_remote: bool = False


@dataclass(frozen=True, slots=True)
class Presentation:
    """What a patient comes with: diagnoses, and the side where there is one."""

    diagnoses: tuple[str, ...]
    side: str | None = None


@dataclass(frozen=True, slots=True)
class LineOfCare:
    """One reason to be treated."""

    name: str
    surveyed_at: SiteKind
    instruments: tuple[Instrument, ...]
    services: tuple[Service, ...]
    presentations: tuple[Presentation, ...]
    follow_up_days: tuple[int, int]
    """When the first follow-up is answered, after the last treatment."""


_CLINIC = (SiteKind.OUTPATIENT_CLINIC,)
_SPECIALTY = (SiteKind.SPECIALTY_CLINIC,)
_GYM = (SiteKind.PHYSICAL_THERAPY,)
_THEATRE = (SiteKind.SURGERY_CENTER, SiteKind.HOSPITAL_OUTPATIENT)
_BEHAVIORAL = (SiteKind.BEHAVIORAL_HEALTH,)

_EXERCISE = Service("97110", _GYM, sessions=(2, 6), modifiers=("GP",))
_MANUAL_THERAPY = Service("97140", _GYM, sessions=(0, 2), first_day=3, modifiers=("GP",))
_MEDICATION_REVIEW = Service("99214", _CLINIC, first_day=10)
_PSYCHOTHERAPY = (
    Service("90837", _BEHAVIORAL, sessions=(1, 3), every_days=7, may_be_remote=True),
    Service("90834", _BEHAVIORAL, sessions=(1, 4), first_day=21, every_days=14, may_be_remote=True),
    Service("99214", _BEHAVIORAL, sessions=(0, 2), first_day=5, every_days=30),
)

BACK_PAIN = LineOfCare(
    name="back pain",
    surveyed_at=SiteKind.OUTPATIENT_CLINIC,
    instruments=(ODI, PROMIS_PAIN_INTERFERENCE, NPRS),
    services=(
        Service("97161", _GYM, modifiers=("GP",)),  # an evaluation: it treats nothing
        Service("91251008", _GYM, sessions=(0, 1), code_system="SNOMED-CT"),
        _EXERCISE,
        _MANUAL_THERAPY,
        _MEDICATION_REVIEW,
        Service("62323", _THEATRE, sessions=(0, 1), first_day=24),
        Service("64483", _THEATRE, sessions=(0, 1), first_day=45, names_side=True),
    ),
    presentations=(
        Presentation(("M54.50", "G89.29")),
        Presentation(("M54.16",), "RT"),
        Presentation(("M54.16",), "LT"),
        Presentation(("M48.061",)),
    ),
    follow_up_days=(14, 60),
)
NECK_PAIN = LineOfCare(
    name="neck pain",
    surveyed_at=SiteKind.OUTPATIENT_CLINIC,
    instruments=(NDI, NPRS),
    services=(_EXERCISE, _MANUAL_THERAPY, Service("62321", _THEATRE, sessions=(0, 1), first_day=28)),
    presentations=(Presentation(("M54.2",)), Presentation(("M54.12",))),
    follow_up_days=(14, 60),
)
KNEE_REPLACEMENT = LineOfCare(
    name="knee replacement",
    surveyed_at=SiteKind.HOSPITAL_OUTPATIENT,
    instruments=(KOOS_JR,),
    services=(
        Service("27447", (SiteKind.HOSPITAL_OUTPATIENT,), names_side=True),
        Service("97110", _GYM, sessions=(2, 5), first_day=14, modifiers=("GP",)),
    ),
    presentations=(Presentation(("M17.11",), "RT"), Presentation(("M17.12",), "LT")),
    follow_up_days=(60, 130),
)
HIP_REPLACEMENT = LineOfCare(
    name="hip replacement",
    surveyed_at=SiteKind.HOSPITAL_OUTPATIENT,
    instruments=(HOOS_JR,),
    services=(
        Service("27130", _THEATRE, names_side=True),
        Service("97110", _GYM, sessions=(1, 4), first_day=10, modifiers=("GP",)),
    ),
    presentations=(Presentation(("M16.11",), "RT"), Presentation(("M16.12",), "LT")),
    follow_up_days=(60, 130),
)
DEPRESSION = LineOfCare(
    name="depression",
    surveyed_at=SiteKind.BEHAVIORAL_HEALTH,
    instruments=(PHQ9,),
    services=_PSYCHOTHERAPY,
    presentations=(Presentation(("F32.1",)), Presentation(("F33.1",))),
    follow_up_days=(7, 40),
)
ANXIETY = LineOfCare(
    name="anxiety",
    surveyed_at=SiteKind.BEHAVIORAL_HEALTH,
    instruments=(GAD7, PHQ9),
    services=_PSYCHOTHERAPY,
    presentations=(Presentation(("F41.1",)), Presentation(("F41.1", "F32.0"))),
    follow_up_days=(7, 40),
)
VEIN_ABLATION = LineOfCare(
    name="vein ablation",
    surveyed_at=SiteKind.SPECIALTY_CLINIC,
    instruments=(AVVQ, VVSYMQ),
    services=(
        Service("36475", (*_SPECIALTY, SiteKind.SURGERY_CENTER), names_side=True),
        Service("36478", _SPECIALTY, sessions=(0, 1), first_day=14, names_side=True),
    ),
    presentations=(Presentation(("I83.811",), "RT"), Presentation(("I83.812",), "LT")),
    follow_up_days=(80, 150),
)
LINE_OF_CARE_SHARES = {
    BACK_PAIN: 30,
    NECK_PAIN: 10,
    KNEE_REPLACEMENT: 12,
    HIP_REPLACEMENT: 8,
    DEPRESSION: 18,
    ANXIETY: 10,
    VEIN_ABLATION: 12,
}
