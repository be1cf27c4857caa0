"""Who comes, where, with what, and insured by whom."""

from random import Random

from streams.demo.health_system.chance import drawn
from streams.demo.health_system.clinics import PAYER_SHARES, REGION_SHARES
from streams.demo.health_system.facts import Patient
from streams.demo.health_system.identifiers import Numbering, synthetic_npi
from streams.demo.health_system.lines_of_care import LINE_OF_CARE_SHARES

CLINICIANS = 400
INTAKE_DAYS = range(6, 311)
RETURNING_SHARE = 0.08


def admit(patients: int, rng: Random, numbering: Numbering) -> list[Patient]:
    """Admit patients in the order in which they come; some have been here before, for something else."""
    intake_days = sorted(rng.choices(INTAKE_DAYS, k=patients))
    return [_admit(intake_day, rng, numbering) for intake_day in intake_days]


def _admit(intake_day: int, rng: Random, numbering: Numbering) -> Patient:
    line_of_care = drawn(LINE_OF_CARE_SHARES, rng)
    returns = rng.random() < RETURNING_SHARE
    return Patient(
        episode_id=numbering.next_id("EP"),
        patient_id=numbering.earlier_id("PT", rng) if returns else numbering.next_id("PT"),
        region=drawn(REGION_SHARES, rng),
        line_of_care=line_of_care,
        presentation=rng.choice(line_of_care.presentations),
        payer_id=drawn(PAYER_SHARES, rng),
        npi=synthetic_npi(rng.randrange(CLINICIANS)),
        intake_day=intake_day,
        numbering=numbering,
    )
