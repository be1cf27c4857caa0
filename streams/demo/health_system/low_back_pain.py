"""The first patient: chronic low back pain, conservative care, and a survey score that improved.

A woman of 52 (no event tells age or sex) scores 48 on the Oswestry Disability Index at intake. She has
physical therapy, her medication is optimised, she gets an epidural steroid injection, and she scores
22 at follow-up. Every id that a coding event can carry is there.
"""

from streams.demo.health_system.clinics import EAST, MEDICARE, SiteKind
from streams.demo.health_system.facts import Patient, Survey, Treatment
from streams.demo.health_system.identifiers import Numbering, synthetic_npi
from streams.demo.health_system.lines_of_care import BACK_PAIN
from streams.demo.health_system.patient_journey import Course, Journey
from streams.demo.health_system.survey_instruments import ODI

_INTAKE_ANSWERS = (3, 2, 3, 2, 3, 3, 2, 2, 2, 2)
_FOLLOW_UP_ANSWERS = (1, 1, 1, 1, 2, 1, 1, 1, 1, 1)
_CLINICIAN = 9603

# Days and minutes of the year: 5 January 09:00 is (4, 540).
_INTAKE = (4, 540)
_TREATMENTS = (
    ("97161", ("GP",), SiteKind.PHYSICAL_THERAPY, (7, 600)),
    ("97110", ("GP",), SiteKind.PHYSICAL_THERAPY, (9, 600)),
    ("97110", ("GP",), SiteKind.PHYSICAL_THERAPY, (16, 600)),
    ("99214", (), SiteKind.OUTPATIENT_CLINIC, (19, 660)),
    ("97110", ("GP",), SiteKind.PHYSICAL_THERAPY, (23, 600)),
    ("62323", (), SiteKind.SURGERY_CENTER, (32, 480)),
)
_FOLLOW_UP = (74, 570)


def tell_low_back_pain(numbering: Numbering) -> Journey:
    """Tell the story of the first patient, 5 January to 16 March."""
    patient = Patient(
        episode_id=numbering.next_id("EP"),
        patient_id=numbering.next_id("PT"),
        region=EAST,
        line_of_care=BACK_PAIN,
        presentation=BACK_PAIN.presentations[0],
        payer_id=MEDICARE,
        npi=synthetic_npi(_CLINICIAN),
        intake_day=_INTAKE[0],
        numbering=numbering,
    )
    baseline = _answer(patient, _INTAKE_ANSWERS, _INTAKE)
    treatments = tuple(
        Treatment(
            treatment_id=numbering.next_id("TX"),
            patient=patient,
            code=code,
            code_system="HCPCS",
            modifiers=modifiers,
            performed_at=EAST.local_time(*when),
            visit=patient.visit(site),
        )
        for code, modifiers, site, when in _TREATMENTS
    )
    follow_up = _answer(patient, _FOLLOW_UP_ANSWERS, _FOLLOW_UP)
    return Journey(patient.episode_id, Course.IMPROVED, (baseline,), treatments, (follow_up,))


def _answer(patient: Patient, answers: tuple[int, ...], when: tuple[int, int]) -> Survey:
    return Survey(
        survey_id=patient.numbering.next_id("SV"),
        patient=patient,
        instrument=ODI,
        instrument_version=ODI.versions[0],
        level=sum(answers),
        answers=answers,
        completed_at=EAST.local_time(*when),
        visit=patient.visit(BACK_PAIN.surveyed_at),
    )
