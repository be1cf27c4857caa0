"""What is done when a patient is seen: surveys are answered, treatments are given."""

from collections.abc import Mapping
from random import Random

from streams.demo.health_system.clinics import YEAR_DAYS
from streams.demo.health_system.facts import Patient, Survey, Treatment
from streams.demo.health_system.lines_of_care import Service
from streams.demo.health_system.survey_instruments import Instrument

OPENING_MINUTES = range(8 * 60, 17 * 60, 5)
SURVEY_MINUTES = 4
TELEHEALTH_SHARE = 0.25


def answer_surveys(patient: Patient, levels: Mapping[Instrument, int], day: int, rng: Random) -> tuple[Survey, ...]:
    """Answer each instrument at its level, one after the other, in one visit; none beyond the year."""
    if day >= YEAR_DAYS:
        return ()
    visit = patient.visit(patient.line_of_care.surveyed_at)
    opening = rng.choice(OPENING_MINUTES)
    return tuple(
        Survey(
            survey_id=patient.numbering.next_id("SV"),
            patient=patient,
            instrument=instrument,
            instrument_version=instrument.versions[0],
            level=level,
            answers=instrument.answers(level, rng),
            completed_at=patient.region.local_time(day, opening + SURVEY_MINUTES * position),
            visit=visit,
        )
        for position, (instrument, level) in enumerate(levels.items())
    )


def give_treatments(patient: Patient, first_day: int, rng: Random) -> tuple[tuple[Treatment, ...], int]:
    """Follow the plan of care.

    Returns:
        The treatments within the year, the earliest first, and the day of the last one, within it or beyond.
    """
    planned = [
        (first_day + service.first_day + session * service.every_days, service)
        for service in patient.line_of_care.services
        for session in range(rng.randint(*service.sessions))
    ]
    given = [_give(patient, service, day, rng) for day, service in planned if day < YEAR_DAYS]
    given.sort(key=lambda treatment: treatment.performed_at)
    return tuple(given), max(day for day, _ in planned)


def _give(patient: Patient, service: Service, day: int, rng: Random) -> Treatment:
    remote = service.may_be_remote and rng.random() < TELEHEALTH_SHARE
    side = patient.presentation.side if service.names_side else None
    return Treatment(
        treatment_id=patient.numbering.next_id("TX"),
        patient=patient,
        code=service.code,
        code_system=service.code_system,
        modifiers=(*service.modifiers, *([side] if side else []), *(["95"] if remote else [])),
        performed_at=patient.region.local_time(day, rng.choice(OPENING_MINUTES)),
        visit=patient.visit(rng.choice(service.sites), remote=remote),
    )
